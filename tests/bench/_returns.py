"""Streams that come back by the hundred, from a process of their own, over real sockets.

    python -m tests.bench._returns PORT WAY FIRST COUNT

The calls are those that `prepared` wrote, COUNT of them from number FIRST on. WAY is one of WAYS below. Prints
a line of JSON: `first_us`, from the `start` sent to the first audio, of each stream that got one, `whole_us`, from
the connection on, and how many `failed`.
"""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import uvloop
from typing_extensions import override

from service.clock import Clock
from service.simulator import signing
from service.trust.token import TokenMint
from tests.bench._accounts import ACCOUNT
from tests.bench._wire import Wire, way_in

AT_ONCE = 32  # in flight, when as many come back as the server takes
OVER_S = 5.0
HELD_S = 2.0  # streams are open for so long before all are cut
FIRST_S_MAX = 30.0

Json = dict[str, object]


def name_of(number: int) -> str:
    """Return the CallSid of a prepared call."""
    return f"CA{number:032x}"


class Strand(Wire):
    """One stream that waits for sound."""

    def __init__(self, port: int, stream: str, call_sid: str, token: str) -> None:
        super().__init__(port, stream, call_sid, token)
        self.first_us = 0
        self.heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    def take(self, payload: bytes) -> None:
        """Note when the first sound came."""
        if not self.first_us and b'"event":"media"' in payload:
            self.first_us = self._clock.now_us()
            if not self.heard.done():  # Nobody waits any more.
                self.heard.set_result(None)

    @override
    def lost(self, why: Exception) -> None:
        """Nothing will be heard."""
        super().lost(why)
        if not self.heard.done():
            self.heard.set_exception(why)


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
        way = way_in(document)
        if way is None:
            self.failed += 1
            return
        await self._come(number, *way, began_us)

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
