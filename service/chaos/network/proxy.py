"""A TCP proxy that harms the connections which it carries, each by order or by the weather it has.

    carrier ── near ──┐ Link ┌── far ── service
                      └──────┘

A link is found by the carrier's own end: `proxy.link(wire.name)`.
"""

import asyncio
import random
from collections.abc import Callable

from service.chaos.network.lane import CALM, Weather
from service.chaos.network.link import Link, Side
from service.clock import Clock

HOST = "127.0.0.1"
CONNECT_S_MAX = 2.0
TRIES = 2  # a server that is gone is not known to be gone at once
LINKS_MAX = 100_000  # of one run, the ended ones included

NOBODY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

Target = tuple[str, int]


class Proxy:
    """Carries connections to where `choose` says; `weather` draws the weather of each new one."""

    def __init__(
        self,
        choose: Callable[[], Target | None],
        *,
        chance: random.Random,
        clock: Clock,
        weather: Callable[[], Weather] = lambda: CALM,
    ) -> None:
        self.links: dict[tuple[str, int], Link] = {}
        self.refused = 0
        self._choose = choose
        self._chance = chance
        self._clock = clock
        self._weather = weather
        self._server: asyncio.Server | None = None
        self._leading: set[asyncio.Task[None]] = set()

    @property
    def place(self) -> Target:
        """Return where it listens."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def start(self) -> None:
        """Listen on a free port of this machine."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._met, HOST, 0, backlog=2_048)

    async def close(self) -> None:
        """Stop, and reset whatever is still carried."""
        if self._server is not None:
            self._server.close()
        for task in self._leading:
            task.cancel()
        await asyncio.gather(*self._leading, return_exceptions=True)
        for link in self.links.values():
            link.reset()

    def link(self, name: tuple[str, int]) -> Link | None:
        """Return the newest link whose carrier's end has this address and port."""
        return self.links.get(name)

    def _met(self) -> Side:
        assert len(self.links) < LINKS_MAX, "this run opens connections without end"
        link = Link(self._weather(), self._chance, opened=self._lead, now_ms=self._clock.now_ms)
        return link.near

    def _lead(self, link: Link) -> None:
        self.links[link.near.peer] = link
        task = asyncio.get_running_loop().create_task(self._join(link))
        self._leading.add(task)
        task.add_done_callback(self._leading.discard)

    async def _join(self, link: Link) -> None:
        for _ in range(TRIES):
            target = self._choose()
            if target is not None and await _connected(link, target):
                link.port = target[1]
                link.join()
                return
        self.refused += 1
        link.near.write(NOBODY)
        link.near.close()


async def _connected(link: Link, target: Target) -> bool:
    try:
        async with asyncio.timeout(CONNECT_S_MAX):
            await asyncio.get_running_loop().create_connection(lambda: link.far, *target)
    except (OSError, TimeoutError):
        return False
    return True
