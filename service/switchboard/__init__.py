"""Which calls this process holds, which it lets in, and which it takes over."""
