"""The embedded journal: one SQLite file, or memory."""
