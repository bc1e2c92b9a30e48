"""O-6, R-5: seeded lives of one call on a store with faults, through the bridge and the session's ledger.

When the store is well again and all is told, its journal holds exactly what was acknowledged, in order,
once; and the session's state is the fold of it.
"""

import asyncio
import random

import pytest

from service.call import events as e
from service.clock import Clock
from service.errors import StoreError
from service.journal.behind.branch import Branch
from service.journal.behind.claims import CLEAR_S_MAX
from service.journal.values import Appended, Reading
from service.session.kept.ledger import Ledger, Written
from service.session.kept.records import rebuilt
from tests.conftest import wait_until
from tests.journal.behind.faults import CALL, WAYS, FaultyStore, bridge_to

STEPS = 60
OPENING = (e.encode(e.CallOpened(call_sid=CALL)),)
OWN = b'"by":"owner"'


class Life:
    """One call, its owner, writers outside, and a store whose days are good and bad."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.clock = Clock()
        self.store = FaultyStore()
        self.bridge = bridge_to(self.store, seed=seed)
        self.ledger = Ledger(CALL, self.bridge, "us")
        self.acked: list[bytes] = []
        self.elsewhere: set[bytes] = set()
        self.notes = 0
        self.is_forgetful = self.chance.random() < 0.5

    async def run(self) -> None:
        await self.bridge.start()
        try:
            await self.ledger.claim(OPENING, self.clock.now_ms())
            for _ in range(STEPS):
                await self.step()
            await self.settle()
        finally:
            self.store.way = "well"
            self.store.may_answer.set()
            await self.bridge.close()

    async def step(self) -> None:
        roll = self.chance.random()
        try:
            if roll < 0.5:
                await self.write()
            elif roll < 0.6:
                await self.note()
            elif roll < 0.66:
                await self.intrude()
            elif roll < 0.72:
                await self.ledger.claim(OPENING, self.clock.now_ms())
            elif roll < 0.76:
                await self.ledger.catch_up()
            elif roll < 0.92:
                self.store.way = self.chance.choice(WAYS)
            else:
                await asyncio.sleep(self.chance.choice((0, 0.002, 0.02, 0.1)))
        except StoreError:
            return  # nothing was acknowledged

    def fact(self, who: str) -> e.NoteAdded:
        self.notes += 1
        return e.NoteAdded(text=f"{who} {self.notes}", by=who)

    async def write(self) -> bool:
        fact = self.fact("owner")
        written = await self.ledger.write([fact], self.clock.now_ms())
        assert written is not Written.LOST
        if written is Written.DONE:
            self.acked.append(e.encode(fact))
        return written is Written.DONE

    async def note(self) -> None:
        body = e.encode(self.fact("api"))
        outcome = await self.bridge.append(
            CALL,
            [body],
            epoch=None,
            after=None,
            key=f"note {self.notes}",
            now_ms=self.clock.now_ms(),
        )
        if isinstance(outcome, Appended):
            self.acked.append(body)

    async def intrude(self) -> None:
        """Something happens at the store itself: another process writes, or its end is lost."""
        if self.is_forgetful:
            await self.store.forget(self.chance.randrange(1, 6))
            return
        body = e.encode(self.fact("elsewhere"))
        await self.store.real.append(
            CALL,
            [body],
            epoch=None,
            after=None,
            key=f"note {self.notes}",
            now_ms=self.clock.now_ms(),
        )
        self.elsewhere.add(body)

    async def settle(self) -> None:
        self.store.way = "well"
        await wait_until(lambda: not self.bridge.arrears.calls, description="all is told")
        while not await self.write():
            pass  # it learns first what it missed
        await wait_until(lambda: not self.bridge.arrears.calls, description="the last is told")
        assert await self.ledger.catch_up()
        bodies = (await self.store.bodies())[1:]
        ours = [body for body in bodies if body not in self.elsewhere]
        assert sorted(ours) == sorted(self.acked)
        assert self.elsewhere <= set(bodies)
        assert [one for one in ours if OWN in one] == [one for one in self.acked if OWN in one]
        reading = await self.store.real.read(CALL)
        assert isinstance(reading, Reading)
        assert self.ledger.call == rebuilt(None, reading.records)


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(20))
async def test_what_was_acknowledged_is_told_in_order_and_once(seed: int) -> None:
    try:
        await Life(seed).run()
    except BaseException as trouble:
        trouble.add_note(f"seed {seed}")
        raise


async def branched() -> Life:
    """Begin a life whose call has a branch, because the store is slow."""
    life = Life(0)
    await life.bridge.start()
    await life.ledger.claim(OPENING, life.clock.now_ms())
    life.store.way = "slow"
    assert await life.write()
    return life


@pytest.mark.asyncio
async def test_of_two_who_wait_for_one_branch_neither_ends_the_calls_next_one() -> None:
    """Seed 851 of the simulation: what the next one waits with would never be told."""
    life = await branched()
    roll, keeper = life.bridge._roll, life.bridge._keeper
    branch = roll.branches[CALL]

    async def next_one() -> Branch:
        assert await keeper.clear(branch, CLEAR_S_MAX)
        return roll.branches.get(CALL) or roll.begin_from(roll.held[CALL], None, branch.begun_ms)

    first, second = await asyncio.gather(next_one(), next_one())
    assert first is second is not branch
    life.store.way = "well"
    await life.bridge.close()


@pytest.mark.asyncio
async def test_who_waits_for_a_flush_that_was_called_off_as_it_began_does_not_wait_on() -> None:
    """Seed 5000184 of the simulation: the loop went round and round in it until the time was up."""
    life = await branched()
    keeper, branch = life.bridge._keeper, life.bridge._roll.branches[CALL]
    await wait_until(lambda: CALL not in keeper._flushes, description="the flush is over")
    branch.again_s = float("inf")
    assert await life.write()
    branch.again_s = 0.0
    keeper.stir(branch)
    keeper._flushes[CALL].cancel()  # As `close` does; its task has not run yet.
    async with asyncio.timeout(CLEAR_S_MAX / 2):
        assert not await keeper.clear(branch, CLEAR_S_MAX)
    life.store.way = "well"
    await life.bridge.close()
