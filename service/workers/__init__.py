"""The processes that serve: how they begin, share a port, look after calls, and end."""
