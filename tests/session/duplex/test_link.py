import asyncio
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.agent.duplex import CallerBegan, Failed, GoAway, Past, SpeechEvent, SpeechSession
from service.errors import BrainError, BrainRefused
from service.session.duplex import link as links
from service.session.duplex.link import GO_AWAY_SPARE_MS, Link
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


class Wire:
    """A session that says what it is given."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[SpeechEvent] = asyncio.Queue()
        self.done: list[str] = []
        self.may_send = asyncio.Event()
        self.may_send.set()
        self.is_dead = self.is_closed = False

    async def events(self) -> AsyncIterator[SpeechEvent]:
        while True:
            yield await self.told.get()

    async def respond(self, hint: str = "") -> None:
        await self.may_send.wait()
        if self.is_dead:
            raise BrainError("gone")
        self.done.append(hint)

    async def send_audio(self, ulaw: bytes) -> None:
        raise RuntimeError(f"a fault of the brain: {len(ulaw)}")

    async def note(self, entry: Past) -> None:
        """It is no matter here."""

    async def heard(self, item: str, ms: int) -> None:
        """It is no matter here."""

    async def truncate(self, item: str, heard_ms: int) -> None:
        """It is no matter here."""

    async def tool_result(self, call_id: str, result: str) -> None:
        """It is no matter here."""

    async def close(self) -> None:
        self.is_closed = True


class Ends:
    """Both ends of a link: the sessions that were opened, and what was told of them."""

    def __init__(self) -> None:
        self.wires: list[Wire] = []
        self.refusals: list[Exception] = []
        self.log: list[str] = []
        self.events: list[SpeechEvent] = []
        self.link = Link(
            "CA1",
            random.Random(5),
            self.open,
            on_open=lambda: self.note("open"),
            on_event=self.events.append,
            on_closed=lambda: self.note("closed"),
            on_away=lambda: self.note("away"),
            on_gone=lambda: self.note("gone"),
        )

    def note(self, what: str) -> None:
        self.log.append(what)
        if what == "open":
            self.order("first")

    def order(self, word: str) -> None:
        self.link.order(lambda session: session.respond(word))

    async def open(self) -> SpeechSession:
        if self.refusals:
            raise self.refusals.pop()
        self.wires.append(Wire())
        return self.wires[-1]

    async def opened(self, count: int) -> Wire:
        await wait_until(
            lambda: len(self.wires) == count and self.link.is_open, description="a session"
        )
        return self.wires[-1]


@pytest_asyncio.fixture
async def ends(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ends]:
    monkeypatch.setattr(links, "BACKOFF_MS", 4)
    ends = Ends()
    running = asyncio.create_task(ends.link.run())
    yield ends
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert all(wire.is_closed for wire in ends.wires)


async def test_nothing_is_opened_before_it_is_wanted_and_orders_keep_their_order(
    ends: Ends,
) -> None:
    ends.order("lost")
    assert not ends.wires
    ends.link.want()
    wire = await ends.opened(1)
    ends.order("second")
    await wait_until(lambda: len(wire.done) == 2, description="both are done")
    assert wire.done == ["first", "second"]


async def test_a_session_that_dies_is_followed_by_the_next(ends: Ends) -> None:
    ends.link.want()
    wire = await ends.opened(1)
    wire.told.put_nowait(CallerBegan())
    wire.told.put_nowait(Failed("the socket"))
    await ends.opened(2)
    assert ends.events == [CallerBegan()]
    assert ends.log == ["open", "closed", "open"]
    assert wire.is_closed


async def test_an_order_that_fails_ends_the_session(ends: Ends) -> None:
    ends.link.want()
    wire = await ends.opened(1)
    wire.is_dead = True
    ends.order("in vain")
    await ends.opened(2)
    ends.link.order(lambda session: session.send_audio(b"abc"))
    await ends.opened(3)


async def test_a_server_that_can_not_be_reached_is_asked_again_and_the_caller_is_told(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "AWAY_MS", 1)
    monkeypatch.setattr(links, "GONE_MS", 30)
    ends.refusals = [BrainError("no"), OSError("no")] * 4
    ends.link.want()
    await ends.opened(1)
    assert ends.log == ["away", "gone", "open"]


async def test_a_server_that_will_not_have_us_is_given_up_at_once_and_once(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "BACKOFF_MS", 1)
    ends.refusals = [BrainRefused("HTTP 401")] * 3
    ends.link.want()
    await ends.opened(1)
    assert ends.log == ["gone", "open"]


async def test_an_answer_that_is_owed_too_long_ends_the_session(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "ANSWER_MS_MAX", 10)
    ends.link.expect()  # Of nobody.
    ends.link.want()
    await ends.opened(1)
    ends.link.expect()
    ends.link.answered()
    ends.link.expect()
    await ends.opened(2)


async def test_a_server_that_takes_nothing_is_given_up(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "ORDERS_MAX", 3)
    ends.link.want()
    wire = await ends.opened(1)
    wire.may_send.clear()
    for _ in range(5):
        ends.order("more")
    await ends.opened(2)


async def test_a_session_that_will_end_is_left_before(ends: Ends) -> None:
    ends.link.want()
    wire = await ends.opened(1)
    wire.told.put_nowait(GoAway(60_000))
    await wait_until(lambda: ends.link.is_renewal_due, description="it is due")
    wire.told.put_nowait(GoAway(GO_AWAY_SPARE_MS + 5))
    await ends.opened(2)
    assert not ends.link.is_renewal_due


async def test_a_server_that_opens_sessions_only_to_end_them_is_as_good_as_away(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "FLAPS_MAX", 3)
    ends.link.want()
    for count in (1, 2, 3):
        (await ends.opened(count)).told.put_nowait(Failed("at once"))
    await ends.opened(4)
    assert ends.log.count("gone") == 1
    monkeypatch.setattr(links, "STEADY_MS", 0)
    ends.wires[-1].told.put_nowait(Failed("after a long life"))
    await ends.opened(5)
    assert ends.log.count("gone") == 1


async def test_a_link_without_a_session_has_nothing_to_drop(ends: Ends) -> None:
    ends.link.drop("nothing")
    assert not ends.link.is_open


async def test_a_link_that_rests_has_no_session_until_one_is_wanted_again(ends: Ends) -> None:
    ends.link.rest()
    ends.link.want()
    wire = await ends.opened(1)
    ends.link.rest()
    await wait_until(lambda: wire.is_closed, description="it is closed")
    assert ends.log == ["open", "closed"]
    ends.link.rest()
    ends.link.want()
    await ends.opened(2)
    assert ends.log == ["open", "closed", "open"]


async def test_a_session_that_opens_while_the_link_rests_is_closed_unused(ends: Ends) -> None:
    ends.refusals.append(BrainError("away"))
    ends.link.want()
    await wait_until(lambda: not ends.refusals, description="the first attempt failed")
    ends.link.rest()
    await wait_until(lambda: bool(ends.wires), description="the second attempt is through")
    await wait_until(lambda: ends.wires[0].is_closed, description="it is closed")
    assert "open" not in ends.log
