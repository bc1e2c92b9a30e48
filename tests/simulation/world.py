"""One run: servers, callers and a store on virtual time, and a plan of what goes wrong.

seed ──> plan ──> servers start, phones ring, faults come ──> everything heals ──> all hang up ──> rules
"""

import asyncio
import contextlib
import gc
import random
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec

from service.call import events as e
from tests.simulation.brain import rendered
from tests.simulation.entropy import drawn_from
from tests.simulation.fleet import Fleet
from tests.simulation.leftovers import Leftovers
from tests.simulation.log import listening
from tests.simulation.loop import VirtualLoop
from tests.simulation.plan import Plan, planned
from tests.simulation.private import Discretion, Till
from tests.simulation.rules import Rules
from tests.simulation.trouble import Trouble
from tests.simulation.witness import Witness

SETTLE_MS_MAX = (
    25_000  # after the last fault: leases run out, calls are adopted, branches are flushed
)
CALM_MS = 1_500  # everything has been well for so long: it is settled
END_MS_MAX = (
    120_000  # for all calls to end, and their tools, whose deadlines another clock may have set
)
LOOK_MS = 3_000  # between two looks at what the servers hold
Beside = Callable[[Fleet], Coroutine[Any, Any, None]]
RUNS = Path("/dev/shm") if Path("/dev/shm").is_dir() else None  # noqa: S108 - a disk that is memory: fsync is free


class Result(msgspec.Struct, frozen=True):
    """How a run came out. `agreed`: callers who gave consent; `numbers` that were taken under seal."""

    seed: int
    sum: str
    virtual_ms: int
    steps: int
    broken: str = ""
    rule: int = 0
    story: str = ""
    agreed: int = 0
    numbers: int = 0


class World:
    """What happens in one run."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.rules = Rules(fleet)
        if fleet.plan.collects:
            fleet.sink = Till(random.Random(f"till {fleet.plan.seed}"), fleet.witness)
        fleet.cabinet.watch = self.rules.on_write
        fleet.witness.on_frame = self.rules.on_frame
        fleet.on_wait = self.rules.on_wait

    async def run(self) -> None:
        """Live the plan, let everything heal, and end it."""
        for place in range(self.fleet.plan.servers):
            await self.fleet.started(place)
        trouble = Trouble(self.fleet)
        for number in range(len(self.fleet.plan.calls)):
            self.fleet.beside(self._call(number))
        self.fleet.beside(self._look())
        for fault in self.fleet.plan.faults:
            self.fleet.beside(trouble.come(fault))
        await asyncio.sleep(self.fleet.plan.lasts_ms / 1_000)
        await trouble.heal()
        await self._until(self.rules.is_settled, SETTLE_MS_MAX)
        self.rules.when_settled()
        await self._all_hang_up()
        self.rules.at_end()
        if isinstance(self.fleet.sink, Till):
            self.fleet.sink.judge()
        await Leftovers(self.fleet).judge()

    async def _call(self, number: int) -> None:
        plan = self.fleet.plan.calls[number]
        await asyncio.sleep(plan.at_ms / 1_000)
        call_sid = f"CA{self.fleet.plan.seed:026d}{number:06d}"
        phone = self.fleet.exchange.ring(
            call_sid, f"+1555010{number}", plan.terms, is_doubled=plan.is_doubled
        )
        self.fleet.phones.append(phone)
        caller = Discretion(self.fleet, phone, number)
        self.fleet.may_talk[call_sid] = caller.may_talk
        if self.fleet.plan.secrets:
            self.fleet.beside(caller.answer())
        for at_ms, text in plan.says:
            await asyncio.sleep(max(0, at_ms - self.fleet.witness.now_ms()) / 1_000)
            if phone.is_over:
                return
            if caller.may_talk():
                phone.caller.say(bytes(rendered(text)))
        if plan.hangs_up_ms:
            await phone.hang_up()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_MS / 1_000)
            self.rules.on_look()

    async def _all_hang_up(self) -> None:
        phones = self.fleet.exchange.phones
        ended = 0
        while ended < len(phones):  # Who was promised to be rung back may be rung as late as this.
            ended = len(phones)
            try:
                async with asyncio.timeout(END_MS_MAX / 1_000):
                    await asyncio.gather(*(phone.hang_up() for phone in tuple(phones.values())))
            except TimeoutError:
                self.fleet.witness.broke(10, "a call can't be ended")
            await self._until(self.rules.is_over, END_MS_MAX)

    async def _until(self, holds: Callable[[], bool], within_ms: int) -> None:
        """Wait until something holds and goes on to hold; or until it should have."""
        since_ms = begun_ms = self.fleet.witness.now_ms()
        while True:
            await asyncio.sleep(0.25)
            now_ms = self.fleet.witness.now_ms()
            if not holds():
                since_ms = now_ms
            if now_ms - since_ms >= CALM_MS or now_ms - begun_ms >= within_ms:
                return


async def _lived(world: World) -> None:
    """Run until the end or the first broken rule; then let everything go."""
    life = world.fleet.loop.create_task(world.run())
    broken = world.fleet.loop.create_task(world.fleet.witness.has_broken.wait())
    await asyncio.wait({life, broken}, return_when=asyncio.FIRST_COMPLETED)
    if life.done() and not life.cancelled() and (trouble := life.exception()):
        world.fleet.witness.broke(0, f"the simulation itself: {type(trouble).__name__} {trouble}")
        raise trouble
    for server in (*world.fleet.servers, *world.fleet.graves):
        server.engine.is_dead = True
        server.bury()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for _ in range(3):  # Who is cancelled may first wait for somebody else.
        for task in sorted(tasks, key=hash):
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(100):
                await asyncio.gather(*tasks, return_exceptions=True)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}


def lived(plan: Plan, beside: Beside | None = None) -> Result:
    """Live through a plan; with somebody who looks on, if there is one."""
    gc.disable()  # A run is short: one look when it is over finds what it leaves.
    try:
        return _told(plan.seed, _run_through(plan, beside).witness)
    finally:
        gc.collect(0)  # All of it is young, for nothing was collected while it ran.
        gc.enable()


def _run_through(plan: Plan, beside: Beside | None) -> Fleet:
    folder = Path(tempfile.mkdtemp(prefix="stayline-run-", dir=RUNS))
    loop = VirtualLoop(plan.grain_ms / 1_000)
    asyncio.set_event_loop(loop)
    try:
        fleet = Fleet(plan, loop, folder)
        if beside is not None:
            fleet.beside(beside(fleet))
        with drawn_from(plan.seed), listening(fleet.witness):
            loop.run_until_complete(_lived(World(fleet)))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
        shutil.rmtree(folder)
    return fleet


def _told(seed: int, witness: Witness) -> Result:
    broken = witness.broken
    facts = [one.fact for told in witness.told.values() for one in told]
    found = Result(
        seed,
        witness.sum,
        witness.now_ms(),
        witness.steps,
        agreed=sum(isinstance(one, e.ConsentGiven) for one in facts),
        numbers=sum(isinstance(one, e.CollectionEnded) and bool(one.reference) for one in facts),
    )
    if broken is None:
        return found
    return msgspec.structs.replace(
        found, broken=str(broken), rule=broken.rule, story=witness.last()
    )


def run(seed: int) -> Result:
    """Live through a seed."""
    return lived(planned(seed))
