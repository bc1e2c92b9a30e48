import dataclasses

import pytest

from service.call import events as e, inputs as i
from service.call.folds.fold import fold
from service.call.place import Place
from service.call.state import Call
from service.errors import StoreUnavailable
from service.session.kept.ring_backs import RingBacks, number_name
from service.session.remembrance import Remembrance
from tests.conftest import wait_until
from tests.session.house import House
from tests.session.kept.test_ring_backs import KNOWN, NUMBER, OVER, Town

pytestmark = pytest.mark.asyncio


class Keeping:
    """A remembrance of call CA1, and what it found."""

    def __init__(self, house: House, *, is_on: bool = True) -> None:
        self.found: list[i.EarlierFound] = []
        self.house = house
        ring_backs = RingBacks(house.journal, house.carrier, house.clock, 600_000)
        means = dataclasses.replace(house.means, ring_backs=ring_backs if is_on else None)
        self.remembrance = Remembrance("CA1", means, self.found.append)
        self.position = 0
        self.call = Call()

    def follow(self, *facts: e.Known) -> None:
        for fact in facts:
            self.position += 1
            self.call = fold(self.call, fact, Place(self.position, 1, 1))
        self.remembrance.follow(self.call)

    async def recalled(self, number: str = NUMBER) -> str | None:
        await self.house.tasks.close()
        return await self.house.journal.recall(
            number_name(number), now_ms=self.house.clock.now_ms() + 100
        )


OPENED = e.CallOpened(call_sid="CA1", from_number=NUMBER)
SPOKE = e.CallerSpoke(text="My printer smokes.")


async def test_a_call_is_remembered_once_its_caller_told_something(house: House) -> None:
    keeping = Keeping(house)
    keeping.follow(OPENED)
    assert await keeping.recalled() is None
    keeping.follow(SPOKE)
    assert await keeping.recalled() == "CA1"


async def test_it_is_remembered_once_and_not_again_and_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping, kept = Keeping(house), []

    async def remember(name: str, *_given: object, **_named: object) -> None:
        kept.append(name)

    monkeypatch.setattr(house.journal, "remember", remember)
    keeping.follow(OPENED, SPOKE)
    keeping.follow(SPOKE)
    await house.tasks.close()
    assert kept == [number_name(NUMBER)]


async def test_what_could_not_be_kept_is_kept_after_the_next_step(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_given: object, **_named: object) -> None:
        raise StoreUnavailable("no disk")

    keeping = Keeping(house)
    with monkeypatch.context() as places:
        places.setattr(house.journal, "remember", fail)
        keeping.follow(OPENED, SPOKE)
        await house.tasks.close()
        keeping.follow(e.CallEnded(reason="hung_up"))
        await house.tasks.close()
    keeping = Keeping(house)
    with monkeypatch.context() as places:
        places.setattr(house.journal, "remember", fail)
        keeping.follow(OPENED, SPOKE)
        await house.tasks.close()
    keeping.follow(SPOKE)
    assert await keeping.recalled() == "CA1"


async def test_a_call_that_we_ended_is_forgotten(house: House) -> None:
    keeping = Keeping(house)
    keeping.follow(OPENED, SPOKE)
    assert await keeping.recalled() == "CA1"
    keeping.follow(e.EndingPlanned(ending="hangup"), e.CallEnded(reason="hung_up"))
    keeping.follow()
    assert await keeping.recalled() is None


async def test_switched_off_nobody_is_remembered(house: House) -> None:
    keeping = Keeping(house, is_on=False)
    keeping.follow(OPENED, SPOKE)
    assert await keeping.recalled() is None


def told(ticket: str = "TKT-1234", source: str = "speech") -> tuple[e.Known, ...]:
    return (
        e.CallOpened(call_sid="CA2", from_number="anonymous", parameters={"company": "Acme"}),
        e.FieldFilled(name="ticket_id", value=ticket, source=source),
    )


async def test_a_ticket_that_the_caller_names_leads_to_the_call_about_it(house: House) -> None:
    await Town(house.journal).call("CA9", OVER, known=KNOWN)
    keeping = Keeping(house)
    house.agent.offers_earlier = True
    keeping.follow(*told())
    await wait_until(lambda: bool(keeping.found), description="the earlier call is found")
    assert keeping.found[0].carried.call_sid == "CA9"
    keeping.follow(e.CallerBegan())
    await house.tasks.close()
    assert len(keeping.found) == 1


@pytest.mark.parametrize(
    "case", ["an agent that offers nothing", "the directory's", "another", "over"]
)
async def test_nobody_else_is_offered_it(house: House, case: str) -> None:
    await Town(house.journal).call("CA9", OVER, known=KNOWN)
    keeping = Keeping(house)
    house.agent.offers_earlier = case != "an agent that offers nothing"
    facts = told(
        "TKT-9" if case == "another" else "TKT-1234",
        "directory" if case == "the directory's" else "speech",
    )
    end = (e.EndingPlanned(ending="hangup"),) if case == "over" else ()
    keeping.follow(*facts, *end)
    await house.tasks.close()
    assert not keeping.found
