"""One call in this process: listening, speaking, and the order feed, decide, write, act."""
