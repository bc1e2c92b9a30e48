"""Strangers at the door (S-3): silent ones, halves of a request, and upgrades without a start, thousands each.

Each kind must be let go within ten seconds, and the calls beside must not notice.
"""

import asyncio
import socket
from contextlib import suppress

from service.chaos.report import Report
from service.chaos.settling import answers_ms
from service.simulator import signing
from tests.fleet.ground import ACCOUNT, Server
from tests.fleet.options import Options

GONE_MS_MAX = 10_000
CAME_MS_MAX = 5_000  # for all of a kind to be there; who came late would be let go late
EVERY_MS = 1_000
JITTER_MS_MAX = 5  # what the calls beside may notice at p99, on a calm machine
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


async def run(options: Options) -> Report:
    """Let `strangers` of each kind come beside `calls` calls."""
    report = Report("strangers", calls=options.calls, strangers=options.strangers)
    async with options.ground(servers=1) as ground:
        server, crowd = ground.servers[0], ground.crowd
        calls = await crowd.gather(options.calls)
        crowd.press_on(every_ms=EVERY_MS, seed=options.seed)
        await asyncio.sleep(options.seconds)
        before = answers_ms(calls)
        report.spread("key to answer, before", before)
        for name, words in _kinds(ground.balancer.url).items():
            gone = await asyncio.gather(
                *(_stranger(server, words) for _ in range(options.strangers))
            )
            ended = [one for one in gone if one is not None]
            report.spread(f"{name}: until let go", ended, worst_max=GONE_MS_MAX)
            report.count(f"{name}: never let go", len(gone) - len(ended))
        crowd.press_on(every_ms=0, seed=0)
        meanwhile = answers_ms(calls)[len(before) :]
        report.spread("key to answer, meanwhile", meanwhile)
        more_ms = max(0, _p99(meanwhile) - _p99(before))
        report.count("more at p99, ms", more_ms, at_most=JITTER_MS_MAX * options.slack)
        report.count("calls' streams lost", sum(len(one.span.strands) - 1 for one in calls))
    return report


def _kinds(public_url: str) -> dict[str, bytes]:
    place = public_url.replace("http", "ws", 1) + "/media"
    sign = signing.signature(ACCOUNT.auth_token, place)
    lines = [
        "GET /media HTTP/1.1",
        "Host: fleet",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
        f"{signing.SOCKET_HEADER}: {sign}",
    ]
    whole = "\r\n".join([*lines, "", ""]).encode()
    return {"silent": b"", "half a request": whole[:-40], "no start": whole}


async def _stranger(server: Server, words: bytes) -> int | None:
    """Come, say so much and no more; return after how many ms we were let go, None if never."""
    loop = asyncio.get_running_loop()
    with socket.socket() as mine:
        mine.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        try:
            async with asyncio.timeout(CAME_MS_MAX / 1000):
                await loop.sock_connect(mine, ("127.0.0.1", server.port))
                await loop.sock_sendall(mine, words)
        except (OSError, TimeoutError):
            return 0
        came_s = loop.time()
        with suppress(ConnectionError):
            try:
                async with asyncio.timeout(2 * GONE_MS_MAX / 1000):
                    while await loop.sock_recv(mine, 4_096):
                        pass
            except TimeoutError:
                return None
        return round((loop.time() - came_s) * 1_000)


def _p99(values: list[int]) -> int:
    return sorted(values)[len(values) * 99 // 100] if values else 0
