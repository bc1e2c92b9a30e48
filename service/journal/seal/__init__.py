"""The seal: what a store and its copies hold can be read only with keys that lie elsewhere."""
