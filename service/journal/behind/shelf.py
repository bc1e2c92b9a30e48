"""The shelf: a local file that holds what the store is still to be told.

    put(payload) ──> waiting ──> [ one write, one fsync, in a thread ] ──> LOCAL
                                   the disk refuses, or is too slow     ──> MEMORY, and an alarm

1.  What is put is on this machine's disk when `put` answers LOCAL, and survives `kill -9`.
2.  All that wait at a moment are written together. The event loop never touches the file.
3.  A disk that refuses is tried again every `AGAIN_MS`. Until it takes something, memory is all there is,
    and whoever speaks is never held up.
4.  Nothing on the shelf is needed any more: it is emptied, so it never grows from one outage to the next.
5.  Files of processes that died are taken over at the start, and removed when theirs is done, too.
6.  What is put is sealed when there are keys. A file that can't be opened with them stays as it is.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from service import scope
from service.errors import SealBroken
from service.journal.behind.frames import framed
from service.journal.behind.shelffile import ShelfFile, left_files, numbered
from service.journal.seal.masters import Masters
from service.journal.seal.shelf import ShelfSeal
from service.journal.values import Durability
from service.redaction import own_words

BYTES_MAX = 67_108_864  # of one process: 50 calls for half an hour are under 40 MiB
PUT_MS_MAX = 250  # a disk that is slower than this is not waited for
AGAIN_MS = 1_000  # between two attempts at a disk that refuses

_EMPTY = b""  # stands in the row for "what was put before is not needed any more"

_log = logging.getLogger(__name__)


class Shelf:
    """The shelf of one process, `name`d in `folder`; without a folder it is memory alone."""

    def __init__(self, folder: Path | None, name: str, seal: ShelfSeal | None = None) -> None:
        self._folder = folder
        self._seal = seal or ShelfSeal(Masters(()))
        self._name = name
        self._file: ShelfFile | None = None
        self._left: tuple[ShelfFile, ...] = ()
        self._keeps_left = False
        self._thread = ThreadPoolExecutor(1, "shelf")
        self._waiting: list[tuple[bytes, asyncio.Future[Durability]]] = []
        self._work: asyncio.Task[None] | None = None
        self._again_s = 0.0
        self.bytes = 0  # of all that was put since it was empty
        self.trouble = ""  # why memory is all there is, "" while the disk takes what is put

    @property
    def is_full(self) -> bool:
        """Whether it takes no more, on disk or in memory."""
        return self.bytes >= BYTES_MAX

    async def take_over(self) -> tuple[bytes, ...]:
        """Return what processes that died have left. It stays theirs on disk until `empty`."""
        if self._folder is None:
            return ()
        loop = asyncio.get_running_loop()
        try:
            self._left = await loop.run_in_executor(self._thread, left_files, self._folder)
            reads = (loop.run_in_executor(self._thread, file.read) for file in self._left)
            found = await asyncio.gather(*reads)
        except OSError as error:
            self._tell(error.strerror or str(error))
            return ()
        return tuple(one for contents in found for one in self._opened(contents))

    async def put(self, payload: bytes) -> Durability:
        """Keep the payload; LOCAL once it is on disk. Never raises for what the disk does."""
        frame = framed(self._seal.seal(payload))
        self.bytes += len(frame)
        loop = asyncio.get_running_loop()
        if self._folder is None or (self.trouble and loop.time() < self._again_s):
            return Durability.MEMORY
        kept = self._line_up(frame)
        done, _ = await asyncio.wait({kept}, timeout=PUT_MS_MAX / 1_000)
        if not done:
            self._tell(f"it took no write within {PUT_MS_MAX} ms")
            return Durability.MEMORY
        return kept.result()

    def note(self, payload: bytes) -> None:
        """Keep the payload, in its order, if the disk takes it; nobody waits for that."""
        frame = framed(self._seal.seal(payload))
        self.bytes += len(frame)
        if self._folder is not None and not self.trouble:
            self._line_up(frame).add_done_callback(lambda _: None)

    def empty(self) -> None:
        """Nothing that was put until now is needed any more."""
        self.bytes = 0
        if self._folder is not None and (self._file or self._left or self._work):
            self._line_up(_EMPTY).add_done_callback(lambda _: None)

    async def rewrite(self, payloads: Sequence[bytes]) -> None:
        """Keep these alone: what else was put is with the store.

        What is put meanwhile comes behind them, perhaps a second time.
        """
        frames = b"".join(framed(self._seal.seal(payload)) for payload in payloads)
        self.bytes = len(frames) + sum(len(frame) for frame, _ in self._waiting)
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._rewrite, frames)
        except OSError as error:
            self._tell(error.strerror or str(error))

    async def close(self) -> None:
        """Finish what was put; leave the files to the next process unless they are empty."""
        if self._work is not None:
            await asyncio.wait({self._work})
        files = (*self._left, *([self._file] if self._file else ()))
        self._left, self._file = (), None
        loop = asyncio.get_running_loop()
        for file in files:
            await loop.run_in_executor(self._thread, file.close)
        self._thread.shutdown(wait=False)

    def _line_up(self, frame: bytes) -> "asyncio.Future[Durability]":
        kept: asyncio.Future[Durability] = asyncio.get_running_loop().create_future()
        self._waiting.append((frame, kept))
        if self._work is None:
            self._work = asyncio.create_task(self._write(), context=scope.of_nobody())
        return kept

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            frames = [frame for frame, _ in waiting]
            try:
                await loop.run_in_executor(self._thread, self._set_down, frames)
                durability, self.trouble = Durability.LOCAL, ""
            except OSError as error:
                self._tell(error.strerror or str(error))
                durability = Durability.MEMORY
            for _, kept in waiting:
                if not kept.done():
                    kept.set_result(durability)
        self._work = None

    def _set_down(self, frames: list[bytes]) -> None:
        """Empty the files if that stands in the row, and write what comes after it."""
        assert self._folder is not None
        if _EMPTY in frames:
            frames = frames[len(frames) - frames[::-1].index(_EMPTY) :]
            left, self._left = self._left, ()
            for file in left:
                if not self._keeps_left:
                    file.empty()
                file.close()
            if self._file is not None:
                self._file.empty()
        if frames:
            if self._file is None:
                self._file = ShelfFile.create(numbered(self._folder, self._name))
            self._file.append(b"".join(frames))

    def _rewrite(self, frames: bytes) -> None:
        if self._file is not None:
            self._file = self._file.rewrite(frames)

    def _opened(self, contents: Sequence[bytes]) -> Iterator[bytes]:
        """Open what was left. What does not open is told of once a file, and its file is kept."""
        for content in contents:
            try:
                yield self._seal.open(content)
            except SealBroken as trouble:
                _log.error(
                    "! what a process before us left can't be opened, and is kept: %s",
                    trouble,
                    extra={"action": "shelf_sealed"},
                )
                self._keeps_left = True
                return

    def _tell(self, trouble: str) -> None:
        self._again_s = asyncio.get_running_loop().time() + AGAIN_MS / 1_000
        if not self.trouble:
            _log.error(
                "! the write-behind's file in %s can't be written, memory is all there is: %s",
                own_words(str(self._folder)),
                own_words(trouble),
                extra={"action": "shelf_failed"},
            )
        self.trouble = trouble
