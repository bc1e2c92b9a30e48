"""Where a call is believed to end, so that writers who hold no fence can seal for a place. Pure.

    reserve ──> place 7 ──┐
    reserve ──> place 8 ──┼──> the engine, all at once ──> Behind(9): the guess was wrong for all of them
    reserve ──> place 9 ──┘                                first to hear it corrects, all reserve again

Of many writers in one process each is given its own place, so that they share one commit. When another
process was first, they all learn the same end, and only the first corrects the guess by it.
"""

from typing import NamedTuple


class Place(NamedTuple):
    """The position after which to write, by which guess."""

    after: int
    guess: int


class Tip:
    """One call's end, as this process believes it to be."""

    def __init__(self) -> None:
        self._end = 0
        self._guess = 0

    def reserve(self, count: int) -> Place:
        """Return a place for so many records, and believe them written."""
        place = Place(self._end, self._guess)
        self._end += count
        return place

    def correct(self, place: Place, head: int) -> None:
        """The place was refused, for the call ends at `head`."""
        if place.guess == self._guess:
            self._guess += 1
            self._end = head

    def reached(self, position: int) -> None:
        """A record was written at this position."""
        self._end = max(self._end, position)
