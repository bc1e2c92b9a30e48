import dataclasses

import pytest
import pytest_asyncio

from service.call import events as e
from service.call.callback import AGAIN_MS, ANSWER_MS, ATTEMPTS_MAX, DELAY_MS, RING_MS
from service.call.state import Call
from service.errors import CarrierError
from service.journal.journal import Journal
from service.journal.values import Reading
from service.session.calling_back import CallingBack, waits
from service.session.kept.records import rebuilt
from tests.session.house import House
from tests.session.kept.test_ring_backs import LaterClock
from tests.session.parts import NotingCarrier

pytestmark = pytest.mark.asyncio

SID = "CA1"


class Yard:
    """A call that was cut off, and servers that may ring its caller back."""

    def __init__(self, house: House) -> None:
        self.journal: Journal = house.journal
        self.carrier: NotingCarrier = house.carrier
        self.clock = LaterClock()
        self.means = dataclasses.replace(house.means, clock=self.clock)
        self.ours = CallingBack(self.means)
        self.others = CallingBack(dataclasses.replace(self.means, owner="other"))

    async def begin(self, number: str = "+15550001") -> None:
        opened = e.CallOpened(call_sid=SID, from_number=number, to_number="+15550100")
        requested, over = e.CallbackRequested(by="rule"), e.CallEnded(reason="drop_limit")
        now_ms = self.clock.now_ms()
        bodies = (e.encode(opened), e.encode(requested), e.encode(over))
        await self.journal.open(SID, bodies, now_ms=now_ms)
        await self.journal.claim(SID, (), owner="dead", until_ms=now_ms, now_ms=now_ms)

    async def call(self) -> Call:
        reading = await self.journal.read(SID)
        assert isinstance(reading, Reading)
        return rebuilt(None, reading.records)

    async def write(self, fact: e.Known, key: str) -> None:
        now_ms = self.clock.now_ms()
        await self.journal.append(
            SID, (e.encode(fact),), epoch=None, after=None, key=key, now_ms=now_ms
        )

    async def tend(self, who: CallingBack | None = None) -> str:
        """Take a step; return where the ringing back stands then."""
        await (who or self.ours).tend(await self.call())
        return await self.step()

    async def step(self) -> str:
        callback = (await self.call()).callback
        assert callback is not None
        return f"{callback.step} {callback.attempt}"

    async def due(self) -> int | None:
        """When somebody is to look again; None when nobody need."""
        lapsed = await self.journal.lapsed(now_ms=self.clock.now_ms() + 10**6, limit=9)
        return next((one.lease.until_ms for one in lapsed if one.lease), None)

    @property
    def rings(self) -> list[str]:
        return self.carrier.asked_for("ring")


@pytest_asyncio.fixture
async def yard(house: House) -> Yard:
    made = Yard(house)
    await made.begin()
    return made


async def test_the_caller_is_rung_a_moment_after_and_once(yard: Yard) -> None:
    await yard.ours.arrange(SID)
    until_ms = await yard.due()
    assert until_ms is not None
    assert 0 < until_ms - yard.clock.now_ms() <= DELAY_MS
    assert await yard.tend() == "requested 0"
    assert yard.rings == []
    yard.clock.ahead_ms = DELAY_MS
    before = await yard.call()
    assert await yard.tend() == "placed 1"
    await yard.others.tend(before)
    (rung,) = yard.rings
    assert rung == (
        "+15550001 +15550100 https://calls.example.com/twiml/voice?callback=CA1 "
        "https://calls.example.com/callbacks/call?callback=CA1 30"
    )


async def test_who_answers_ends_it(yard: Yard) -> None:
    yard.clock.ahead_ms = DELAY_MS
    await yard.tend()
    assert await yard.ours.answered(SID, "+15550001")
    assert not await yard.ours.answered(SID, "+15550002")
    assert not await yard.ours.answered("CA9", "+15550001")
    assert await yard.step() == "ended 1"
    await yard.ours.over(SID, "CAring1", "completed")
    assert not waits(await yard.call())
    assert await yard.due() is None


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
async def test_who_is_not_there_is_rung_again_a_few_times(yard: Yard, status: str) -> None:
    ahead_ms = DELAY_MS
    for attempt in range(1, ATTEMPTS_MAX + 1):
        yard.clock.ahead_ms = ahead_ms
        assert await yard.tend() == f"placed {attempt}"
        for _ in range(2):  # the carrier may tell it twice
            await yard.ours.over(SID, f"CAring{attempt}", status)
        ahead_ms += AGAIN_MS << (attempt - 1)
    assert len(yard.rings) == ATTEMPTS_MAX
    yard.clock.ahead_ms = ahead_ms + 10**6
    assert await yard.tend() == f"ended {ATTEMPTS_MAX}"
    assert len(yard.rings) == ATTEMPTS_MAX
    assert await yard.due() is None


