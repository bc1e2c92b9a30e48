"""The harms of a run: small ones to one stream, grave ones to a server or the store, one of those at a time."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import assert_never

import msgspec

from service.chaos.callers.chance import chance
from service.chaos.callers.crowd import LightPhone
from service.chaos.callers.strand import Strand
from service.chaos.ground import Ground
from service.chaos.network.link import Link
from service.chaos.plan import Drop, LinkDrop
from service.chaos.servers.server import Server
from service.chaos.waiting import until

# How long a harm that the service isn't told of lasts, at least and at most.
HOLD_MS = (2_000, 8_000)
DARK_S = 15.0  # a blackhole is for the service to find; a carrier that nobody asks does at last
FREEZE_MS = (800, 2_500)  # under the three seconds of silence after which a stream is given up
PAUSE_MS = (300, 2_000)
AT_WORK_ODDS = 4  # one drop of so many seeks a call whose tool is at work
CODES = (1000, 1001, 1011, 1012)  # what proxies, deploys and clean ends send
REACH_S = 0.1  # a `stop` that is to come late is first to reach the proxy
LEFT_S_MAX = 30.0
MAY_COME_S_MAX = 60.0  # then it comes all the same
CALM_S = 0.3  # after a pause, before the next harm of the kind; a kill waits for more
KNOWN_S = (
    2.0  # and what was heard in the pause is known by then: an echo, and a write behind others
)


class Dropped(msgspec.Struct, frozen=True):
    """One drop: whose stream, the how manieth, when, and by what."""

    kind: str
    phone: LightPhone
    strand: int
    at_us: int
    link: Link


class Harms:
    """Does what chance says, and remembers it."""

    def __init__(self, ground: Ground) -> None:
        self.dropped: list[Dropped] = []
        self.kinds: Counter[str] = Counter()
        self.weathers: Counter[str] = Counter()
        self.killed: list[tuple[int, int]] = []  # a server's port, and when, in microseconds
        self._ground = ground
        self._chance = chance(ground.plan.seed)
        self._alone = asyncio.Lock()
        self._beside: set[asyncio.Task[None]] = set()
        self._failed: list[BaseException] = []
        self.is_killing = False
        self._last_us: dict[str, int] = {}

    def candidates(self, apart_us: int) -> list[LightPhone]:
        """Return the callers whose stream can be dropped, and wasn't for a while."""
        now_us = self._ground.clock.now_us()
        return [
            phone
            for phone in self._ground.crowd.live
            if now_us - self._last_us.get(phone.call_sid, 0) >= apart_us
            and (link := self.link(phone)) is not None
            and link.port
            and not link.harm
        ]

    def link(self, phone: LightPhone) -> Link | None:
        """Return what carries a caller's stream now."""
        strand = phone.span.strand
        return self._ground.proxy.link(strand.wire.name) if strand is not None else None

    def drop(self, phones: list[LightPhone]) -> None:
        """Drop one of these callers' streams."""
        phone = self._chosen(phones)
        link, strand = self.link(phone), phone.span.strand
        assert link is not None
        assert strand is not None
        kind = self._ground.plan.drop(self._chance)
        self._note(kind, phone, link)
        if kind == "close":
            strand.wire.close(self._chance.choice(CODES))
        elif kind == "late":
            link.late(self._hold_s())
            strand.wire.send(strand.leg.stop())
            asyncio.get_running_loop().call_later(REACH_S, link.part)
        else:
            if kind == "blackhole":
                strand.harms_us.append(self._ground.clock.now_us())
            hold_s = self._hold_s()
            _harm(link, kind, DARK_S if kind == "blackhole" else hold_s)

    def cut_off(self, phone: LightPhone) -> None:
        """Reset a caller's stream, if there is one that nothing was done to."""
        link = self.link(phone)
        if link is not None and link.port and not link.harm:
            self._note("cut off at last", phone, link)
            link.reset()

    def _hold_s(self) -> float:
        return self._chance.randrange(*HOLD_MS) / 1_000

    def kill(self, may_come: Callable[[], bool]) -> None:
        """Kill a server with -9 beside, as soon as it may come and both are there, and start it again."""
        self.is_killing = True
        self._spawn(self._kill(may_come))

    async def _kill(self, may_come: Callable[[], bool]) -> None:
        try:
            async with self._alone:
                await until(may_come, within_s=MAY_COME_S_MAX)
                # With the other one not ready nobody would be left, and that no service outlives. And who
                # goes on without the store for a while says so: what only he knows would die with him.
                await until(self._is_calm, within_s=LEFT_S_MAX)
                server = self._chance.choice(self._ground.servers)
                self._note_kill(server)
                await server.kill()
                await server.start()
                await self._ground.balancer.look()
        finally:
            self.is_killing = False

    def _note_kill(self, server: Server) -> None:
        now_us = self._ground.clock.now_us()
        self.killed.append((server.port, now_us))
        for phone in self._on(server):
            link, strand = self.link(phone), phone.span.strand
            if strand is not None:
                strand.harms_us.append(now_us)
            if link is not None and not link.harm:
                self._note("kill", phone, link)
        self.kinds["kill -9"] += 1

    async def _is_calm(self) -> bool:
        servers = self._ground.servers
        are_led_to = {one.port for one in servers}.issubset(self._ground.balancer.ready)
        return are_led_to and all(await asyncio.gather(*(one.has_store() for one in servers)))

    def stall(self, phones: list[LightPhone]) -> None:
        """Let nothing pass on one of these callers' streams for a while; no drop, if it is patient."""
        phone = self._chosen(phones)
        link = self.link(phone)
        if link is not None:
            self.kinds["stall"] += 1
            self._spawn(self._stall(phone, link))

    async def _stall(self, phone: LightPhone, link: Link) -> None:
        strand, time_s = phone.span.strand, self._chance.randrange(*PAUSE_MS) / 1_000
        link.stall(time_s)
        if strand is None:
            return
        now_us = self._ground.clock.now_us()
        strand.harms_us.append(now_us)
        await asyncio.sleep(time_s)
        await self._caught_up([(strand, link)], now_us)

    def freeze(self) -> None:
        """Stop a server's process for a while, beside."""
        self._spawn(self._freeze())

    def pause(self) -> None:
        """Stop the store for a while, beside."""
        self._spawn(self._pause())

    async def end(self) -> None:
        """Wait until all that was begun is over. Raises what went wrong: NotServed, and faults of ours."""
        while self._beside:
            await asyncio.wait(self._beside)
        for trouble in self._failed:
            raise trouble

    def _chosen(self, phones: list[LightPhone]) -> LightPhone:
        busy = [phone for phone in phones if self._ground.shop.at_work[phone.call_sid]]
        is_sought = not self._chance.randrange(AT_WORK_ODDS)
        return self._chance.choice(busy if busy and is_sought else phones)

    def _note(self, kind: Drop | str, phone: LightPhone, link: Link) -> None:
        now_us = self._ground.clock.now_us()
        link.harm = kind
        self.kinds[kind] += 1
        self.weathers[link.weather.name] += 1
        if self._ground.shop.at_work[phone.call_sid]:
            self.kinds["of these, while a tool was at work"] += 1
        self._last_us[phone.call_sid] = now_us
        self.dropped.append(Dropped(kind, phone, len(phone.span.strands), now_us, link))

    def _on(self, server: Server) -> list[LightPhone]:
        return [
            phone
            for phone in self._ground.crowd.live
            if (link := self.link(phone)) is not None and link.port == server.port
        ]

    async def _freeze(self) -> None:
        async with self._alone:
            server = self._chance.choice(self._ground.servers)
            self.kinds["SIGSTOP"] += 1
            now_us = self._ground.clock.now_us()
            met = [(phone.span.strand, self.link(phone)) for phone in self._on(server)]
            for strand, _ in met:
                if strand is not None:
                    strand.harms_us.append(now_us)
            server.signal(signal.SIGSTOP)
            await asyncio.sleep(self._chance.randrange(*FREEZE_MS) / 1_000)
            server.signal(signal.SIGCONT)
            self._spawn(self._caught_up(met, now_us))
            await asyncio.sleep(CALM_S)

    async def _pause(self) -> None:
        async with self._alone:
            self.kinds["store paused"] += 1
            await self._ground.store.pause(self._chance.randrange(*PAUSE_MS) / 1_000)
            await asyncio.sleep(CALM_S)

    async def _caught_up(
        self, met: list[tuple[Strand | None, Link | None]], harmed_us: int
    ) -> None:
        """Wait until the service must know all again of the streams that are still there.

        All but what another harm keeps from it that came meanwhile.
        """
        await asyncio.sleep(KNOWN_S)
        for strand, link in met:
            if strand is not None and not strand.ended_us and link and not link.harm:
                strand.harms_us.remove(harmed_us)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._is_over)

    def _is_over(self, task: asyncio.Task[None]) -> None:
        self._beside.discard(task)
        if not task.cancelled() and (trouble := task.exception()) is not None:
            self._failed.append(trouble)


def _harm(link: Link, kind: LinkDrop, hold_s: float) -> None:
    match kind:
        case "reset":
            link.reset()
        case "fin":
            link.fin()
        case "mid-frame":
            link.mid_frame()
        case "half-open":
            link.half_open(hold_s)
        case "slow-close":
            link.slow_close(hold_s)
        case "blackhole":
            link.blackhole(hold_s)
        case _:
            assert_never(kind)
