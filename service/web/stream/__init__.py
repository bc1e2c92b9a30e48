"""The media socket, from the upgrade to the session."""
