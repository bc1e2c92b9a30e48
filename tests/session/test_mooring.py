import random
from typing import cast

import pytest

from service.call import events as e, inputs as i
from service.journal.journal import Journal
from service.session.inbox import Lost, News
from service.session.kept.ledger import Ledger
from service.session.line import CLOSE_REPLACED, Line
from service.session.mooring import Mooring
from service.session.scribe import Scribe
from tests.conftest import wait_until
from tests.session.house import CALL, House
from tests.session.parts import MemorySocket
from tests.session.troubles import FailingJournal

pytestmark = pytest.mark.asyncio


class Quay:
    """A mooring with a line and a ledger of its own; it notes when the talk is told of streams."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.told: list[str] = []
        self.letters: list[i.Input | Lost | News] = []
        self.ledger = Ledger(CALL, house.journal, "here")
        self.line = Line(CALL, house.means)
        scribe = Scribe(house.means, self.ledger, lambda _effect: None, lambda: None)
        post = self.letters.append
        self.mooring = Mooring(house.means, self.ledger, self.line, self, scribe, post)

    def attach(self) -> None:
        self.told.append("attach")

    def go_on(self) -> None:
        self.told.append("go_on")

    def hear(self, ulaw: bytes) -> None:
        self.told.append(f"hear {len(ulaw)}")

    def detach(self) -> None:
        self.told.append("detach")


async def test_a_stream_is_claimed_and_written_before_it_is_plugged_in(house: House) -> None:
    quay = Quay(house)
    arrival = house.arrival(MemorySocket())
    assert await quay.mooring.take_over(arrival, ()) == 0
    assert arrival.done.result() == quay.ledger.epoch == 1
    assert (await house.kinds())[:2] == ["CallOpened", "StreamAttached"]
    assert quay.line.is_live
    assert quay.told == ["attach"]
    await quay.mooring.let_go("over")


async def test_the_newest_stream_takes_the_place_of_the_one_before(house: House) -> None:
    quay = Quay(house)
    first = MemorySocket()
    await quay.mooring.take_over(house.arrival(first), ())
    await quay.mooring.take_over(house.arrival(MemorySocket(), stream_sid="MZ2"), ())
    await wait_until(lambda: first.closed is not None, description="the older one is closed")
    assert first.closed == (CLOSE_REPLACED, "replaced")
    assert quay.line.stream_sid == "MZ2"
    assert quay.told == ["attach", "detach", "attach"]
    await quay.mooring.let_go("over")


async def test_a_stream_that_is_let_go_leaves_what_was_heard_and_why_it_went(house: House) -> None:
    quay = Quay(house)
    await quay.mooring.take_over(house.arrival(MemorySocket()), ())
    await quay.mooring.let_go("closed 1006")
    gone = (await house.facts())[-1]
    assert isinstance(gone, e.StreamDetached)
    assert (gone.stream_sid, gone.reason) == ("MZ1", "closed 1006")
    assert not quay.line.is_live


async def test_a_stream_that_comes_late_with_its_first_token_is_no_new_call_without_the_store(
    journal: Journal,
) -> None:
    """Seed 2737: another server had the call, and this carrier dials once more."""
    failing = FailingJournal(journal)
    house = House(cast("Journal", failing))
    for is_fresh in (True, False):
        quay = Quay(house)
        await quay.mooring.take_over(house.arrival(MemorySocket(), is_fresh=is_fresh), ())
        await quay.mooring.let_go("over")
    assert failing.expected == [0, None]
    await house.close()


async def test_a_call_that_is_over_is_not_taken(house: House) -> None:
    quay = Quay(house)
    await quay.mooring.take_over(house.arrival(MemorySocket()), ())
    await house.write(e.CallEnded(reason="completed"))
    assert await quay.mooring.take_over(house.arrival(MemorySocket()), ()) is None
    assert not quay.line.is_live


async def test_a_stream_that_nobody_waits_for_is_lost_at_once(house: House) -> None:
    quay = Quay(house)
    arrival = house.arrival(MemorySocket())
    arrival.done.cancel()
    await quay.mooring.take_over(arrival, ())
    assert quay.letters == [Lost(1, "closed")]
    await quay.mooring.let_go("closed")


async def test_a_gap_that_was_heard_by_a_fork_is_written_with_the_stream(house: House) -> None:
    quay = Quay(house)
    fork = house.means.forks.join(CALL, MemorySocket(), house.clock.now_ms())
    assert fork is not None
    await quay.mooring.take_over(house.arrival(MemorySocket()), ())
    noise = random.Random(1).randbytes(4_000)
    quay.mooring.hear(quay.ledger.epoch, noise[:800], house.clock.now_ms())
    fork.hear(noise[:800], 0, house.clock.now_ms())
    await quay.mooring.let_go("closed")
    fork.hear(noise[800:], 0, house.clock.now_ms())
    await quay.mooring.take_over(house.arrival(MemorySocket(), stream_sid="MZ2"), ())
    entry = quay.ledger.call.streams[-1]
    assert entry.gap_heard_ms == entry.gap_ms
    assert "detach" not in quay.told
    assert "go_on" in quay.told
    quay.mooring.close()
    await quay.mooring.let_go("over")
    assert quay.told[-1] == "go_on", "nobody listens to the fork any more"
