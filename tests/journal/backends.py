"""A store under test, and the journals that a test opens on it."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from redis.asyncio import Redis

from service.journal.journal import Journal
from service.journal.stores import connect

TTL_MS = 1_800_000


class Store:
    """A store, and the journals opened on it as if in several processes.

    A Redis is empty of our keys before, and after it every key of ours must have a time to live.
    """

    def __init__(self, kind: str, url: str, *, servers: Sequence[str] = ()) -> None:
        self.kind = kind
        self.url = url
        self._servers = [url] if kind == "redis" else servers
        self._journals: list[Journal] = []

    async def journal(self, *, ttl_ms: int = TTL_MS) -> Journal:
        journal = connect(self.url, ttl_ms=ttl_ms)
        self._journals.append(journal)
        await journal.start()
        return journal

    def client(self) -> Redis:
        return Redis.from_url(self.url)

    async def __aenter__(self) -> Self:
        for server in self._servers:
            async with Redis.from_url(server) as client:
                async for key in client.scan_iter("stayline:*"):
                    await client.delete(key)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for journal in self._journals:
            await journal.close()
        for server in self._servers if error is None else ():
            async with Redis.from_url(server) as client:
                async for key in client.scan_iter("stayline:*"):
                    assert await client.pttl(key) != -1, f"{key!r} would live for ever"


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
