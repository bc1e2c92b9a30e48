"""Strangers at the door (S-3): silent ones, halves of a request, and upgrades without a start, thousands each.

Each kind must be let go within ten seconds, and no call beside may lose its stream.
"""

import asyncio
import socket
from contextlib import suppress

from service.chaos.callers.settling import answers_ms
from service.chaos.report import Report
from service.simulator import signing
from service.simulator.account import Account
from tests.fleet.ground import ACCOUNT
from tests.fleet.options import Options

GONE_MS_MAX = 10_000
CAME_MS_MAX = 5_000  # for all of a kind to be there; who came late would be let go late
EVERY_MS = 1_000
WARM_S = 8.0  # greetings of all calls at once are no measure
MORE_MS_MAX = 25  # what the calls beside may notice, on a machine of two cores
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


async def run(options: Options) -> Report:
    """Let `strangers` of each kind come beside `calls` calls."""
    report = Report("strangers", calls=options.calls, strangers=options.strangers)
    async with options.ground(servers=1) as ground:
        server, crowd = ground.servers[0], ground.crowd
        calls = await crowd.gather(options.calls)
        crowd.press_on(every_ms=EVERY_MS, seed=options.seed)
        await asyncio.sleep(WARM_S)
        warm_ms = crowd.clock.now_ms()
        await asyncio.sleep(options.seconds)
        came_ms = crowd.clock.now_ms()
        before = answers_ms(calls, from_ms=warm_ms, until_ms=came_ms)
        report.spread("key to answer, before", before)
        for name, words in kinds(ground.balancer.url, ACCOUNT).items():
            gone = await asyncio.gather(
                *(stranger(server.port, words) for _ in range(options.strangers))
            )
            ended = [one for one in gone if one is not None]
            report.spread(f"{name}: until let go", ended, worst_max=GONE_MS_MAX)
            report.count(f"{name}: never let go", len(gone) - len(ended))
        crowd.press_on(every_ms=0, seed=0)
        meanwhile = answers_ms(calls, from_ms=came_ms)
        report.spread("key to answer, meanwhile", meanwhile)
        # The strangers come from the callers' own process, whose lag is in what the callers measure.
        more_ms = max(0, _median(meanwhile) - _median(before))
        report.count("more at p50, ms", more_ms, at_most=MORE_MS_MAX * options.slack)
        report.count("the crowd's own lag, ms", crowd.lag_ms_max, at_most=None)
        report.count("calls' streams lost", sum(len(one.span.strands) - 1 for one in calls))
    return report


def kinds(public_url: str, account: Account) -> dict[str, bytes]:
    """Return what strangers of each kind say."""
    place = public_url.replace("http", "ws", 1) + "/media"
    sign = signing.signature(account.auth_token, place)
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


async def stranger(port: int, words: bytes) -> int | None:
    """Come, say so much and no more; return after how many ms we were let go, None if never."""
    loop = asyncio.get_running_loop()
    with socket.socket() as mine:
        mine.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        try:
            async with asyncio.timeout(CAME_MS_MAX / 1000):
                await loop.sock_connect(mine, ("127.0.0.1", port))
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


def _median(values: list[int]) -> int:
    return sorted(values)[len(values) // 2] if values else 0
