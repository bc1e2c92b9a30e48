"""A person in the agent's place, typed or with their own voice."""
