"""Chance that a seed repeats: every draw of a run comes from here."""

import random


def chance(seed: int) -> random.Random:
    """Return a source of chance that draws the same for the same seed."""
    return random.Random(seed)  # noqa: S311 - it harms calls for practice, and keeps no secret
