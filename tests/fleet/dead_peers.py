"""Peers that die without a word (O-3, G7): half-open ones, and stopped readers, who send on and read nothing.

All of them must be freed within six seconds, while bystanders talk on. Then their calls end, and the
server is as it was before they came.
"""

import asyncio
import socket
from urllib.parse import urlsplit

from service.chaos.callers.crowd import Crowd, LightPhone
from service.chaos.callers.settling import answers_ms
from service.chaos.callers.span import Detour
from service.chaos.report import Report
from service.chaos.waiting import until
from tests.fleet.elsewhere import HERE, Elsewhere, is_possible
from tests.fleet.ground import Ground, Server
from tests.fleet.options import Options

FREED_MS_MAX = 6_000
WATCH_MS_MAX = 30_000
TASKS_S_MAX = 15.0
LOOK_S = 0.1
BYSTANDERS = 10
EVERY_MS = 1_000
RECEIVE_BYTES = 4_096  # a reader with a small buffer is full sooner, and no less stopped
SENTENCES = 100
POOL_MAX = 20  # connections to the store and the carrier that are kept for the next time
EVERYWHERE = "0.0.0.0"  # noqa: S104 - the far place must reach the server


async def run(options: Options) -> Report:
    """Let `calls` peers of each kind die, one kind after the other."""
    report = Report("dead_peers", calls=options.calls, store=options.store, namespace=is_possible())
    story = str(SENTENCES)
    async with options.ground(servers=1, HOST=EVERYWHERE, FLEET_STORY=story) as ground:
        server, crowd = ground.servers[0], ground.crowd
        bystanders = await crowd.gather(BYSTANDERS)
        crowd.press_on(every_ms=EVERY_MS, seed=options.seed)
        tasks, descriptors = await server.tasks(), server.descriptors()
        await _half_open(options, ground, report)
        await _stopped(options, ground, report)
        report.count("tasks beyond those before", await _left(server, tasks))
        more = max(0, server.descriptors() - descriptors)
        report.count("descriptors beyond those before", more, at_most=POOL_MAX)
        crowd.press_on(every_ms=0, seed=0)
        strands = sum(len(one.span.strands) for one in bystanders)
        report.count("bystanders' streams dropped", strands - BYSTANDERS)
        report.spread("bystanders: key to answer", answers_ms(bystanders))
    return report


async def _half_open(options: Options, ground: Ground, report: Report) -> None:
    server, crowd = ground.servers[0], ground.crowd
    if not is_possible():
        peers = await crowd.gather(options.calls, detour=_direct(server))
        for peer in peers:
            peer.span.freeze(is_mute=True)
        await _watch(report, "half-open (sockets that stay)", crowd, server, peers)
        return
    async with Elsewhere() as elsewhere:

        async def far(url: str) -> tuple[str, socket.socket]:
            return f"ws://{HERE}:{server.port}{urlsplit(url).path}", await elsewhere.bare_socket()

        peers = await crowd.gather(options.calls, detour=far)
        await elsewhere.cut()
        for peer in peers:
            peer.span.freeze(is_mute=True)
        await _watch(report, "half-open (network gone)", crowd, server, peers)


async def _stopped(options: Options, ground: Ground, report: Report) -> None:
    server, crowd = ground.servers[0], ground.crowd
    peers = await crowd.gather(options.calls, detour=_direct(server))
    for peer in peers:
        peer.span.freeze(is_mute=False)
    await _watch(report, "stopped readers", crowd, server, peers)


def _direct(server: Server) -> Detour:
    async def near(url: str) -> tuple[str, socket.socket]:
        ours = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        return f"ws://127.0.0.1:{server.port}{urlsplit(url).path}", ours

    return near


async def _watch(
    report: Report, name: str, crowd: Crowd, server: Server, peers: list[LightPhone]
) -> None:
    """Note when each socket of the dead comes free; then end their calls."""
    began_ms = crowd.clock.now_ms()
    names = {peer.span.strand.wire.name for peer in peers if peer.span.strand is not None}
    freed_ms: list[int] = []
    while len(freed_ms) < len(peers) and crowd.clock.now_ms() < began_ms + WATCH_MS_MAX:
        await asyncio.sleep(LOOK_S)
        free = len(peers) - server.held(names)
        freed_ms += [crowd.clock.now_ms() - began_ms] * (free - len(freed_ms))
    report.spread(f"{name}: until freed", freed_ms, worst_max=FREED_MS_MAX)
    report.count(f"{name}: never freed", len(peers) - len(freed_ms))
    for peer in peers:
        peer.span.drop()
    await asyncio.gather(*(peer.hang_up() for peer in peers))


async def _left(server: Server, before: int) -> int:
    """Return how many tasks there are more than before, once no more of them end."""

    async def is_as_before() -> bool:
        return await server.tasks() <= before

    await until(is_as_before, within_s=TASKS_S_MAX)
    return max(0, await server.tasks() - before)
