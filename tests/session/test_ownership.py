"""Who holds the call: two sockets, two processes, a store that fails, and what must not happen."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from typing_extensions import override

from service.audio import samples
from service.call import events as e
from service.journal.journal import Journal
from service.journal.values import Outcome
from service.session import watch
from service.session.kept import ledger
from service.session.line import CLOSE_REPLACED
from tests.conftest import for_a_moment, wait_until
from tests.session.house import CALL, House, words_of
from tests.session.troubles import FailingJournal

pytestmark = pytest.mark.asyncio

OLDER = b"\x01"  # as loud as any voice, and told from it
GREETING = "Hello and welcome to our support line, dear caller."


@pytest_asyncio.fixture
async def failing(journal: Journal) -> FailingJournal:
    return FailingJournal(journal)


@pytest_asyncio.fixture
async def shaky(failing: FailingJournal) -> AsyncIterator[House]:
    opened = House(failing)
    yield opened
    failing.fails.clear()
    await opened.close()


async def test_the_newest_stream_wins_and_the_older_one_ends_nothing(house: House) -> None:
    house.speech.transcripts.append("this came by the newer stream")
    first = await house.connect()
    await first.is_told(GREETING)
    second = await house.connect(stream_sid="MZ2")
    await wait_until(lambda: first.socket.closed is not None, description="the older is closed")
    assert first.socket.closed == (CLOSE_REPLACED, "replaced")
    assert second.session is first.session
    assert second.epoch == first.epoch + 1
    first.drops("stop")
    first.presses("9")
    first.session.heard_audio(first.epoch, OLDER * samples(200), house.clock.now_ms())
    first.falls_silent()
    first.session.echoed(first.epoch, "e1.p1.99999")
    second.presses("5")
    await wait_until(lambda: second.call.digits_pending != "", description="a key is noted")
    assert second.call.digits_pending == "5"
    second.says()
    await second.is_told("You said this came by the newer stream to me.")
    assert not any(OLDER in sound for sound in house.speech.heard)
    assert second.call.phase == "live"
    assert second.socket.closed is None
    assert [stream.reason for stream in second.call.streams] == ["replaced", ""]
    assert second.call.streams[-1].cause == "duplicate"


async def test_many_streams_at_once_leave_one_owner(house: House) -> None:
    taken = await asyncio.gather(*(house.connect(stream_sid=f"MZ{n}") for n in range(8)))
    assert sorted(one.epoch for one in taken) == list(range(1, 9))
    newest = max(taken, key=lambda one: one.epoch)
    await newest.is_told(GREETING)
    assert [one.socket.closed for one in taken].count(None) == 1
    assert newest.socket.closed is None
    assert (await house.kinds()).count("Greeted") == 1


async def test_the_same_stream_dialled_again_is_a_take_over(house: House) -> None:
    first = await house.connect(stream_sid="MZ1")
    await first.is_told(GREETING)
    second = await house.connect(stream_sid="MZ1", door="redial")
    await wait_until(lambda: first.socket.closed is not None, description="the older is closed")
    first.drops("stop")
    await for_a_moment(0.05)
    assert second.call.phase == "live"
    assert [stream.epoch for stream in second.call.streams] == [1, 2]


async def test_another_process_takes_the_call_and_this_one_ends_silently(
    house: House, elsewhere: House
) -> None:
    here = await house.connect()
    await here.is_told(GREETING)
    there = await elsewhere.returns()
    await wait_until(lambda: here.socket.closed is not None, description="the loser's is closed")
    assert here.socket.closed == (CLOSE_REPLACED, "over")
    await wait_until(lambda: len(house.switchboard) == 0, description="the loser's session is gone")
    assert "hang_up" not in [what for what, _ in house.carrier.asked]
    stored = await house.stored()
    assert stored.phase == "live"
    assert stored.streams[-1].cause == "crash"
    assert there.socket.closed is None


async def test_the_loser_does_not_speak_what_the_winner_says(
    house: House, elsewhere: House
) -> None:
    here = await house.connect()
    await here.is_told(GREETING)
    elsewhere.speech.transcripts.append("hello you")
    there = await elsewhere.returns()
    there.says()
    await there.is_told("You said hello you to me.")
    await wait_until(lambda: len(house.switchboard) == 0, description="the loser is gone")
    assert len(house.agent.turns) == 1
    assert house.speech.said == [GREETING]


async def test_an_idle_owner_learns_from_its_lease_that_it_lost_the_call(
    house: House, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "RENEW_MS", 20)
    here = await house.connect()
    await here.is_told(GREETING)
    now_ms = house.clock.now_ms()
    await journal.claim(CALL, (), owner="thief", until_ms=now_ms + 5_000, now_ms=now_ms)
    await wait_until(lambda: here.socket.closed is not None, description="the socket is closed")
    assert here.socket.closed == (CLOSE_REPLACED, "over")


async def test_a_call_that_was_elsewhere_meanwhile_comes_back(
    house: House, elsewhere: House
) -> None:
    here = await house.connect()
    await here.is_told(GREETING)
    await here.has_dropped()
    there = await elsewhere.returns(stream_sid="MZ2")
    await there.has_dropped()
    back = await house.returns(stream_sid="MZ3")
    assert [stream.epoch for stream in back.call.streams] == [1, 2, 3]
    back.presses("7")
    await wait_until(lambda: back.call.digits_pending == "7", description="a key is noted")


async def test_a_late_arrival_that_lost_to_a_newer_claim_does_not_steal_the_call_back(
    house: House, journal: Journal
) -> None:
    class Overtaken(FailingJournal):
        @override
        async def append(self, call_sid: str, bodies: Sequence[bytes], **named: Any) -> Outcome:
            if self.fails:
                self.fails.clear()
                now_ms = house.clock.now_ms()
                await journal.claim(CALL, (), owner="newer", until_ms=now_ms, now_ms=now_ms)
            return await journal.append(call_sid, bodies, **named)

    overtaken = Overtaken(journal)
    overtaken.fails.add("once")
    late = House(overtaken, owner="late")
    assert await late.try_to_connect() is None
    await late.close()
    reading = await journal.read(CALL)
    assert getattr(reading, "epoch", 0) == 2


async def test_a_store_that_fails_at_the_claim_refuses_the_stream(
    shaky: House, failing: FailingJournal
) -> None:
    failing.fails.add("claim")
    assert await shaky.try_to_connect() is None
    await wait_until(lambda: len(shaky.switchboard) == 0, description="no session is left")
    failing.fails.clear()
    caller = await shaky.connect()
    await caller.is_told(GREETING)


async def test_a_store_that_fails_at_the_first_write_refuses_the_stream(
    shaky: House, failing: FailingJournal
) -> None:
    failing.fails.add("append")
    assert await shaky.try_to_connect() is None
    await wait_until(lambda: len(shaky.switchboard) == 0, description="no session is left")
    failing.fails.clear()
    caller = await shaky.connect(stream_sid="MZ2", door="resume")
    await caller.is_told(GREETING)
    assert (await shaky.kinds()).count("Greeted") == 1


async def test_a_store_that_fails_in_the_talk_closes_the_stream_and_the_return_goes_on(
    shaky: House, failing: FailingJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "AGAIN_MS", 1)
    caller = await shaky.connect()
    await caller.is_told(GREETING)
    failing.fails.add("append")
    caller.presses("1")
    await wait_until(lambda: caller.socket.closed is not None, description="the stream is closed")
    assert caller.socket.closed == (1000, "over")
    failing.fails.clear()
    again = await shaky.returns()
    again.presses("2")
    await wait_until(lambda: again.call.digits_pending == "2", description="the talk goes on")
    assert words_of(again.call) == [GREETING]


async def test_what_others_wrote_is_read_when_the_store_is_back_and_the_talk_goes_on_meanwhile(
    shaky: House, failing: FailingJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-6: a store that is away again when there is news costs no stream."""
    monkeypatch.setattr(watch, "AGAIN_MS", 5)
    caller = await shaky.connect()
    await caller.is_told(GREETING)
    failing.fails.add("read")
    await shaky.write(e.NoteAdded(text="one"), key="one")
    await wait_until(lambda: failing.refused > 2, description="it is asked for again and again")
    assert caller.socket.closed is None
    failing.fails.clear()
    await wait_until(lambda: len(caller.call.notes) == 1, description="the note is known")
    caller.presses("1")
    await wait_until(lambda: caller.call.digits_pending == "1", description="the talk goes on")


