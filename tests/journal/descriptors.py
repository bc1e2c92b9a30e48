"""Which files this process holds open, told by their numbers."""

import os

NUMBERS = 1_024  # a test opens a handful; the lowest free number is always the next


def open_numbers() -> set[int]:
    """Return the numbers of the files, sockets and pipes that are open."""
    return set(filter(_is_open, range(NUMBERS)))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
