"""Streams that come back by the hundred, from a process of their own, over real sockets.

    python -m tests.bench._returns PORT WAY FIRST COUNT

The calls are those that `prepared` wrote, COUNT of them from number FIRST on. WAY is one of WAYS below. Prints
a line of JSON: `first_us`, from the `start` sent to the first audio, of each stream that got one, `whole_us`, from
the connection on, and how many `failed`.
"""

import asyncio
import base64
import json
import os
import re
import secrets
import sys
from collections.abc import Awaitable, Callable
from html import unescape
from typing import cast
from urllib.parse import urlencode

import uvloop
from typing_extensions import override

from service.clock import Clock
from service.simulator import signing
from service.token import TokenMint
from tests.bench._accounts import ACCOUNT

AT_ONCE = 32  # in flight, when as many come back as the server takes
OVER_S = 5.0
HELD_S = 2.0  # streams are open for so long before all are cut
FIRST_S_MAX = 30.0
PING, PONG = 9, 10  # RFC 6455 5.5

Json = dict[str, object]


def name_of(number: int) -> str:
    """Return the CallSid of a prepared call."""
    return f"CA{number:032x}"


class Strand(asyncio.Protocol):
    """One stream: it upgrades, says who it is, and waits for sound."""

    def __init__(self, port: int, stream: str, call_sid: str, token: str) -> None:
        self._clock = Clock()
        self._stream_sid = f"MZ{secrets.token_hex(16)}"
        self._hello = (
            f"GET /media HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}\r\n"
            f"Sec-WebSocket-Version: 13\r\n"
            f"{signing.SOCKET_HEADER}: {signing.signature(ACCOUNT.auth_token, stream)}\r\n\r\n"
        ).encode()
        start = {
            "event": "start", "sequenceNumber": "1", "streamSid": self._stream_sid,
            "start": {"streamSid": self._stream_sid, "accountSid": ACCOUNT.account_sid, "callSid": call_sid,
                      "tracks": ["inbound"], "customParameters": {"token": token},
                      "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}},
        }  # fmt: skip
        self._words = [
            b'{"event":"connected","protocol":"Call","version":"1.0.0"}',
            json.dumps(start).encode(),
        ]
        self.came_us = self._clock.now_us()
        self.started_us = self.first_us = 0
        self._rest = b""
        self.heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, and no subclass
        self._transport.write(self._hello)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        if not self.heard.done():
            self.heard.set_exception(exc or ConnectionError("closed"))

    @override
    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._rest += data
        if not self.started_us:
            if b"\r\n\r\n" not in self._rest:
                return
            self._begin()
        while len(self._rest) >= 2:
            kind, length, at = self._rest[0] & 15, self._rest[1], 2
            if length == 126:
                length, at = int.from_bytes(self._rest[2:4], "big"), 4
            if len(self._rest) < at + length:
                return
            self._take(kind, self._rest[at : at + length])
            self._rest = self._rest[at + length :]

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == PING:
            self._transport.write(_framed(payload, PONG))
        elif not self.first_us and b'"event":"media"' in payload:
            self.first_us = self._clock.now_us()
            self.heard.set_result(None)

    def _begin(self) -> None:
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            self.heard.set_exception(ConnectionError(head[:60]))
            self._transport.abort()
            return
        self._transport.write(b"".join(map(_framed, self._words)))
        self.started_us = self._clock.now_us()

    def cut(self) -> None:
        """Let go without a word."""
        self._transport.abort()


def _framed(text: bytes, kind: int = 1) -> bytes:
    """Return one frame, masked with nothing."""
    if len(text) < 126:
        return bytes((0x80 | kind, 0x80 | len(text))) + b"\0\0\0\0" + text
    return bytes((0x80 | kind, 0xFE)) + len(text).to_bytes(2, "big") + b"\0\0\0\0" + text


class Herd:
    """The calls of one run, and what became of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._url = f"http://127.0.0.1:{port}"
        self._mint = TokenMint((ACCOUNT.auth_token,))
        self._clock = Clock()
        self.strands: dict[int, Strand] = {}
        self.first_us: list[int] = []
        self.whole_us: list[int] = []
        self.failed = 0

    async def dial(self, number: int) -> None:
        """Come with a token of our own making: the carrier had its document before."""
        token = self._mint.issue(
            name_of(number),
            door="resume",
            is_known=True,
            nonce=secrets.token_urlsafe(12),
            now_ms=self._clock.now_ms(),
            opened_ms=number * 1_000 + 1_000,
        )
        await self._come(number, f"ws://127.0.0.1:{self._port}/media", token, self._clock.now_us())

    async def ask(self, number: int) -> None:
        """Ask what to do next, as the carrier does when a stream has ended, and do it."""
        began_us, url = self._clock.now_us(), f"{self._url}/twiml/resume"
        fields = [("CallSid", name_of(number)), ("AccountSid", ACCOUNT.account_sid), ("From", "+15550000002"),
                  ("To", "+15550000001"), ("CallStatus", "in-progress"), ("Direction", "inbound")]  # fmt: skip
        body = urlencode(fields)
        sign = signing.signature(ACCOUNT.auth_token, url, fields)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(
                f"POST /twiml/resume HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nConnection: close\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
                f"{signing.HEADER}: {sign}\r\n\r\n{body}".encode()
            )
            document = (await reader.read()).decode()
            writer.close()
        except OSError:
            self.failed += 1
            return
        stream = re.search(r'<Stream [^>]*url="([^"]+)"', document)
        token = re.search(r'<Parameter name="token" value="([^"]+)"', document)
        if stream is None or token is None:
            self.failed += 1
            return
        await self._come(number, unescape(stream[1]), unescape(token[1]), began_us)

    async def _come(self, number: int, stream: str, token: str, began_us: int) -> None:
        loop = asyncio.get_running_loop()
        strand = Strand(self._port, stream, name_of(number), token)
        try:
            async with asyncio.timeout(FIRST_S_MAX):
                await loop.create_connection(lambda: strand, "127.0.0.1", self._port)
                await strand.heard
        except (OSError, TimeoutError):
            self.failed += 1
            return
        self.strands[number] = strand
        self.first_us.append(strand.first_us - strand.started_us)
        self.whole_us.append(strand.first_us - began_us)

    def cut(self) -> None:
        """Cut all streams, and forget what was measured."""
        for strand in self.strands.values():
            strand.cut()
        self.strands, self.first_us, self.whole_us = {}, [], []

    async def one_by_one(self, numbers: range) -> None:
        """Each comes when the one before was heard."""
        for number in numbers:
            await self.dial(number)

    async def over_a_while(self, numbers: range) -> None:
        """They come one after the other, whatever became of those before."""
        dialled = []
        for number in numbers:
            dialled.append(asyncio.create_task(self.dial(number)))
            await asyncio.sleep(OVER_S / len(numbers))
        await asyncio.gather(*dialled)

    async def at_once(self, numbers: range) -> None:
        """All come in one instant."""
        await asyncio.gather(*map(self.dial, numbers))

    async def cut_at_once(self, numbers: range) -> None:
        """All are there; then all are cut in one instant, and ask what to do."""
        await self.as_fast_as_can_be(numbers)
        await asyncio.sleep(HELD_S)
        self.cut()
        await asyncio.gather(*map(self.ask, numbers))

    async def as_fast_as_can_be(self, numbers: range) -> None:
        """A few at a time, each as soon as another was heard."""
        row = iter(numbers)

        async def next_ones() -> None:
            for number in row:
                await self.dial(number)

        await asyncio.gather(*(next_ones() for _ in range(AT_ONCE)))


WAYS: dict[str, Callable[[Herd, range], Awaitable[None]]] = {
    "single": Herd.one_by_one,
    "spread": Herd.over_a_while,
    "instant": Herd.at_once,
    "cut": Herd.cut_at_once,
    "flat": Herd.as_fast_as_can_be,
}


async def run(port: int, way: str, numbers: range) -> Json:
    """Have the calls come back in one way."""
    herd, clock = Herd(port), Clock()
    began_us = clock.now_us()
    await WAYS[way](herd, numbers)
    return {
        "first_us": sorted(herd.first_us), "whole_us": sorted(herd.whole_us), "failed": herd.failed,
        "took_us": clock.now_us() - began_us,
    }  # fmt: skip


def main() -> None:
    """Run as told."""
    port, way, first, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if (cores := sorted(os.sched_getaffinity(0))) and len(cores) > 1:
        os.sched_setaffinity(0, cores[1:])
    os.nice(5)  # The callers beside, whose holes are counted, come first.
    print(json.dumps(uvloop.run(run(port, way, range(first, first + count)))))  # noqa: T201 - its only output


if __name__ == "__main__":
    main()
