"""Harm to many calls at once, over real sockets, and the judgement on what came of it."""
