"""Frames that overtook each other on the way, put back in order by their counters.

    1 2 4 5 3 6   ──>   1 2 3 4 5 6          1 2 4 5 6 7 8 9 ──> 3 is given up, what waited goes on

Only for carriers that say their order is not guaranteed: everybody else's frames come as they were sent, and
waiting costs time.
"""

AHEAD_MAX = 5  # frames that wait for one before them: 100 ms, what a call can bear


class Reorder:
    """The frames of one stream."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._early: dict[int, bytes] = {}

    def feed(self, chunk: object, frame: bytes) -> list[bytes]:
        """Take a frame and its number; return the frames whose turn it is.

        A frame without a number, or one that is late, is nobody's to wait for: it goes on at once.
        """
        try:
            number = int(str(chunk))
        except ValueError:
            return [frame]
        if self._next is None or number < self._next:
            self._next = number + 1 if self._next is None else self._next
            return [frame]
        self._early[number] = frame
        if self._next not in self._early and len(self._early) > AHEAD_MAX:
            self._next = min(self._early)
        return self._due()

    def rest(self) -> list[bytes]:
        """Return what still waits: nothing will come before it."""
        left = [self._early[number] for number in sorted(self._early)]
        self._early.clear()
        self._next = None
        return left

    def _due(self) -> list[bytes]:
        due = []
        while self._next in self._early:
            due.append(self._early.pop(self._next))
            self._next += 1
        return due
