"""What an agent can do in the world besides talking: tools, each with terms, a deadline and a key."""
