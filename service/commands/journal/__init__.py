"""The commands on a store's calls: show, export, replay, erase, rewrap."""
