"""The talk with a model that hears and speaks by itself."""
