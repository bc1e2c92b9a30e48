"""A whole run: callers come, talk and are harmed; then it is quiet, and everything is held against everything.

report = await run(plan, folder, credentials, show)
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from service.chaos import judge
from service.chaos.chance import chance
from service.chaos.ground import Ground
from service.chaos.harms import Dropped, Harms
from service.chaos.ledger import Unanswered, lost
from service.chaos.plan import Plan
from service.chaos.report import Report
from service.chaos.settling import all_answer, answers_ms
from service.chaos.waiting import until
from service.simulator.credentials import Credentials

KEYS_EVERY_MS = 4_000
LOOK_S = 0.1
NOTE_S = 0.25
SHOW_S = 0.5
STUCK_S_MAX = 90.0  # with no stream to drop for so long, the run ends and says so
SETTLE_S_MAX = 60.0
CALM_US = 1_000_000
STALE_MS = 1_000  # the service may need this long to see that another stream took over
STALL_EVERY = 9
HALF, THIRD = 2, 3  # a side's turn doesn't fall together with another's


class Standing(msgspec.Struct, frozen=True):
    """How far a run is."""

    phase: str
    dropped: int
    wanted: int
    live: int
    calls: int
    ended: int
    notes: int
    readings: int
    resets: int


Show = Callable[[Standing], None]


async def run(plan: Plan, folder: Path, found: Credentials, show: Show) -> Report:
    """Do what the plan says and judge it. Raises StaylineError when it can't even begin."""
    async with Ground(plan, folder, found) as ground:
        return await Run(ground, show).perform()


