"""When the caller speaks: voice activity, and where utterances begin and end."""