async def test_what_others_wrote_is_found_though_the_ring_was_lost(
    shaky: House, failing: FailingJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "RENEW_MS", 5)
    failing.fails.add("listen")
    caller = await shaky.connect()
    await caller.is_told(GREETING)
    await shaky.write(e.NoteAdded(text="one"), key="one")
    await wait_until(lambda: len(caller.call.notes) == 1, description="the note is known")


async def test_a_lease_that_can_not_be_renewed_for_a_moment_ends_nothing(
    shaky: House, failing: FailingJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "RENEW_MS", 5)
    caller = await shaky.connect()
    await caller.is_told(GREETING)
    failing.fails.add("lease")
    await for_a_moment(0.05)
    failing.fails.clear()
    assert caller.socket.closed is None
    assert caller.call.phase == "live"


async def test_a_snapshot_is_kept_and_one_of_another_version_is_passed_over(
    house: House, elsewhere: House, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "SNAPSHOT_EVERY", 5)
    caller = await house.connect()
    await caller.is_told(GREETING)
    reading = await journal.read(CALL)
    snapshot = getattr(reading, "snapshot", None)
    assert snapshot is not None
    assert snapshot.position >= 5
    await caller.has_dropped()
    await journal.snapshot(
        CALL, epoch=caller.epoch, position=caller.call.position, body=b'{"phase": 7}'
    )
    again = await elsewhere.returns()
    assert words_of(again.call) == [GREETING]
    assert len(again.call.streams) == 2


async def test_a_snapshot_that_can_not_be_kept_costs_nothing(
    shaky: House, failing: FailingJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "SNAPSHOT_EVERY", 1)
    failing.fails.add("snapshot")
    caller = await shaky.connect()
    await caller.is_told(GREETING)
    assert caller.socket.closed is None


async def test_an_erased_call_is_let_go_and_nothing_is_written_again(
    house: House, journal: Journal
) -> None:
    caller = await house.connect()
    await caller.is_told(GREETING)
    await journal.erase(CALL)
    await wait_until(lambda: len(house.switchboard) == 0, description="the session is gone")
    await wait_until(lambda: caller.socket.closed is not None, description="the socket is closed")
    assert await journal.open_calls() == ()


async def test_a_stream_whose_bringer_went_away_is_not_held_for_ever(
    shaky: House, failing: FailingJournal
) -> None:
    failing.may_claim.clear()
    bringing = asyncio.create_task(shaky.try_to_connect())
    await wait_until(lambda: len(shaky.switchboard) == 1, description="a session is made")
    bringing.cancel()
    await asyncio.gather(bringing, return_exceptions=True)
    failing.may_claim.set()
    session = shaky.switchboard.find(CALL)
    assert session is not None
    await wait_until(lambda: session.call.phase == "detached", description="the stream is let go")
