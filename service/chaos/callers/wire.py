"""A WebSocket client of a few lines, so that one core carries hundreds of media streams.

    wire = await dial(url, headers)       Refused when the handshake fails
    wire.listen(on_text, on_end)
    wire.send(text) · wire.close(1000) · wire.reset() · wire.freeze()

Only what RFC 6455 needs between the service and a carrier: text frames, ping, close. The masking key is
zero, which the standard allows and which costs the sender nothing; the receiver works as ever.
"""

import asyncio
import base64
import os
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override

from service.chaos.network.incoming import Asking
from service.simulator.webhook import trust

OPEN_S_MAX = 5.0  # Twilio gives a handshake up (31901); its own limit is not published
HEAD_BYTES_MAX = 16_384

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
NO_CLOSE_FRAME = 1006
SWITCHING = 101  # the status that opens a WebSocket
TWO_BYTES, EIGHT_BYTES = 126, 65_536  # RFC 6455, 5.2: lengths from here on take so many bytes

_NO_MASK = b"\x00\x00\x00\x00"


class Refused(Exception):
    """The handshake was answered with another status than 101, 0 when there was no answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the handshake was answered with {status or 'nothing'}")
        self.status = status


class Wire(Asking):
    """One client connection."""

    def __init__(self, request: bytes) -> None:
        super().__init__(request)
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_text: Callable[[bytes], None] = lambda _body: None
        self._on_end: Callable[[int], None] | None = None
        self._has_ended = False
        self._unread = b""
        self._is_open = False
        self._is_frozen = False
        self._code = NO_CLOSE_FRAME

    def listen(self, on_text: Callable[[bytes], None], on_end: Callable[[int], None]) -> None:
        """Tell of each text from now on, and of the end once, with its close code, 1006 for none."""
        self._on_text, self._on_end = on_text, on_end
        if self._has_ended:
            on_end(self._code)

    @override
    def received(self, piece: bytes) -> None:
        self._unread += piece
        if not self._is_open and not self._read_head():
            return
        at = 0
        while (frame := self._frame(at)) is not None:
            opcode, begin, at = frame
            self._take(opcode, self._unread[begin:at])
        self._unread = self._unread[at:]

    def _read_head(self) -> bool:
        head, blank, rest = self._unread.partition(b"\r\n\r\n")
        if not blank:
            if len(self._unread) > HEAD_BYTES_MAX:
                self.reset()
            return False
        status = int(head.split(None, 2)[1])
        if status != SWITCHING:
            self._fail(status)
            self._transport.abort()
            return False
        self._is_open, self._unread = True, rest
        if not self.opened.done():
            self.opened.set_result(None)
        return True

    def _frame(self, at: int) -> tuple[int, int, int] | None:
        """Return a whole frame's opcode, and where its body begins and ends; None when more must come."""
        unread = self._unread
        if len(unread) < at + 2:
            return None
        opcode, length = unread[at] & 0x0F, unread[at + 1]
        assert unread[at] & 0x80, "the service fragments its messages"
        begin = at + 2
        if length >= TWO_BYTES:
            size = 2 if length == TWO_BYTES else 8
            length = int.from_bytes(unread[begin : begin + size])
            begin += size
        return (opcode, begin, begin + length) if len(unread) >= begin + length else None

    def _take(self, opcode: int, body: bytes) -> None:
        match opcode:
            case _ if opcode == TEXT:
                self._on_text(body)
            case _ if opcode == PING:
                self._write(PONG, body)
            case _ if opcode == CLOSE:
                self._code = int.from_bytes(body[:2]) if body else 1005
                self._write(CLOSE, body[:2])
                self._transport.close()
            case _:
                pass

    @property
    def name(self) -> tuple[str, int]:
        """Return the address and port of this end."""
        address, port = self._transport.get_extra_info("sockname")[:2]
        return address, port

    def send(self, text: str) -> None:
        """Send a text; one for a connection that ended is lost, as on any line."""
        self._write(TEXT, text.encode())

    def close(self, code: int) -> None:
        """Send a close frame and end the connection."""
        self._write(CLOSE, code.to_bytes(2))
        self._transport.close()

    def reset(self) -> None:
        """Reset the TCP connection: the other side gets RST."""
        ours = self._transport.get_extra_info("socket")
        if ours is not None and ours.fileno() >= 0:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def freeze(self) -> None:
        """Read nothing any more, and leave the socket open. What is sent still goes out."""
        if not self._is_frozen and not self._transport.is_closing():
            self._is_frozen = True
            self._transport.pause_reading()

    def _write(self, opcode: int, body: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        length = len(body)
        if length < TWO_BYTES:
            head = bytes((0x80 | opcode, 0x80 | length))
        elif length < EIGHT_BYTES:
            head = bytes((0x80 | opcode, 0x80 | TWO_BYTES)) + length.to_bytes(2)
        else:
            head = bytes((0x80 | opcode, 0x80 | 127)) + length.to_bytes(8)
        self._transport.write(head + _NO_MASK + body)

    def _fail(self, status: int) -> None:
        if not self.opened.done():
            self.opened.set_exception(Refused(status))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(0)
        self._has_ended = True
        if self._is_open and self._on_end is not None:
            self._on_end(self._code)


async def dial(
    url: str,
    headers: Mapping[str, str],
    *,
    ours: socket.socket | None = None,
    via: tuple[str, int] | None = None,
) -> Wire:
    """Open a WebSocket, over a socket of one's own or a proxy if given. Raises Refused or OSError."""
    parts = urlsplit(url)
    name, is_sealed = parts.hostname or "", parts.scheme == "wss"
    place = via or (name, parts.port or (443 if is_sealed else 80))
    lines = {
        "Host": parts.netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    request = f"GET {parts.path} HTTP/1.1\r\n{text}\r\n".encode()
    loop = asyncio.get_running_loop()
    ours = ours or socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sealed: dict[str, Any] = {"ssl": trust(), "server_hostname": name} if is_sealed else {}
    try:
        ours.settimeout(0)
        await loop.sock_connect(ours, place)
        _, wire = await loop.create_connection(lambda: Wire(request), sock=ours, **sealed)
    except BaseException:
        ours.close()
        raise
    try:
        async with asyncio.timeout(OPEN_S_MAX):
            await wire.opened
    except BaseException:
        wire.reset()
        raise
    return wire
