"""The `stayline` command: one file a command."""
