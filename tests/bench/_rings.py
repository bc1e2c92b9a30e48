"""A carrier that rings again and again, in a process of its own: signed webhooks on connections that are kept.

    python -m tests.bench._rings PORT CONNECTIONS COUNT

Each connection asks /twiml/voice for a call of its own, and for the next one once it is answered, as a carrier's
pool does; what is asked is made and signed before. Prints one line of JSON: the microseconds that each answer
took, how long all of it lasted, and what this process and the server used meanwhile.
"""

import asyncio
import json
import os
import secrets
import sys
from typing import Any, cast
from urllib.parse import urlencode

import uvloop
from typing_extensions import override

from service.clock import Clock
from service.simulator import signing
from tests.bench._accounts import ACCOUNT
from tests.bench._lines import _told
from tests.bench._used import used

WARM = 300  # calls before those that are counted: what the first ones load is no matter of the rate
ANSWERED_S_MAX = 300


def asked(port: int, number: int) -> bytes:
    """Return the request for one new call, with the fields that Twilio sends."""
    url = f"http://127.0.0.1:{port}/twiml/voice"
    fields = [
        ("AccountSid", ACCOUNT.account_sid), ("ApiVersion", "2010-04-01"), ("CallSid", f"CA{secrets.token_hex(16)}"),
        ("CallStatus", "ringing"), ("Called", "+15550000001"), ("CalledCity", "ANYTOWN"), ("CalledCountry", "US"),
        ("CalledState", "CA"), ("CalledZip", "90210"), ("Caller", f"+1555{number:07d}"), ("CallerCity", "ANYTOWN"),
        ("CallerCountry", "US"), ("CallerState", "CA"), ("CallerZip", "90210"), ("Direction", "inbound"),
        ("From", f"+1555{number:07d}"), ("FromCity", "ANYTOWN"), ("FromCountry", "US"), ("FromState", "CA"),
        ("FromZip", "90210"), ("To", "+15550000001"), ("ToCity", "ANYTOWN"), ("ToCountry", "US"), ("ToState", "CA"),
        ("ToZip", "90210"),
    ]  # fmt: skip
    body = urlencode(fields)
    sign = signing.signature(ACCOUNT.auth_token, url, fields)
    return (
        f"POST /twiml/voice HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {len(body)}\r\n"
        f"User-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n{signing.HEADER}: {sign}\r\n\r\n{body}"
    ).encode()


class Pool:
    """What all connections share: what is still to be asked, and what the answers took."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = iter(requests)
        self.clock = Clock()
        self.each_us: list[int] = []

    def next(self) -> bytes | None:
        """Return the next request, None after the last."""
        return next(self._requests, None)


class Connection(asyncio.Protocol):
    """One connection: it asks, reads the answer, and asks again. `done` is when nothing is left to ask."""

    def __init__(self, pool: Pool) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pool = pool
        self._buffer = b""
        self._since_us = 0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, and no subclass
        self._ask()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("closed"))

    @override
    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._pool.each_us.append(self._pool.clock.now_us() - self._since_us)
        if b" 200 " not in head[:16] or b"<Stream " not in body:
            self.done.set_exception(ConnectionError(self._buffer[:300]))
            return
        self._buffer = b""
        self._ask()

    def _ask(self) -> None:
        request = self._pool.next()
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._since_us = self._pool.clock.now_us()
        self._transport.write(request)


def _length(head: bytes) -> int:
    at = head.lower().index(b"content-length:") + len(b"content-length:")
    return int(head[at:].split(b"\r\n", 1)[0])


async def rung(port: int, connections: int, requests: list[bytes]) -> list[int]:
    """Ask all of these, and return what each answer took, in microseconds."""
    pool, loop = Pool(requests), asyncio.get_running_loop()
    async with asyncio.timeout(ANSWERED_S_MAX):
        made: list[Connection] = []
        for _ in range(connections):
            _, one = await loop.create_connection(lambda: Connection(pool), "127.0.0.1", port)
            made.append(one)
        await asyncio.gather(*(one.done for one in made))
    return pool.each_us


async def run(port: int, connections: int, count: int) -> dict[str, Any]:
    """Ring so many times, after a few that are not counted."""
    await rung(port, connections, [asked(port, number) for number in range(WARM)])
    requests = [asked(port, number) for number in range(WARM, WARM + count)]
    before, mine, clock = await _told(port), used()["cpu_us"], Clock()
    began_us = clock.now_us()
    each_us = await rung(port, connections, requests)
    took_us, callers_us = clock.now_us() - began_us, used()["cpu_us"] - mine
    after = await _told(port)
    return {
        "each_us": sorted(each_us), "took_us": took_us, "callers_us": callers_us,
        "cpu_us": after["cpu_us"] - before["cpu_us"],
    }  # fmt: skip


def main() -> None:
    """Ring as told."""
    if len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, cores[1:])
    print(json.dumps(uvloop.run(run(*map(int, sys.argv[1:4])))))  # noqa: T201 - its only output


if __name__ == "__main__":
    main()
