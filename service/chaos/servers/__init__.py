"""Servers of our own, their store and their tool, each a process to be killed and frozen."""
