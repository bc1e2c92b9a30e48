"""A store under test, and the journals that a test opens on it."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from service.journal.journal import Journal
from service.journal.stores import connect

TTL_MS = 1_800_000


class Store:
    """A store under test, and the journals that a test opened on it, as if in several processes."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind = kind
        self.url = url
        self._journals: list[Journal] = []

    async def journal(self, *, ttl_ms: int = TTL_MS) -> Journal:
        journal = connect(self.url, ttl_ms=ttl_ms)
        self._journals.append(journal)
        await journal.start()
        return journal

    async def close(self) -> None:
        for journal in self._journals:
            await journal.close()


def store_of(kind: str, folder: Path) -> Store:
    if kind == "memory":
        return Store(kind, "sqlite://:memory:")
    return Store(kind, f"sqlite:///{folder}/var/calls.db")


async def run_writer(url: str, call_sid: str, name: str, *, count: int) -> Process:
    """Start tests/journal/writer.py in a process of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.journal.writer",
        url,
        call_sid,
        name,
        str(count),
        stdout=PIPE,
        cwd=Path(__file__).parents[2],
    )
