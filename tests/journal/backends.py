"""A store under test, and the journals that a test opens on it."""

import asyncio
import random
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from redis.asyncio import Redis

from service.clock import Clock
from service.journal.behind.composing import bridged
from service.journal.journal import Journal
from service.journal.seal.composing import sealed
from service.journal.stores import connect
from service.meter import Meter
from service.trust.sealkeys import SealKey

TTL_MS = 1_800_000


def orphan(epoch: int, bodies: Sequence[bytes]) -> bytes:
    """Make the fact that tells of a lost branch."""
    return b"orphan of %d: " % epoch + b" ".join(bodies)


class Store:
    """A store, and the journals opened on it as if in several processes.

    A Redis is empty of our keys before, and after it every key of ours must have a time to live.
    """

    def __init__(
        self,
        kind: str,
        url: str,
        *,
        servers: Sequence[str] = (),
        shelves: Path | None = None,
        keys: Sequence[SealKey] = (),
    ) -> None:
        """With a folder for `shelves`, every journal is a bridge to the store; with keys it is sealed.

        A store in memory keeps its keys there, too.
        """
        self.kind = kind
        self.url = url
        self._servers = [url] if kind == "redis" else servers
        self._keys = tuple(keys)
        self._shelves = shelves
        self._journals: list[Journal] = []

    async def journal(self, *, ttl_ms: int = TTL_MS) -> Journal:
        journal: Journal = connect(self.url, ttl_ms=ttl_ms)
        if self._keys:
            journal = sealed(
                self.url, self._keys, tenant_of=lambda _: "", ttl_ms=ttl_ms, engine=journal
            )
        if self._shelves is not None:
            journal = bridged(
                journal,
                self.url,
                folder=str(self._shelves),
                name=f"process-{len(self._journals)}",
                orphan=orphan,
                clock=Clock(),
                meter=Meter(),
                chance=random.Random(1),
            )
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
