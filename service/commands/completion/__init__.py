"""Completion of the command line in three shells."""
