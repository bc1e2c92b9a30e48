"""A call that was recovered ends properly, and once, whichever way it ends (requirement R-15)."""

import pytest

from service.call import events as e
from service.call.acts import Act, HangUp, Say, Transfer
from tests.conftest import for_a_moment, wait_until
from tests.session.house import CALL, Caller, House, words_of

pytestmark = pytest.mark.asyncio

GREETING = "Hello and welcome to our support line, dear caller."
FAREWELL = "Thank you for calling us today, and goodbye."
ENDINGS: dict[str, tuple[Act, str, str]] = {
    "hang up": (HangUp(), "hang_up", "hung_up"),
    "transfer": (Transfer("+15550123"), "run_twiml", "transferred"),
}


async def cut_in_its_farewell(house: House, act: Act) -> Caller:
    """A call whose stream drops while the farewell is on its way to the caller."""
    house.agent.script.append([Say(FAREWELL), act])
    house.speech.transcripts.append("that was all")
    caller = await house.connect()
    await caller.is_told(GREETING)
    caller.socket.is_listening = False
    heard = len(caller.socket.marks())
    caller.says()
    await wait_until(
        lambda: len(caller.socket.marks()) > heard and caller.call.ending != "",
        description="the farewell is sent",
    )
    await caller.has_dropped()
    return caller


async def ended_once(house: House, caller: Caller, asked: str, reason: str) -> None:
    await wait_until(lambda: caller.call.phase == "ended", description="the call has ended")
    await wait_until(lambda: caller.socket.closed is not None, description="the stream is closed")
    await for_a_moment(0.1)
    assert [what for what, _ in house.carrier.asked] == [asked]
    ended = [fact for fact in await house.facts() if isinstance(fact, e.CallEnded)]
    assert [fact.reason for fact in ended] == [reason]
    assert words_of(caller.call).count(FAREWELL) == 1
    assert caller.call.transcript[-1].heard == FAREWELL


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_farewell_that_a_drop_cut_is_heard_on_the_next_stream_and_then_the_call_ends_once(
    house: House, ending: str
) -> None:
    act, asked, reason = ENDINGS[ending]
    await cut_in_its_farewell(house, act)
    assert house.carrier.asked == []
    await ended_once(house, await house.returns(), asked, reason)
    assert await house.try_to_connect(stream_sid="MZ9") is None


@pytest.mark.parametrize("ending", ENDINGS)
async def test_another_process_finishes_the_farewell_and_ends_the_call_once(
    house: House, elsewhere: House, ending: str
) -> None:
    act, asked, reason = ENDINGS[ending]
    await cut_in_its_farewell(house, act)
    await ended_once(elsewhere, await elsewhere.returns(), asked, reason)
    assert house.carrier.asked == []


async def test_a_recovered_call_ends_when_the_carrier_says_so(house: House) -> None:
    caller = await house.connect()
    await caller.is_told(GREETING)
    await caller.has_dropped()
    again = await house.returns()
    await house.write(e.CallEnded(reason="completed"))
    await wait_until(lambda: again.socket.closed is not None, description="the stream is closed")
    await wait_until(
        lambda: house.switchboard.find(CALL) is None, description="its session is gone"
    )
    assert house.carrier.asked == []
