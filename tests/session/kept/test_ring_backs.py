import asyncio

import pytest
import pytest_asyncio
from msgspec.structs import replace
from typing_extensions import override

from service.call import events as e
from service.call.folds.fold import fold
from service.call.place import Place
from service.call.state import FROM_PAGE, Call
from service.clock import Clock
from service.errors import CarrierError, StoreUnavailable
from service.journal.journal import Journal
from service.journal.values import Reading
from service.session.kept import ring_backs
from service.session.kept.records import rebuilt
from service.session.kept.ring_backs import RingBacks, names, number_name
from tests.session.parts import NotingCarrier

pytestmark = pytest.mark.asyncio

WINDOW_MS = 600_000
NUMBER = "+15550001"
KNOWN = {"company": "Acme", "ticket_id": "TKT-1234"}


class Town:
    """A journal with calls in it, and a clock that a test may set forward."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.carrier = NotingCarrier()
        self.clock = LaterClock()
        self.ring_backs = RingBacks(journal, self.carrier, self.clock, WINDOW_MS)

    async def call(
        self,
        sid: str,
        *facts: e.Known,
        number: str = NUMBER,
        known: dict[str, str] | None = None,
        direction: str = "inbound",
    ) -> Call:
        """A call that the caller told something in, and that is remembered."""
        opened = e.CallOpened(
            call_sid=sid,
            from_number=number,
            to_number="+15550100",
            parameters=KNOWN if known is None else known,
            direction=direction,
        )
        told = e.FieldFilled(name="problem", value="smoke", source="speech")
        bodies = tuple(map(e.encode, (opened, told, *facts)))
        await self.journal.open(sid, bodies, now_ms=self.clock.now_ms())
        call = await self.state(sid)
        for name in names(call):
            await self.ring_backs.remember(sid, name)
        return call

    async def state(self, sid: str) -> Call:
        reading = await self.journal.read(sid)
        assert isinstance(reading, Reading)
        return rebuilt(None, reading.records)

    async def recalled(self, name: str) -> str | None:
        return await self.journal.recall(name, now_ms=self.clock.now_ms())


class LaterClock(Clock):
    """A clock that is ahead of the real one by `ahead_ms`."""

    ahead_ms = 0

    @override
    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


@pytest_asyncio.fixture
async def town(journal: Journal) -> Town:
    return Town(journal)


def ringing(sid: str = "CA2", number: str = NUMBER, known: dict[str, str] | None = None) -> Call:
    opened = e.CallOpened(
        call_sid=sid, from_number=number, parameters=KNOWN if known is None else known
    )
    return fold(Call(), opened, Place(1, 0, 1))


OVER = e.CallEnded(reason="completed")


async def test_names_are_hashed_and_withheld_numbers_have_none(town: Town) -> None:
    call = await town.call("CA1")
    assert number_name(NUMBER) in names(call)
    assert len(names(call)) == 3
    assert not any("1234" in name or NUMBER in name for name in names(call))
    assert len(names(ringing(number="anonymous", known={}))) == 0


async def test_who_rings_back_is_known_by_the_number(town: Town) -> None:
    await town.call("CA1", OVER)
    carried = await town.ring_backs.of_number(ringing())
    assert carried is not None
    assert (carried.call_sid, carried.by) == ("CA1", "number")
    assert carried.fields["problem"].value == "smoke"
    assert (await town.state("CA1")).carried_on == "CA2"


async def test_a_webhook_asked_twice_finds_the_same_and_another_call_finds_nothing(
    town: Town,
) -> None:
    await town.call("CA1", OVER)
    first = await town.ring_backs.of_number(ringing())
    assert first is not None
    assert await town.ring_backs.of_number(ringing()) == first
    assert await town.ring_backs.of_number(ringing("CA3")) is None


async def test_the_call_that_went_on_and_was_cut_off_too_is_gone_on_with(town: Town) -> None:
    await town.call("CA1", OVER)
    carried = await town.ring_backs.of_number(ringing())
    assert carried is not None
    opened = e.CallOpened(call_sid="CA2", from_number=NUMBER)
    facts: tuple[e.Known, ...] = (opened, carried, OVER)
    bodies = tuple(map(e.encode, facts))
    await town.journal.open("CA2", bodies, now_ms=town.clock.now_ms())
    again = await town.ring_backs.of_number(ringing("CA3"))
    assert again is not None
    assert (again.call_sid, again.fields["problem"].value) == ("CA2", "smoke")


@pytest.mark.parametrize(
    "facts",
    [
        (e.EndingPlanned(ending="hangup"), OVER),
        (e.EndingPlanned(ending="transfer"), e.CallEnded(reason="transferred")),
        (e.CallEnded(reason="hung_up"),),
    ],
    ids=["farewell", "transfer", "ours"],
)
async def test_what_we_ended_is_not_gone_on_with(town: Town, facts: tuple[e.Known, ...]) -> None:
    await town.call("CA1", *facts)
    assert await town.ring_backs.of_number(ringing()) is None


async def test_a_call_that_goes_on_stays_alone_and_one_that_does_not_is_gone_on_with(
    town: Town,
) -> None:
    await town.call("CA1")
    assert await town.ring_backs.of_number(ringing()) is None
    town.carrier.trouble = CarrierError("busy")
    assert await town.ring_backs.of_number(ringing()) is None
    town.carrier.trouble, town.carrier.live = None, False
    carried = await town.ring_backs.of_number(ringing())
    assert carried is not None
    assert (await town.state("CA1")).end_reason == "gone_at_carrier"


async def test_too_late_is_too_late(town: Town) -> None:
    await town.call("CA1", OVER)
    town.clock.ahead_ms = WINDOW_MS + 1_000
    assert await town.ring_backs.of_number(ringing()) is None


async def test_a_withheld_number_leads_nowhere_and_neither_does_no_window(town: Town) -> None:
    await town.call("CA1", OVER, number="anonymous")
    assert await town.ring_backs.of_number(ringing(number="anonymous")) is None
    await town.call("CA3", OVER)
    off = RingBacks(town.journal, town.carrier, town.clock, 0)
    assert await off.of_number(ringing()) is None
    assert await off.of_ticket(ringing()) is None


async def test_another_number_with_the_same_ticket_and_company_finds_it(town: Town) -> None:
    await town.call("CA1", OVER)
    carried = await town.ring_backs.of_ticket(ringing(number="+15550009"))
    assert carried is not None
    assert carried.by == "ticket"


@pytest.mark.parametrize(
    ("known", "is_found"),
    [
        ({"company": "ACME", "ticket_id": "1234"}, True),
        ({"company": "Acme", "ticket_id": "tkt1234"}, True),
        ({"company": "Acme", "ticket_id": "OPS-1234"}, False),
        ({"company": "Other", "ticket_id": "TKT-1234"}, False),
        ({"ticket_id": "TKT-1234"}, False),
        ({"company": "Acme", "ticket_id": "TKT-1235"}, False),
        ({"company": "Acme"}, False),
    ],
)
async def test_a_ticket_opens_only_what_is_its_own(
    town: Town, known: dict[str, str], *, is_found: bool
) -> None:
    await town.call("CA1", OVER)
    found = await town.ring_backs.of_ticket(ringing(number="anonymous", known=known))
    assert (found is not None) is is_found


async def test_a_callback_goes_on_with_the_call_it_is_for(town: Town) -> None:
    await town.call("CA1", e.DropLimitReached(drops=3), e.CallEnded(reason="drop_limit"))
    carried = await town.ring_backs.of_callback(ringing(), "CA1")
    assert carried is not None
    assert carried.by == "callback"
    assert await town.ring_backs.of_callback(ringing("CA3"), "CA9") is None


async def test_a_call_that_is_over_is_remembered_for_the_window_or_forgotten(town: Town) -> None:
    cut = await town.call("CA1", OVER)
    await town.ring_backs.settle(cut)
    assert await town.recalled(number_name(NUMBER)) == "CA1"
    town.clock.ahead_ms = WINDOW_MS + 1_000
    assert await town.recalled(number_name(NUMBER)) is None
    done = await town.call("CA2", e.EndingPlanned(ending="hangup"), OVER)
    await town.call("CA3", number="+15550007", known={})
    await town.ring_backs.settle(done)
    town.clock.ahead_ms += 10
    assert await town.recalled(number_name(NUMBER)) is None
    assert await town.recalled(number_name("+15550007")) == "CA3"


async def test_a_store_that_fails_costs_nobody_a_call(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.call("CA1", OVER)

    async def fail(*_given: object, **_named: object) -> None:
        raise StoreUnavailable("no disk")

    monkeypatch.setattr(town.journal, "recall", fail)
    monkeypatch.setattr(town.journal, "read", fail)
    assert await town.ring_backs.of_number(ringing()) is None
    assert await town.ring_backs.of_ticket(ringing()) is None
    assert await town.ring_backs.of_callback(ringing(), "CA1") is None


async def test_a_store_that_hangs_keeps_nobody_ringing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_given: object, **_named: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(town.journal, "recall", hang)
    monkeypatch.setattr(ring_backs, "RECALL_S_MAX", 0.001)
    assert await town.ring_backs.of_number(ringing()) is None


async def test_a_call_from_a_page_is_gone_on_with_by_nobody_who_phones(town: Town) -> None:
    page = await town.call("WB1", OVER, number="", direction=FROM_PAGE)
    assert names(page) == frozenset()
    await town.ring_backs.settle(page)
    for name in names(ringing()):  # as another version of the code may have remembered it
        await town.ring_backs.remember("WB1", name)
    assert await town.ring_backs.of_number(ringing()) is None
    assert await town.ring_backs.of_ticket(ringing()) is None
    assert await town.ring_backs.of_callback(ringing(), "WB1") is None
    assert (await town.state("WB1")).carried_on == ""


async def test_a_page_goes_on_with_no_call_that_was_phoned(town: Town) -> None:
    await town.call("CA1", OVER)
    opened = e.CallOpened(call_sid="WB1", direction=FROM_PAGE, parameters=KNOWN)
    page = fold(Call(), opened, Place(1, 0, 1))
    assert await town.ring_backs.of_ticket(page) is None
    assert await town.ring_backs.of_number(page) is None
    assert (await town.state("CA1")).carried_on == ""


async def test_who_rings_another_tenant_is_somebody_else_there(town: Town) -> None:
    """S-6: no number, no ticket and no callback leads from one tenant's call into another's."""
    await town.call("CA1", OVER)
    other = replace(ringing(), tenant="acme")
    assert not names(other) & names(ringing())
    assert await town.ring_backs.of_number(other) is None
    assert await town.ring_backs.of_ticket(other) is None
    assert await town.ring_backs.of_callback(other, "CA1") is None
    await town.ring_backs.remember("CA1", number_name(NUMBER, "acme"))
    assert await town.ring_backs.of_number(other) is None
    assert await town.ring_backs.of_number(ringing()) is not None
