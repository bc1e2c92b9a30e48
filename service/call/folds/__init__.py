"""How each fact changes what is known of a call."""
