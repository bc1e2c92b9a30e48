"""The shelf's file: appended to, fsynced, locked by the process that writes it.

A file that bears the ending `.shelf` and is not locked was left by a process that died. It is made under
another name and locked before it gets this one, so that nobody takes a new file for a left one. Its number is
behind those of the files that were there: one process may go on with what another began, and die as well.

Lives in one thread at a time.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from service.journal.behind.frames import unframed

ENDING = ".shelf"
BLANK_BYTES = 1_048_576  # of zeros written at once
LEFT_BYTES_MAX = 268_435_456  # four times what a shelf holds: a larger file is none of ours


class ShelfFile:
    """One locked file at `path`. Raises OSError for what the disk refuses."""

    def __init__(self, path: Path, descriptor: int, size: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._size = size

    @classmethod
    def create(cls, path: Path, frames: bytes = b"") -> "ShelfFile":
        """Make a file, with its folder. It is there whole, or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(".new")
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file = cls(path, descriptor, 0)
            if frames:
                file.append(frames)
            draft.rename(path)
            _sync_folder(path.parent)
        except BaseException:
            os.close(descriptor)
            raise
        return file

    @classmethod
    def adopt(cls, path: Path) -> "ShelfFile | None":
        """Take a file whose process is gone; None when it lives, or somebody else was first."""
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        if not _is_free(path, descriptor):
            os.close(descriptor)
            return None
        return cls(path, descriptor, os.fstat(descriptor).st_size)

    def read(self) -> tuple[bytes, ...]:
        """Return the payloads of every sound frame."""
        return unframed(os.pread(self._descriptor, LEFT_BYTES_MAX, 0)).payloads

    def append(self, frames: bytes) -> None:
        """Write behind the last sound byte, and fsync. What was half written is cut off again."""
        try:
            written = 0
            while written < len(frames):
                written += os.pwrite(self._descriptor, frames[written:], self._size + written)
            os.fsync(self._descriptor)
        except OSError:
            with suppress(OSError):  # what is left of it is written over
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(frames)

    def rewrite(self, frames: bytes) -> "ShelfFile":
        """Return a new file in the place of this one, with these frames alone."""
        fresh = ShelfFile.create(self.path, frames)
        self._blank()
        os.close(self._descriptor)
        return fresh

    def empty(self) -> None:
        """Let go of all that is in it, and leave nothing of it on the disk."""
        if self._size:
            self._blank()
            os.ftruncate(self._descriptor, 0)
            self._size = 0

    def _blank(self) -> None:
        with suppress(OSError):  # best effort: a disk that refuses this keeps what it has
            for place in range(0, self._size, BLANK_BYTES):
                zeros = bytes(min(BLANK_BYTES, self._size - place))
                os.pwrite(self._descriptor, zeros, place)
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the file; an empty one is removed."""
        if not self._size:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)


def _is_free(path: Path, descriptor: int) -> bool:
    """Lock the file, unless its process lives, or somebody else was done with it meanwhile."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except (BlockingIOError, FileNotFoundError):
        return False


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def numbered(folder: Path, name: str) -> Path:
    """Return where a new file of the process `name` stands."""
    last = max(map(_number, folder.glob(f"*{ENDING}")), default=0)
    return folder / f"{last + 1}-{name}{ENDING}"


def left_files(folder: Path) -> tuple[ShelfFile, ...]:
    """Take every file in the folder that a dead process left, in the order in which they were begun.

    Nothing when there is no folder.
    """
    if not folder.is_dir():
        return ()
    paths = sorted(folder.glob(f"*{ENDING}"), key=lambda path: (_number(path), path.name))
    adopted = map(ShelfFile.adopt, paths)
    return tuple(file for file in adopted if file is not None)


def _number(path: Path) -> int:
    number = path.name.partition("-")[0]
    return int(number) if number.isdecimal() else 0
