"""A WebSocket client that breaks every rule on purpose: bytes over TCP, and what came back.

RFC 6455 is followed only where a test wants it to be.
"""

import asyncio
import contextlib
import itertools
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from tests.web.front import signature

END_S_MAX = 2.0  # a peer that breaks the protocol is gone by then
MASK = b"\x37\xfa\x21\x3d"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
    length: bytes | None = None,
) -> bytes:
    """Return one frame; `length` is written in the place of the shortest true one."""
    written = _length(len(payload)) if length is None else length
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    second = (0x80 if masked else 0) | written[0]
    body = bytes(one ^ MASK[at % 4] for at, one in enumerate(payload)) if masked else payload
    return bytes((first, second)) + written[1:] + (MASK if masked else b"") + body


def close(code: int, reason: bytes = b"") -> bytes:
    """Return a close frame."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


def pieces(opcode: int, payload: bytes, cuts: Sequence[int], *between: bytes) -> bytes:
    """Return a message in fragments, cut at these places, with frames between any two of them."""
    edges = [0, *cuts, len(payload)]
    parts = [payload[a:b] for a, b in itertools.pairwise(edges)]
    frames = [
        frame(CONT if at else opcode, part, fin=at == len(parts) - 1)
        for at, part in enumerate(parts)
    ]
    return b"".join(between).join(frames)


def _length(size: int) -> bytes:
    if size < 126:
        return bytes((size,))
    return b"\x7e" + struct.pack("!H", size) if size < 65_536 else b"\x7f" + struct.pack("!Q", size)


@dataclass
class End:
    """All that a peer was sent until the connection ended."""

    frames: list[tuple[int, bytes]] = field(default_factory=list)
    rest: bytes = b""

    @property
    def code(self) -> int | None:
        """The code of the close frame; 1005 for one without, None when there was no close frame."""
        told = next((body for opcode, body in self.frames if opcode == CLOSE), None)
        if told is None:
            return None
        return int.from_bytes(told[:2]) if told else 1005

    def of(self, opcode: int) -> list[bytes]:
        """Return the payloads of these frames."""
        return [body for kind, body in self.frames if kind == opcode]


class RawSocket:
    """One TCP connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, raw: bytes) -> None:
        """Send all at once; a peer that is closed already takes nothing more, which is no failure."""
        with contextlib.suppress(ConnectionError):
            self.writer.write(raw)
            await self.writer.drain()

    async def drip(self, raw: bytes) -> End:
        """Send byte by byte, each in a segment of its own, until the server has had enough."""
        ending = asyncio.create_task(self.ended())
        for at in range(len(raw)):
            await self.send(raw[at : at + 1])
            for _ in range(3):
                await asyncio.sleep(0)
            if ending.done():
                break
        return await ending

    async def status(self) -> int:
        """Return the status of the answer to a request; 0 when the connection ended without one."""
        async with asyncio.timeout(END_S_MAX):
            try:
                head = await self.reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return 0
        self.head = head
        return int(head.split(b" ", 2)[1])

    async def frame(self) -> tuple[int, bytes]:
        """Return the next whole frame of the server. Raises EOFError at the end."""
        first, second = await self.reader.readexactly(2)
        assert not second & 0x80, "a server masks nothing (RFC 6455 5.1)"
        assert not first & 0x70, "no extension was agreed (RFC 6455 5.2)"
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
        return first & 0x0F, await self.reader.readexactly(size)

    async def ended(self) -> End:
        """Return what came until the server let go; the test fails when it does not in time."""
        end = End()
        async with asyncio.timeout(END_S_MAX):
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    end.frames.append(await self.frame())
        return end


@contextlib.asynccontextmanager
async def connected(host: str) -> AsyncIterator[RawSocket]:
    """A bare TCP connection."""
    address, _, port = host.rpartition(":")
    reader, writer = await asyncio.open_connection(address, int(port))
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        yield RawSocket(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def request(*, line: str = "GET /media HTTP/1.1", without: str = "", **changes: str) -> bytes:
    """Return a request to upgrade, signed as Twilio signs it; `_` in a header's name stands for `-`."""
    headers = {
        "host": "calls.example.com",
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-key": KEY,
        "sec-websocket-version": "13",
        "x-twilio-signature": signature("wss://calls.example.com/media"),
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    lines = [f"{name}: {value}" for name, value in headers.items() if name != without]
    return "\r\n".join([line, *lines, "", ""]).encode("latin-1")


@contextlib.asynccontextmanager
async def upgraded(host: str) -> AsyncIterator[RawSocket]:
    """A media socket on which nothing was said yet."""
    async with connected(host) as raw:
        await raw.send(request())
        assert await raw.status() == 101
        yield raw
