"""The network between callers and servers: what carries each connection, and harms it."""
