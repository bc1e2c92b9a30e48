"""Speech in and out: voice activity, endpointing, recognition, synthesis."""
