"""Hundreds of callers at once: their calls, their streams, and how they ask for documents."""
