"""The caller's audio as it came: over the gaps between streams, and how loud it is."""
