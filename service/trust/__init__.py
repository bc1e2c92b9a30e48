"""What proves who somebody is and whose a call is: keys, tokens, tenants."""
