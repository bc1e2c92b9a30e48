"""Our half of the talk: what is said on one stream, and how far the caller has heard it."""
