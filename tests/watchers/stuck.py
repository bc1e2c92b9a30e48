"""A watcher that never reads: what it costs the server, and how soon it is let go."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from service.clock import Clock
from tests.fleet.ground import BEARER, Server

RECEIVE_BYTES = 4_096  # full sooner, and no less stuck
LET_GO_S_MAX = 30.0
LOOK_S = 0.1
CLOCK = Clock()


class Stuck:
    """A connection that asks for a call's events, and takes none of them."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self._socket.setblocking(False)  # noqa: FBT003 - called by position

    async def ask(self, port: int, call_sid: str) -> tuple[str, int]:
        """Connect and ask; returns our end's address."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, ("127.0.0.1", port))
        head = f"GET /api/calls/{call_sid}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        credentials = f"Authorization: Bearer {BEARER}\r\nAccept: text/event-stream\r\n\r\n"
        await loop.sock_sendall(self._socket, (head + credentials).encode())
        host, port = self._socket.getsockname()
        return host, port

    def close(self) -> None:
        """Close our end."""
        self._socket.close()


@asynccontextmanager
async def sticking(port: int, calls: list[str], count: int) -> AsyncIterator[set[tuple[str, int]]]:
    """Stick `count` watchers to the server meanwhile. Yields their ends' addresses."""
    stuck = [Stuck() for _ in range(count)]
    sids = [calls[number % len(calls)] for number in range(count)]
    try:
        asked = (one.ask(port, sid) for one, sid in zip(stuck, sids, strict=True))
        yield set(await asyncio.gather(*asked))
    finally:
        for one in stuck:
            one.close()


async def let_go(server: Server, calls: list[str], count: int) -> tuple[list[int], int]:
    """Stick `count` watchers to the server, and look closely; that costs this process its punctuality.

    Returns after how many milliseconds each was let go, and by how many KiB the server grew at most.
    """
    before, most = rss_kib(server.pid), 0
    freed_ms: list[int] = []
    async with sticking(server.port, calls, count) as ends:
        began_ms = CLOCK.now_ms()
        while len(freed_ms) < count and CLOCK.now_ms() < began_ms + LET_GO_S_MAX * 1_000:
            await asyncio.sleep(LOOK_S)
            most = max(most, rss_kib(server.pid) - before)
            free = count - server.held(ends)
            freed_ms += [CLOCK.now_ms() - began_ms] * (free - len(freed_ms))
    return freed_ms, most


def rss_kib(pid: int) -> int:
    """Return how much memory a process has."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])