async def test_the_end_of_another_call_says_nothing(yard: Yard) -> None:
    yard.clock.ahead_ms = DELAY_MS
    await yard.tend()
    await yard.ours.over(SID, "CAother", "busy")
    await yard.ours.over("CA9", "CAring1", "busy")
    assert await yard.step() == "placed 1"


@pytest.mark.parametrize(("found", "step"), [("CAring7", "placed 1"), ("", "ended 1")])
async def test_an_attempt_that_nobody_knows_of_is_looked_for_and_not_made_twice(
    yard: Yard, found: str, step: str
) -> None:
    yard.clock.ahead_ms = DELAY_MS
    yard.carrier.trouble = CarrierError("no answer", status=0)
    assert await yard.tend() == "dialled 1"
    yard.clock.ahead_ms += ANSWER_MS
    assert await yard.tend(yard.others) == "dialled 1"
    yard.carrier.trouble, yard.carrier.found = None, found
    assert await yard.tend(yard.others) == step
    assert len(yard.rings) == 1


async def test_what_the_carrier_refuses_is_tried_again_later(yard: Yard) -> None:
    yard.clock.ahead_ms = DELAY_MS
    yard.carrier.trouble = CarrierError("no", status=400, code=21211)
    assert await yard.tend() == "ended 1"
    assert await yard.due() is not None


@pytest.mark.parametrize(
    ("word", "step"), [("busy", "ended 1"), ("in-progress", "placed 1"), ("", "ended 1")]
)
async def test_the_carrier_is_asked_for_an_end_that_nobody_told(
    yard: Yard, word: str, step: str
) -> None:
    yard.clock.ahead_ms = DELAY_MS
    await yard.tend()
    yard.clock.ahead_ms += RING_MS
    yard.carrier.trouble = CarrierError("no answer")
    assert await yard.tend() == "placed 1"
    yard.carrier.trouble, yard.carrier.word = None, word
    assert await yard.tend() == step
    until_ms = await yard.due()
    assert until_ms is not None
    assert until_ms > yard.clock.now_ms()


async def test_a_caller_whose_number_is_not_known_is_not_rung(house: House) -> None:
    yard = Yard(house)
    await yard.begin(number="")
    for attempt in range(1, ATTEMPTS_MAX + 1):
        yard.clock.ahead_ms += AGAIN_MS << attempt
        assert await yard.tend() == f"ended {attempt}"
    assert not waits(await yard.call())
    assert yard.rings == []


async def test_who_rings_back_by_themselves_is_not_rung(yard: Yard) -> None:
    await yard.write(e.CarriedOn(call_sid="CA2"), "carried_on")
    yard.clock.ahead_ms = DELAY_MS
    await yard.tend()
    assert yard.rings == []
    assert await yard.due() is None


async def test_a_call_that_is_gone_is_left_alone(yard: Yard) -> None:
    await yard.ours.arrange("CA9")
    assert yard.rings == []


async def test_after_the_last_ring_somebody_still_gives_an_open_tool_its_end(yard: Yard) -> None:
    """Seed 101243: the server died with the tool; the call was released when its caller was not there."""
    now_ms = yard.clock.now_ms()
    asked = e.OperationRequested(
        operation="o1", tool="book", arguments={}, turn=1,
        is_idempotent=False, attempts_max=1, deadline_ms=now_ms + 5_000,
    )  # fmt: skip
    await yard.write(asked, "asked")
    assert (await yard.call()).pending()
    for attempt in range(1, ATTEMPTS_MAX + 1):
        await yard.write(e.CallbackDialled(attempt=attempt), f"dialled {attempt}")
        await yard.write(e.CallbackEnded(attempt=attempt, outcome="busy"), f"ended {attempt}")
    await yard.ours.arrange(SID)
    assert not waits(await yard.call())
    due_ms = await yard.due()
    assert due_ms is not None
    assert due_ms <= yard.clock.now_ms()
