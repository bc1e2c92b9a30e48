"""Clauses: the units in which speech is synthesised, counted as heard, and said again.

After a drop at most one clause is repeated, so a clause should last one to four seconds: long enough
to sound like speech, short enough to hear twice.
"""

import re

CLAUSE_LETTERS_MAX = 120  # about 8 s of speech; a longer run without punctuation is split at a word
CLAUSE_LETTERS_MIN = 16  # about 1 s; a shorter fragment joins its neighbour

_ENDS = re.compile(r"(?<=[.!?;:,])\s+")


def clauses(text: str) -> tuple[str, ...]:
    """Split `text` at punctuation. Words and their order stay; no clause is empty."""
    found: list[str] = []
    for piece in _ENDS.split(" ".join(text.split())):
        for part in _bounded(piece):
            if found and _belong_together(found[-1], part):
                found[-1] = f"{found[-1]} {part}"
            elif part:
                found.append(part)
    return tuple(found)


def _belong_together(before: str, part: str) -> bool:
    is_short = len(before) < CLAUSE_LETTERS_MIN or len(part) < CLAUSE_LETTERS_MIN
    if len(before) + len(part) >= CLAUSE_LETTERS_MAX:
        return False
    is_list = before.endswith(",") and len(part) <= CLAUSE_LETTERS_MIN
    return (is_short and not before.endswith((".", "!", "?"))) or is_list


def _bounded(piece: str) -> list[str]:
    parts: list[str] = []
    rest = piece
    while len(rest) > CLAUSE_LETTERS_MAX:
        at = rest.rfind(" ", 1, CLAUSE_LETTERS_MAX)
        at = at if at > 0 else CLAUSE_LETTERS_MAX
        parts.append(rest[:at])
        rest = rest[at:].lstrip()
    return [*parts, rest]
