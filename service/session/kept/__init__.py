"""A call's journal as a session reads and writes it, and the calls that were kept before."""
