"""The agent of words that asks a language model."""
