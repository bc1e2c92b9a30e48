import pytest

from service.call.state import Prompt, StreamEntry
from service.journal.values import Lease
from service.session.line import CLOSE_REPLACED, Line
from tests.conftest import wait_until
from tests.session.house import House
from tests.session.parts import MemorySocket

pytestmark = pytest.mark.asyncio


async def test_a_line_without_a_stream_is_silent_and_harmless(house: House) -> None:
    line = Line("CA1", house.means)
    line.want((Prompt("p1", 1, ("hello",)),))
    line.echoed("e1.p1.8")
    line.hold()
    assert not line.is_held
    line.release()
    assert not line.is_live
    assert not line.is_busy
    assert line.played() == ()
    assert (await line.unplug("over", 1000)).stream_sid == ""


async def test_a_stream_is_plugged_in_speaks_and_is_unplugged(house: House) -> None:
    line = Line("CA1", house.means)
    socket = MemorySocket()
    socket.is_listening = False
    line.plug_in(house.arrival(socket), 4, lambda _played: None, lambda _reason: None)
    line.want((Prompt("p1", 1, ("hello there",)),))
    await wait_until(lambda: bool(socket.marks()), description="it speaks")
    assert line.is_live
    assert line.is_busy
    gone = await line.unplug("replaced", CLOSE_REPLACED, grace_ms=7)
    assert not line.is_live
    assert (gone.stream_sid, gone.reason) == ("MZ1", "replaced")
    assert gone.played[0].prompt == "p1"
    assert gone.played[0].clauses == 0
    await wait_until(lambda: socket.closed is not None, description="the socket is closed")
    assert socket.closed == (CLOSE_REPLACED, "replaced")
    assert socket.grace_ms == 7


async def test_a_line_is_held_and_released(house: House) -> None:
    line = Line("CA1", house.means)
    socket = MemorySocket()
    line.plug_in(house.arrival(socket), 4, lambda _played: None, lambda _reason: None)
    line.hold()
    line.want((Prompt("p1", 1, ("hello there",)),))
    await wait_until(lambda: bool(house.speech.said), description="it is rendered")
    assert line.is_held
    assert line.is_busy
    assert socket.sent == []
    line.release()
    assert not line.is_held
    await wait_until(lambda: bool(socket.marks()), description="it speaks")
    await line.unplug("over", 1000)
    assert not line.is_held


async def test_two_streams_at_once_are_a_bug_of_ours(house: House) -> None:
    line = Line("CA1", house.means)
    arrival = house.arrival(MemorySocket())
    line.plug_in(arrival, 1, lambda _played: None, lambda _reason: None)
    with pytest.raises(AssertionError):
        line.plug_in(arrival, 2, lambda _played: None, lambda _reason: None)
    await line.unplug("over", 1000)


async def test_the_gap_counts_from_the_last_sound_that_anybody_knows_of(house: House) -> None:
    line = Line("CA1", house.means)
    lease = Lease("there", 1, renewed_ms=700, until_ms=5_000)
    heard = StreamEntry("MZ1", 1, "new", 0, attached_ms=100, detached_ms=900, last_media_ms=800)
    crashed = StreamEntry("MZ1", 1, "new", 0, attached_ms=100)
    assert line.gap_ms((), None, 1_000) == 0
    assert line.gap_ms((heard,), lease, 1_000) == 200
    assert line.gap_ms((crashed,), lease, 1_000) == 300
    assert line.gap_ms((crashed,), None, 1_000) == 900
    assert line.gap_ms((crashed,), None, 50) == 0
    line.last_media_ms = 950
    assert line.gap_ms((heard,), lease, 1_000) == 50
