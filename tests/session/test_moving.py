"""A server that goes down has its calls moved, in their pauses (requirement O-9)."""

import asyncio

import pytest

from service.call import events as e
from service.call.acts import Say, UseTool
from service.errors import CallGone, CarrierBusy, StoreError
from service.session import acting
from tests.conftest import for_a_moment, wait_until
from tests.session.house import CALL, Caller, House, words_of

pytestmark = pytest.mark.asyncio

GREETING = "Hello and welcome to our support line, dear caller."


async def a_call(house: House) -> Caller:
    caller = await house.connect()
    await caller.is_told(GREETING)
    await wait_until(lambda: caller.session.may_part, description="nobody speaks")
    return caller


async def is_let_go(house: House) -> None:
    await wait_until(lambda: house.switchboard.find(CALL) is None, description="the session ends")


async def test_a_moved_call_is_led_to_the_way_back_and_its_session_does_not_linger(
    house: House,
) -> None:
    caller = await a_call(house)
    caller.session.leave(is_alone=False)
    await wait_until(lambda: bool(house.carrier.asked), description="the carrier is asked")
    assert house.carrier.asked == [("redirect", "https://calls.example.com/twiml/resume?moved=1")]
    assert house.switchboard.find(CALL) is caller.session
    caller.drops("stop")
    await is_let_go(house)
    stored = await house.stored()
    assert [stream.reason for stream in stored.streams] == ["restart"]
    again = await house.returns()
    assert again.call.streams[-1].cause == "deploy"
    assert again.call.drops_since(0) == 0
    assert words_of(again.call) == [GREETING]


async def test_without_another_server_the_carrier_is_told_to_wait(house: House) -> None:
    caller = await a_call(house)
    caller.session.leave(is_alone=True)
    await wait_until(lambda: bool(house.carrier.asked), description="the carrier is asked")
    (twiml,) = house.carrier.asked_for("run_twiml")
    assert "<Pause" in twiml
    assert "/twiml/resume?moved=1#rc=5" in twiml


@pytest.mark.parametrize("trouble", ["refuses", "never answers"])
async def test_a_carrier_that_does_not_move_the_call_loses_its_stream_and_asks_by_itself(
    house: House, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await a_call(house)
    if trouble == "refuses":
        house.carrier.trouble = CarrierBusy("too many requests")
    else:
        monkeypatch.setattr(acting, "MOVE_MS_MAX", 30)
        house.carrier.may_answer.clear()
    caller.session.leave(is_alone=False)
    await is_let_go(house)
    await wait_until(lambda: caller.socket.closed is not None, description="the stream is closed")
    stored = await house.stored()
    assert [stream.reason for stream in stored.streams] == ["restart"]
    assert (await house.returns()).call.streams[-1].cause == "deploy"


async def test_a_call_that_the_carrier_no_longer_knows_is_over(house: House) -> None:
    caller = await a_call(house)
    house.carrier.trouble = CallGone("not there", status=404, code=20404)
    caller.session.leave(is_alone=False)
    await is_let_go(house)
    assert (await house.stored()).end_reason == "gone_at_carrier"


async def test_a_call_without_a_stream_is_let_go_of_at_once(house: House) -> None:
    caller = await a_call(house)
    await caller.has_dropped()
    assert caller.session.may_part
    caller.session.leave(is_alone=False)
    await is_let_go(house)
    assert house.carrier.asked == []


async def test_a_caller_who_speaks_or_is_spoken_to_is_no_pause(house: House) -> None:
    caller = await a_call(house)
    house.agent.may_answer.clear()
    house.speech.transcripts.append("my name is Maria")
    caller.speaks()
    await wait_until(lambda: not caller.session.may_part, description="the caller speaks")
    caller.falls_silent()
    await wait_until(lambda: caller.call.turn is not None, description="an answer is owed")
    assert not caller.session.may_part


async def working(house: House, tool: str) -> Caller:
    """A call whose agent waits for a tool."""
    house.agent.script.append([Say("One moment."), UseTool(tool, {"id": 1})])
    house.toolbox.may_answer.clear()
    house.speech.transcripts.append("please")
    caller = await a_call(house)
    caller.says()
    await wait_until(lambda: bool(house.toolbox.asked), description="the tool is at work")
    await caller.is_told("One moment.")
    return caller


@pytest.mark.parametrize("tool", ["lookup", "note"])
async def test_a_tool_at_work_finishes_here_and_is_not_begun_again_elsewhere(
    house: House, tool: str
) -> None:
    """Requirement R-12: the next holder waits for us, as long as we live."""
    caller = await working(house, tool)
    caller.session.leave(is_alone=False)
    await wait_until(lambda: bool(house.carrier.asked), description="the carrier is asked")
    caller.drops("stop")
    await is_let_go(house)
    other = House(house.journal, owner="another", clock=house.clock)
    again = await other.returns()
    due_ms = again.call.operations[0].deadline_ms
    delayed = [fact for fact in await house.facts() if isinstance(fact, e.OperationDelayed)]
    assert [fact.retry_ms for fact in delayed] == ([due_ms] if tool == "lookup" else [])
    await for_a_moment(0.1)
    assert other.toolbox.asked == []
    house.toolbox.may_answer.set()
    await wait_until(
        lambda: [one.status for one in again.call.operations] == ["succeeded"],
        description="the answer is read in the journal",
    )
    assert other.toolbox.asked == []
    await other.close()


async def test_a_store_that_fails_does_not_keep_a_call_here(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await working(house, "note")

    async def fails(*_given: object, **_named: object) -> bool:
        raise StoreError("the store is away")

    monkeypatch.setattr(house.journal, "lease", fails)
    caller.session.leave(is_alone=False)
    await wait_until(lambda: bool(house.carrier.asked), description="the carrier is asked")
    assert b"stayline_store_errors_total 1.0" in house.meter.text()


async def test_a_drain_ends_when_the_last_call_has_gone(house: House) -> None:
    caller = await a_call(house)
    asked: list[bool] = []

    async def there() -> bool:
        asked.append(True)
        return len(asked) > 1

    draining = asyncio.create_task(house.switchboard.drain(there))
    await wait_until(lambda: bool(house.carrier.asked), description="the carrier is asked")
    assert house.switchboard.is_draining
    assert not house.switchboard.is_alone
    assert not draining.done()
    caller.drops("stop")
    await draining
    assert len(house.switchboard) == 0


async def test_facts_of_a_move_stand_in_the_journal_before_the_carrier_is_asked(
    house: House,
) -> None:
    caller = await a_call(house)
    house.carrier.may_answer.clear()
    caller.session.leave(is_alone=False)
    await wait_until(lambda: bool(house.carrier.asked), description="the carrier is asked")
    assert e.MovePlanned() in await house.facts()
    house.carrier.may_answer.set()
