"""The tide mark: how far a SQLite file has ever got, kept beside it.

A file put back from a copy looks sound, and its incarnations are those it had. Only a mark outside
the copy can tell that records are missing: the file counts its groups of writes, the mark holds the
highest count ever committed, and a file below its mark has lost something.

The mark is written after each commit, without fsync: after a power cut it may be too low, which hides
nothing that the file itself (fsynced) still has. Two processes that write it within the same
microseconds may leave it one group low until the next write. A copy of the whole folder brings its
own mark back; who restores one should delete the mark's file's neighbours too, or start anew.
"""

import os
from contextlib import suppress
from pathlib import Path

DIGITS = 20  # of a count in decimal: any 64-bit number fits, so the mark is always of one size
RECENT = 64  # groups of ours that may be committed while somebody reads how high the tide is


class OwnGroups:
    """Which groups of writes are ours. The writing thread notes them, any other may ask."""

    def __init__(self) -> None:
        # How many, and where the last of them stand: together, so that no thread sees half a change.
        self._known: tuple[int, tuple[int, ...]] = (0, ())

    def note(self, height: int) -> None:
        """A group of ours is about to be committed, as the one at this height."""
        count, last = self._known
        self._known = (count + 1, (*last[1 - RECENT :], height))

    def forget(self) -> None:
        """The last one was not committed."""
        count, last = self._known
        self._known = (count - 1, last[:-1])

    def within(self, height: int) -> int:
        """Return how many are among the groups up to a height that was just read; too few if that was long ago."""
        count, last = self._known
        above = sum(one > height for one in last)
        return count - above if above < RECENT else 0


class TideMark:
    """The highest count of writes that was ever committed to the file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + "-tide")
        self._file: int | None = None

    def is_above(self, height: int) -> bool:
        """Say whether the file once got further than `height`: then it has lost records."""
        return self._read() > height

    def rise(self, height: int) -> None:
        """Note a commit. Never lowers the mark."""
        if self._read() < height:
            self.reset(height)

    def reset(self, height: int) -> None:
        """Put the mark at `height`, lower or higher."""
        # The mark is a precaution: to fail a committed write for it would be the greater harm.
        with suppress(OSError):
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._file, str(height).zfill(DIGITS).encode(), 0)

    def close(self) -> None:
        """Let go of the mark's file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _read(self) -> int:
        try:
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            return int(os.pread(self._file, DIGITS, 0))
        except (OSError, ValueError):
            return 0
