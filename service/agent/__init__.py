"""The brains: what decides what to say."""
