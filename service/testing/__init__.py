"""Your agent under test: a simulated caller on real sockets, drops included. A plugin of pytest."""
