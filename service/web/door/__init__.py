"""Who may come in, what they may send, and how they are told that they may not."""
