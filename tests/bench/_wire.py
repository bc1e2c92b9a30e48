"""The carrier's half of a media stream, no more than a bench needs: an upgrade, who it is, frames both ways."""

import asyncio
import base64
import json
import re
import secrets
from html import unescape
from typing import cast

from typing_extensions import override

from service.clock import Clock
from service.simulator import signing
from tests.bench._accounts import ACCOUNT

TEXT, PING, PONG = 1, 9, 10  # RFC 6455 5.2
CONNECTED = b'{"event":"connected","protocol":"Call","version":"1.0.0"}'


class Wire(asyncio.Protocol):
    """One stream: it upgrades, says who it is, and hands on what comes.

    `opened` is done when it has said so, or fails with why it could not.
    """

    def __init__(self, port: int, stream: str, call_sid: str, token: str) -> None:
        self.stream_sid = f"MZ{secrets.token_hex(16)}"
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_open = False
        self.started_us = 0  # when it had said who it is
        self._clock = Clock()
        self._hello, self._start = greeting(port, stream, call_sid, token, self.stream_sid)
        self._buffer = b""

    def take(self, payload: bytes) -> None:
        """Be told a message."""
        raise NotImplementedError

    def lost(self, why: Exception) -> None:
        """Be told that there is no stream, or no longer one."""
        self.is_open = False
        if not self.opened.done():
            self.opened.set_exception(why)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, and no subclass
        self._transport.write(self._hello)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.lost(exc or ConnectionError("closed"))

    @override
    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._buffer += data
        if not self.is_open and not self._has_begun():
            return
        while len(self._buffer) >= 2:
            kind, length, at = self._buffer[0] & 15, self._buffer[1], 2
            if length == 126:
                length, at = int.from_bytes(self._buffer[2:4], "big"), 4
            if len(self._buffer) < at + length:
                return
            payload, self._buffer = self._buffer[at : at + length], self._buffer[at + length :]
            if kind == PING:
                self.write(payload, PONG)
            elif kind == TEXT:
                self.take(payload)

    def _has_begun(self) -> bool:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            self.lost(ConnectionError(head[:60]))
            self.cut()
            return False
        self._buffer, self.is_open = rest, True
        self._transport.write(_framed(CONNECTED) + _framed(self._start))
        self.started_us = self._clock.now_us()
        self.opened.set_result(None)
        return True

    def write(self, text: bytes, kind: int = TEXT) -> None:
        """Send one frame."""
        self._transport.write(_framed(text, kind))

    def cut(self) -> None:
        """Let go without a word."""
        self._transport.abort()


def greeting(
    port: int, stream: str, call_sid: str, token: str, stream_sid: str
) -> tuple[bytes, bytes]:
    """Return the request to upgrade, and the message that says who the stream is."""
    hello = (
        f"GET /media HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}\r\n"
        f"Sec-WebSocket-Version: 13\r\n"
        f"{signing.SOCKET_HEADER}: {signing.signature(ACCOUNT.auth_token, stream)}\r\n\r\n"
    )
    start = {
        "event": "start", "sequenceNumber": "1", "streamSid": stream_sid,
        "start": {"streamSid": stream_sid, "accountSid": ACCOUNT.account_sid, "callSid": call_sid,
                  "tracks": ["inbound"], "customParameters": {"token": token},
                  "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}},
    }  # fmt: skip
    return hello.encode(), json.dumps(start).encode()


def _framed(text: bytes, kind: int = TEXT) -> bytes:
    """Return one frame, masked with nothing: the key is zero, the server's work is the same."""
    size = len(text)
    if size < 126:
        return bytes((0x80 | kind, 0x80 | size)) + b"\0\0\0\0" + text
    return bytes((0x80 | kind, 0xFE)) + size.to_bytes(2, "big") + b"\0\0\0\0" + text


def way_in(document: str) -> tuple[str, str] | None:
    """Return the stream's address and its token, as a document of ours names them."""
    stream = re.search(r'<Stream [^>]*url="([^"]+)"', document)
    token = re.search(r'<Parameter name="token" value="([^"]+)"', document)
    return None if stream is None or token is None else (unescape(stream[1]), unescape(token[1]))
