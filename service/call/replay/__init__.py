"""A recorded call decided again by the present code: what it said then, compared with what it says now."""
