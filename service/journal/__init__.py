"""The append-only facts of calls, kept in SQLite or Redis behind one promise."""
