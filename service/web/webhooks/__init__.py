"""What the carrier asks and tells us over HTTP, and what our documents answer."""
