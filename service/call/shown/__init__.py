"""A call as readers are shown it: made from its facts, never asked by who holds it."""
