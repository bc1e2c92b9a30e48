"""What a watcher was told, against what the journal holds."""

from collections.abc import Sequence

import msgspec


class Judged(msgspec.Struct, frozen=True):
    """How many records one watcher missed, had twice, had too early or late, or had with other words."""

    gaps: int = 0
    duplicates: int = 0
    misorder: int = 0
    wrong: int = 0


def judge(seen: Sequence[tuple[int, str]], truth: Sequence[str], head: int) -> Judged:
    """Judge records as (position, text) in the order they came; `truth` are all texts, from position 1.

    It must have been told those up to `head` and to whatever it saw last.
    """
    known: set[int] = set()
    duplicates = misorder = wrong = last = 0
    for position, text in seen:
        if position in known:
            duplicates += 1
        elif position < last:
            misorder += 1
        if not 0 < position <= len(truth) or truth[position - 1] != text:
            wrong += 1
        known.add(position)
        last = max(last, position)
    gaps = len(set(range(1, max(head, last) + 1)) - known)
    return Judged(gaps, duplicates, misorder, wrong)


def summed(found: Sequence[Judged]) -> Judged:
    """Return all together."""
    names = Judged.__struct_fields__
    return Judged(*(sum(getattr(one, name) for one in found) for name in names))
