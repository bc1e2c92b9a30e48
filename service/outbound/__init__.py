"""Requests of our own: only to where the settings let them go."""
