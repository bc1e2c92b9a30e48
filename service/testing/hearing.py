"""Whether words were heard: a row of words in what came, after what was matched before.

Case and punctuation don't count; words do, so "print" is not heard in "printer".
"""

import re

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")  # don't is one word


def bare(text: str) -> tuple[str, ...]:
    """Return the words of a text without case and punctuation."""
    return tuple(word.casefold().replace("\u2019", "'") for word in _WORD.findall(text))


def after(text: str, beginning: str) -> str:
    """Return what of a text comes after its beginning, from the next whole word on.

    Raises ValueError when the text doesn't begin so.
    """
    row = _sought(beginning)
    if bare(text)[: len(row)] != row:
        raise ValueError(f"{text!r} does not begin with {beginning!r}")
    pieces = text.split()
    said = next(n for n in range(len(pieces) + 1) if len(bare(" ".join(pieces[:n]))) >= len(row))
    return " ".join(pieces[said:])


class Listener:
    """Follows a talk: each match begins where the one before ended."""

    def __init__(self) -> None:
        self._at = 0

    def hears(self, wanted: str, heard: str) -> bool:
        """Whether `wanted` is said in `heard` after the last match; if so, that is the last match now.

        `heard` is all that was heard from the beginning, and only ever grows. Raises ValueError when
        `wanted` has no words.
        """
        row = _sought(wanted)
        said = bare(heard)
        for start in range(self._at, len(said) - len(row) + 1):
            if said[start : start + len(row)] == row:
                self._at = start + len(row)
                return True
        return False

    def rest(self, heard: str) -> str:
        """Return what was heard after the last match, without case and punctuation."""
        return " ".join(bare(heard)[self._at :])


def _sought(wanted: str) -> tuple[str, ...]:
    row = bare(wanted)
    if not row:
        raise ValueError(f"{wanted!r} has no words that could be heard")
    return row
