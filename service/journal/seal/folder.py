"""The vault beside a SQLite file: a folder with one small file for each call.

    var/stayline.db          the records, sealed
    var/stayline.db-keys/    9f86d081884c7d65….key      the wrapped key of one call

A database would keep what it deletes in its pages, its log and its rollback journal. Here a key stands
in one place: it is overwritten with zeros there, that is fsynced, and then its file is removed. Who
copies the store must not copy this folder, or the copies can be read after an erasure.

A disk that writes elsewhere than it is told (copy-on-write, snapshots, worn flash) may keep what was
there before; only its own encryption holds against whoever reads it raw.
"""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from service.errors import StoreUnavailable
from service.journal.seal.vault import Present, is_older

ENDING = ".key"
THREADS = 4  # keys at once: each is an fsync or two, and they wait for one lock
NAME_LETTERS = 40  # of a CallSid's digest: 160 bits. The sid itself may hold what no file is named

T = TypeVar("T")


class FolderVault:
    """The vault in `folder`, shared by the processes of one machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = ThreadPoolExecutor(THREADS, "vault")

    async def start(self) -> None:
        """See Vault.start."""
        await self.check()

    async def close(self) -> None:
        """See Vault.close."""
        self._threads.shutdown(wait=False)

    async def check(self) -> None:
        """See Vault.check."""
        await self._run(self._check)

    async def put(self, call_sid: str, wrapped: bytes) -> bytes:
        """See Vault.put."""
        return await self._run(lambda: self._put(self._path(call_sid), wrapped))

    async def fetch(self, call_sid: str) -> bytes | None:
        """See Vault.fetch."""
        return await self._run(lambda: _read(self._path(call_sid)))

    async def replace(self, call_sid: str, before: bytes, after: bytes) -> bool:
        """See Vault.replace."""
        return await self._run(lambda: self._replace(self._path(call_sid), before, after))

    async def destroy(self, call_sid: str) -> bool:
        """See Vault.destroy."""
        return await self._run(lambda: self._destroy([self._path(call_sid)])) > 0

    async def prune(self, present: Present, *, before_ms: int) -> int:
        """See Vault.prune. What a process left half written when it died goes, too."""
        names = {self._path(call_sid).name for call_sid in await present()}
        return await self._run(lambda: self._prune(names, before_ms))

    def _path(self, call_sid: str) -> Path:
        digest = hashlib.sha256(call_sid.encode(errors="replace")).hexdigest()
        return self._folder / f"{digest[:NAME_LETTERS]}{ENDING}"

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (OSError, RuntimeError) as trouble:
            what = trouble.strerror if isinstance(trouble, OSError) else "it is closed"
            raise StoreUnavailable(
                f"The keys' folder {self._folder} can't be used: {what}."
            ) from trouble

    def _check(self) -> None:
        with self._alone():
            pass

    def _put(self, path: Path, wrapped: bytes) -> bytes:
        with self._alone():
            kept = _read(path)
            if kept is None:
                self._write(path, wrapped)
            return wrapped if kept is None else kept

    def _replace(self, path: Path, before: bytes, after: bytes) -> bool:
        with self._alone():
            if _read(path) != before:
                return False
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                self._write(path, after)
                _blank(descriptor)
            finally:
                os.close(descriptor)
            return True

    def _destroy(self, paths: list[Path]) -> int:
        destroyed = 0
        with self._alone():
            for path in paths:
                try:
                    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                except FileNotFoundError:
                    continue
                try:
                    _blank(descriptor)
                finally:
                    os.close(descriptor)
                path.unlink()
                destroyed += 1
            if destroyed:
                _sync(self._folder)
        return destroyed

    def _prune(self, names: set[str], before_ms: int) -> int:
        gone = [
            path
            for path in self._folder.glob(f"*{ENDING}")
            if path.name not in names and is_older(_read(path) or b"", before_ms)
        ]
        with self._alone():
            drafts = list(self._folder.glob("*.new"))  # under the lock nobody is writing one
        self._destroy(drafts)
        return self._destroy(gone)

    def _write(self, path: Path, content: bytes) -> None:
        """Write a file that is there whole or not at all, and durable. The lock must be held."""
        draft = path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        draft.rename(path)
        _sync(self._folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep every other process and thread out of the folder meanwhile."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _read(path: Path) -> bytes | None:
    """Return the file's content; None when there is none, or it is being destroyed."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return content if any(content) else None


def _blank(descriptor: int) -> None:
    os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size), 0)
    os.fsync(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