class Run:
    """One run on its ground."""

    def __init__(self, ground: Ground, show: Show) -> None:
        self._ground = ground
        self._plan = ground.plan
        self._harms = Harms(ground)
        self._show = show
        self._chance = chance(ground.plan.seed + 3)
        self._phase = "calls come"
        self._done = 0

    async def perform(self) -> Report:
        """See `run`."""
        ground, plan = self._ground, self._plan
        showing = asyncio.create_task(self._tell())
        beside: list[asyncio.Task[None]] = []
        try:
            await ground.gather()
            ground.crowd.press_on(every_ms=KEYS_EVERY_MS, seed=plan.seed)
            beside = [asyncio.create_task(self._look()), asyncio.create_task(self._note())]
            began_us = ground.clock.now_us()
            self._phase = "streams drop"
            await self._drop_all()
            await self._harms.end()
            took_ms = (ground.clock.now_us() - began_us) // 1_000
            for task in beside:
                task.cancel()
            self._phase = "all is quiet"
            ground.crowd.press_on(every_ms=0, seed=0)
            report = await self._conclude(took_ms)
            self._phase = "callers hang up"
            await ground.leave()
        finally:
            for task in [showing, *beside]:
                task.cancel()
            await asyncio.gather(showing, *beside, return_exceptions=True)
        return report

    async def _drop_all(self) -> None:
        plan, clock = self._plan, self._ground.clock
        due_us = clock.now_us()
        for number in range(1, plan.drops + 1):
            due_us += int(plan.pause_s * 1_000_000)
            await asyncio.sleep(max(0, due_us - clock.now_us()) / 1_000_000)
            self._aside(number)
            if plan.is_ours and plan.kill_every and number % plan.kill_every == 0:
                await self._harms.kill()
            elif not await until(self._drop_one, within_s=STUCK_S_MAX):
                return
            self._done = number

    def _aside(self, number: int) -> None:
        """Do what is no drop by itself."""
        plan = self._plan
        if number % STALL_EVERY == STALL_EVERY // HALF:
            phones = self._harms.candidates(0)
            if phones:
                self._harms.stall(phones)
        if not plan.is_ours:
            return
        if plan.freeze_every and number % plan.freeze_every == plan.freeze_every // HALF:
            self._harms.freeze()
        if plan.pause_every and number % plan.pause_every == plan.pause_every // THIRD:
            self._harms.pause()

    def _drop_one(self) -> bool:
        # Our own servers have no limit of drops; a deployment has one, and its callers would be led away.
        apart_ms = self._plan.apart_ms // (HALF if self._plan.is_ours else 1)
        phones = self._harms.candidates(apart_ms * 1_000)
        if phones:
            self._harms.drop(phones)
        return bool(phones)

    async def _look(self) -> None:
        """Read the calls one after the other, as someone would who watches them."""
        while True:
            for phone in list(self._ground.crowd.callers):
                await self._ground.ledger.look(phone.call_sid)
                await asyncio.sleep(LOOK_S)

    async def _note(self) -> None:
        number = 0
        while True:
            phone = self._chance.choice(self._ground.crowd.callers)
            await self._ground.ledger.note(phone.call_sid, f"note {number}")
            number += 1
            await asyncio.sleep(NOTE_S)

    async def _tell(self) -> None:
        while True:
            self._show(self.standing())
            await asyncio.sleep(SHOW_S)

    def standing(self) -> Standing:
        """Return how far the run is."""
        crowd, ledger = self._ground.crowd, self._ground.ledger
        return Standing(
            phase=self._phase,
            dropped=self._done,
            wanted=self._plan.drops,
            live=len(crowd.live),
            calls=len(crowd.callers),
            ended=len(crowd.ended),
            notes=sum(map(len, ledger.notes.values())),
            readings=ledger.readings,
            resets=ledger.resets,
        )

    async def _conclude(self, took_ms: int) -> Report:
        ground, plan = self._ground, self._plan
        crowd, ledger = ground.crowd, ground.ledger
        callers = crowd.callers
        await until(self._is_calm, within_s=SETTLE_S_MAX)
        live = [phone for phone in callers if not phone.is_over]
        silent = await all_answer(live) if plan.is_talker else []
        report = Report("chaos", **msgspec.structs.asdict(plan))
        report.count("drops", self._done, at_least=plan.drops)
        self._tell_drops(report, took_ms)
        ended = [f"{one.call_sid}: {one.course.ended_by}" for one in crowd.ended]
        report.count("calls ended", ended)
        without = [f"{it.call_sid}\n{it.story()}" for it in live if it.span.strand is None]
        report.count("calls without a stream at the end", without)
        report.count("calls that answer no key at the end", silent)
        try:
            journals = await ledger.whole(phone.call_sid for phone in callers)
        except Unanswered as trouble:
            report.count("calls whose records can't be read", [str(trouble)])
            return report
        report.count("readings of the API", ledger.readings, at_most=None)
        report.count("readings that began anew", ledger.resets, at_most=None)
        report.count("acknowledged records", sum(map(len, ledger.seen.values())), at_most=None)
        report.count("acknowledged records lost", lost(ledger.seen, journals))
        report.count("notes accepted", sum(map(len, ledger.notes.values())), at_most=None)
        report.count("accepted notes not kept once", judge.unnoted(ledger.notes, journals))
        report.count("second greetings", judge.second_greetings(callers, journals))
        report.count("written by an owner that was replaced", judge.interleaved(journals))
        report.count("messages that the carrier refused", judge.violations(callers))
        report.count("streams sent to after they were replaced", late(self._harms.dropped))
        if plan.is_talker:
            self._tell_talk(report, journals)
        return report

    def _is_calm(self) -> bool:
        """Say whether every call has a stream that nothing was done to, and had it for a moment."""
        old_us = self._ground.clock.now_us() - CALM_US
        for phone in self._ground.crowd.callers:
            strand, link = phone.span.strand, self._harms.link(phone)
            is_sound = strand is not None and strand.started_us < old_us and link and not link.harm
            if not phone.is_over and not is_sound:
                return False
        return True

    def _tell_drops(self, report: Report, took_ms: int) -> None:
        plan, dropped = self._plan, self._harms.dropped
        for kind, times in sorted(self._harms.kinds.items()):
            report.count(f"  {kind}", times, at_most=None)
        for weather, times in sorted(self._harms.weathers.items()):
            report.count(f"  dropped in {weather} weather", times, at_most=None)
        report.count("took, s", took_ms // 1_000, at_most=None)
        turn_ms = self._ground.crowd.terms.pace.turn_ms
        told = [one for one in dropped if one.kind != "blackhole"]
        report.spread("drop to the next stream", backs_ms(dropped))
        report.spread("  beyond the carrier's own time", [it - turn_ms for it in backs_ms(told)])
        dark = [one for one in dropped if one.kind == "blackhole"]
        report.spread("  of blackholes", backs_ms(dark))
        if plan.is_talker:
            report.spread("key to answer", answers_ms(self._ground.crowd.callers))

    def _tell_talk(self, report: Report, journals: judge.Journals) -> None:
        callers, shop = self._ground.crowd.callers, self._ground.shop
        report.count("codes noted", sum(len(one.noted()) for one in callers), at_least=1)
        report.count("told to a caller and not kept once", judge.unkept(callers, journals))
        report.count("stale words heard", judge.stale(callers))
        report.count("said again though known to be heard", judge.said_again(callers))
        report.count("bookings done", sum(shop.effects.values()), at_most=None)
        report.count("double executions", shop.doubles())
        report.count("told as booked and not done once", judge.unbooked(callers, shop))


def backs_ms(dropped: list[Dropped]) -> list[int]:
    """Return how long it took each time from the drop to the next stream."""
    return [
        (one.phone.span.strands[one.strand].started_us - one.at_us) // 1_000
        for one in dropped
        if len(one.phone.span.strands) > one.strand
    ]


def late(dropped: list[Dropped]) -> list[str]:
    """Return the streams on which audio still came when another one had long taken over."""
    found = []
    for one in dropped:
        if len(one.phone.span.strands) <= one.strand:
            continue
        since_ms = one.phone.span.strands[one.strand].started_us // 1_000
        stale = [at_ms - since_ms for at_ms in one.link.media_after if at_ms > since_ms + STALE_MS]
        if stale:
            found.append(
                f"{one.phone.call_sid}: stream {one.strand}, {one.kind}: up to {stale[-1]} ms"
            )
    return found
