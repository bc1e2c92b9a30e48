"""Where the process's own randomness comes from while a run lasts: the seed."""

import os
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Let `secrets`, `uuid` and every SystemRandom draw from the seed, until the end of the block."""
    chance = random.Random(f"entropy {seed}")
    before, before_os = random._urandom, os.urandom  # type: ignore[attr-defined] # no stub shows it
    random._urandom = os.urandom = chance.randbytes  # type: ignore[attr-defined] # likewise
    uuids = uuid.uuid4
    try:
        yield
    finally:
        random._urandom, os.urandom = before, before_os  # type: ignore[attr-defined] # likewise
        assert uuid.uuid4 is uuids
