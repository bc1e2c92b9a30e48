"""A small balancer that follows every server's /readyz.

New connections are led to the ready servers in turn, old ones stay where they are. With no server ready
the answer is 503, as strict balancers have it.
"""

import asyncio
from contextlib import suppress
from typing import Any

import httpx2
from typing_extensions import override

from service.chaos.network.incoming import Incoming
from service.simulator.webhook import trust

POLL_S = 0.25
CHECK_S_MAX = 2.0
SILENCES_MAX = 3
CONNECT_S_MAX = 2.0

NOBODY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class _End(Incoming):
    """One end of a forwarded connection; what it gets goes to the other end."""

    def __init__(self) -> None:
        self.other: _End | None = None
        self.transport: Any = None
        self._early: list[bytes] = []

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def join(self, other: "_End") -> None:
        """Forward to `other` from now on, what came before included."""
        self.other, other.other = other, self
        for piece in self._early:
            other.transport.write(piece)
        self._early.clear()

    @override
    def received(self, piece: bytes) -> None:
        if self.other is None:
            self._early.append(piece)
        elif not self.other.transport.is_closing():
            self.other.transport.write(piece)

    @override
    def pause_writing(self) -> None:
        if self.other is not None:
            with suppress(RuntimeError):
                self.other.transport.pause_reading()

    @override
    def resume_writing(self) -> None:
        if self.other is not None:
            with suppress(RuntimeError):
                self.other.transport.resume_reading()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.abort() if exc is not None else self.other.transport.close()


class _Door(_End):
    """The client's end; it looks for a server as soon as somebody is there."""

    def __init__(self, balancer: "Balancer") -> None:
        super().__init__()
        self._balancer = balancer

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._balancer.spawn(self)


class Balancer:
    """Forwards connections. `ports` are all servers, `ready` those that may get new ones."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.ready: list[int] = []
        self.refused = 0
        self._silences: dict[int, int] = {}
        self._turn = 0
        self._server: asyncio.Server | None = None
        self._polling: asyncio.Task[None] | None = None
        self._leading: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Return the address that carriers and servers know."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        """Listen, and begin to ask."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Door(self), "127.0.0.1", 0, backlog=2_048)
        self._polling = asyncio.create_task(self._poll())

    async def close(self) -> None:
        """Stop. Connections end with the processes at their ends."""
        if self._server is not None:
            self._server.close()
        tasks = [*self._leading, *([self._polling] if self._polling else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def spawn(self, door: _End) -> None:
        """Lead a new connection to a server."""
        task = asyncio.get_running_loop().create_task(self._lead(door))
        self._leading.add(task)
        task.add_done_callback(self._leading.discard)

    def choose(self) -> int:
        """Return the port of the ready server whose turn it is, 0 when there is none."""
        return next(iter(self.turns()), 0)

    def turns(self) -> list[int]:
        """Return every ready server's port, beginning with the one whose turn it is."""
        self._turn += 1
        first = self._turn % max(1, len(self.ready))
        return self.ready[first:] + self.ready[:first]

    async def _lead(self, door: _End) -> None:
        # One that is gone is not known to be gone at once, so each is tried, whoever else comes meanwhile.
        for port in self.turns():
            try:
                async with asyncio.timeout(CONNECT_S_MAX):
                    _, back = await asyncio.get_running_loop().create_connection(
                        _End, "127.0.0.1", port
                    )
            except (OSError, TimeoutError):
                continue
            door.join(back)
            if door.transport.is_closing():
                back.transport.abort()
            return
        self.refused += 1
        if not door.transport.is_closing():
            door.transport.write(NOBODY)
            door.transport.close()

    async def look(self) -> None:
        """Ask every server now."""
        async with httpx2.AsyncClient(timeout=CHECK_S_MAX, trust_env=False, verify=trust()) as http:
            ports = list(self.ports)
            answers = await asyncio.gather(*(_is_ready(http, port) for port in ports))
        for port, is_ready in zip(ports, answers, strict=True):
            # Who says no is out at once; who says nothing has a few more tries, as balancers have it.
            self._silences[port] = 0 if is_ready is not None else self._silences.get(port, 0) + 1
        self.ready = [
            port
            for port, is_ready in zip(ports, answers, strict=True)
            if is_ready or (is_ready is None and self._is_trusted(port))
        ]

    def _is_trusted(self, port: int) -> bool:
        return port in self.ready and self._silences[port] < SILENCES_MAX

    async def _poll(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(POLL_S)


async def _is_ready(http: httpx2.AsyncClient, port: int) -> bool | None:
    """Say what the server says, None when it says nothing in time."""
    try:
        return (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == httpx2.codes.OK
    except httpx2.TimeoutException:
        return None
    except httpx2.HTTPError:
        return False
