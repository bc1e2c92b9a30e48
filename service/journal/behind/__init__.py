"""The write-behind: what a process keeps for its calls while the store does not answer."""
