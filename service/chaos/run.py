"""A whole run: callers come, talk, are harmed and judged, wave by wave.

report = await run(plan, folder, credentials, show)
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from service.chaos.callers.chance import chance
from service.chaos.conclusion import conclude, settle
from service.chaos.ground import Ground
from service.chaos.harms import Harms
from service.chaos.plan import Plan
from service.chaos.report import Report
from service.chaos.tally import Tally
from service.chaos.waiting import until
from service.simulator.credentials import Credentials

KEYS_EVERY_MS = 4_000
LOOK_S = 0.1
NOTE_S = 0.25
SHOW_S = 0.5
STUCK_S_MAX = 90.0  # with no stream to drop for so long, the run ends and says so
BACK_PERCENT = 80  # of the calls have a stream
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
        self._tally = Tally()
        self._done = self._ended = self._took_ms = 0

    async def perform(self) -> Report:
        """See `run`."""
        ground, plan = self._ground, self._plan
        showing = asyncio.create_task(self._tell())
        try:
            for calls, drops in plan.waves():
                await self._wave(calls, drops)
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
        report = Report("chaos", **msgspec.structs.asdict(plan))
        report.count("drops", self._done, at_least=plan.drops)
        for kind, times in sorted(self._harms.kinds.items()):
            report.count(f"  {kind}", times, at_most=None)
        for weather, times in sorted(self._harms.weathers.items()):
            report.count(f"  dropped in {weather} weather", times, at_most=None)
        report.count("took, s", self._took_ms // 1_000, at_most=None)
        self._tally.into(report)
        report.count("double executions", ground.shop.doubles())
        report.count("readings of the API", ground.ledger.readings, at_most=None)
        report.count("readings that began anew", ground.ledger.resets, at_most=None)
        return report

    async def _wave(self, calls: int, drops: int) -> None:
        """Let some calls come, harm them, judge them, and let them go."""
        ground = self._ground
        beside: list[asyncio.Task[None]] = []
        try:
            self._phase = "calls come"
            await ground.gather(calls)
            ground.crowd.press_on(every_ms=KEYS_EVERY_MS, seed=self._plan.seed + self._done)
            beside = [asyncio.create_task(self._look()), asyncio.create_task(self._note())]
            began_us = ground.clock.now_us()
            self._phase = "streams drop"
            await self._drop_all(drops, self._plan.pause_s(calls))
            await self._harms.end()
            self._took_ms += (ground.clock.now_us() - began_us) // 1_000
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        self._phase = "all is quiet"
        ground.crowd.press_on(every_ms=0, seed=0)
        silent = await settle(ground, self._harms)
        await conclude(ground, self._harms, silent, self._tally)
        self._phase = "callers hang up"
        self._ended += len(ground.crowd.ended)
        await ground.leave()
        ground.forget()
        self._harms.dropped.clear()

    async def _drop_all(self, drops: int, pause_s: float) -> None:
        plan, clock = self._plan, self._ground.clock
        due_us = clock.now_us()
        for _ in range(drops):
            number = self._done + 1
            due_us = max(due_us + int(pause_s * 1_000_000), clock.now_us())
            await asyncio.sleep((due_us - clock.now_us()) / 1_000_000)
            self._aside(number)
            if plan.is_ours and plan.kill_every and number % plan.kill_every == 0:
                # A kill is to meet calls that talk, not those on their way back from the last harm.
                await until(lambda: not self._harms.is_killing, within_s=STUCK_S_MAX)
                self._harms.kill(self._are_back)
            elif not await until(self._drop_one, within_s=STUCK_S_MAX):
                return
            self._done = number

    def _are_back(self) -> bool:
        crowd = self._ground.crowd
        going_on = len(crowd.callers) - len(crowd.ended)
        return BACK_PERCENT * going_on <= 100 * len(crowd.live)

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
            ended=self._ended + len(crowd.ended),
            notes=ledger.accepted,
            readings=ledger.readings,
            resets=ledger.resets,
        )
