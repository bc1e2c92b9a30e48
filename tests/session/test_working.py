import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from typing_extensions import override

from service.call import events as e
from service.call.acts import Say, UseTool
from service.journal.journal import Journal
from service.journal.values import Outcome as Written
from service.session import working as module
from service.switchboard.switchboard import Switchboard
from service.tools.terms import Outcome
from tests.conftest import for_a_moment, wait_until
from tests.session.house import Caller, House
from tests.session.troubles import FailingJournal

pytestmark = pytest.mark.asyncio


class Overtaken(FailingJournal):
    """A journal whose process writes the end of a tool a moment after somebody else did something."""

    before: Callable[[], Awaitable[object]] | None = None

    @override
    async def append(self, call_sid: str, bodies: Sequence[bytes], **named: Any) -> Written:
        is_end = any(isinstance(e.decode(body), e.OperationEnded) for body in bodies)
        if self.before is not None and is_end:
            before, self.before = self.before, None
            await before()
        return await super().append(call_sid, bodies, **named)


@pytest_asyncio.fixture
async def slow(journal: Journal) -> AsyncIterator[tuple[House, Overtaken]]:
    """A house that is always a moment too late, and hears of nobody's writing."""
    overtaken = Overtaken(journal)
    overtaken.fails.add("listen")
    opened = House(overtaken, owner="slow")
    yield opened, overtaken
    await opened.close()


async def using(house: House, tool: str = "note") -> Caller:
    """A caller whose agent uses a tool at once, and tells what it brought."""
    house.agent.greeting = [Say("One moment."), UseTool(tool, {"ticket": "TKT-1"})]
    house.agent.script.append([Say("It is done.")])
    return await house.connect()


def statuses(caller: Caller) -> list[str]:
    return [one.status for one in caller.call.operations]


async def test_a_tool_works_beside_the_talk_and_its_end_is_told(house: House) -> None:
    caller = await using(house)
    await caller.is_told("It is done.")
    assert house.toolbox.asked == [
        ("note", {"ticket": "TKT-1"}, "CA00000000000000000000000000000001:t1.1")
    ]
    assert house.agent.turns[-1].operations == ("t1.1",)
    assert caller.call.operations[0].result == '{"done":true}'


async def test_neither_what_a_tool_is_asked_nor_what_it_answers_is_logged(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    house.toolbox.script.append(Outcome("succeeded", '{"pin":"4711"}'))
    caller = await using(house)
    await caller.is_told("It is done.")
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert "tool_answered" in logged
    assert "TKT-1" not in logged
    assert "4711" not in logged


async def test_a_tool_works_on_while_no_stream_is_attached(house: House) -> None:
    house.toolbox.may_answer.clear()
    caller = await using(house)
    await caller.is_told("One moment.")
    await caller.has_dropped()
    house.toolbox.may_answer.set()
    await wait_until(lambda: statuses(caller) == ["succeeded"], description="the tool ended")
    back = await house.returns()
    await back.is_told("It is done.")
    assert len(house.toolbox.asked) == 1


async def test_a_tool_that_is_busy_is_asked_again_with_the_same_key(house: House) -> None:
    house.toolbox.script.append(Outcome("failed", detail="busy", may_retry=True))
    caller = await using(house, "lookup")
    await caller.is_told("It is done.")
    (first, _, key), (second, _, again) = house.toolbox.asked
    assert (first, key) == (second, again)
    assert caller.call.operations[0].attempts == 2


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError("the user's code"),
        Outcome("succeeded", "this is no JSON"),
        Outcome("unanswered", detail="lost"),
    ],
    ids=repr,
)
async def test_a_tool_of_which_nobody_knows_whether_it_acted_is_unknown(
    house: House, answer: Outcome | BaseException
) -> None:
    house.toolbox.script.append(answer)
    caller = await using(house)
    await wait_until(lambda: statuses(caller) == ["unknown"], description="nobody knows")
    assert len(house.toolbox.asked) == 1


def heed(house: House, *, is_final: bool | None) -> list[bool | None]:
    """Have the store say so of every dispatch, until the list says otherwise."""
    said = [is_final]
    house.means = replace(house.means, is_final=lambda _call_sid, _epoch: said[-1])
    house.switchboard = Switchboard(house.means)
    return said


async def test_a_tool_that_may_work_only_once_waits_until_its_dispatch_is_with_the_store(
    house: House,
) -> None:
    """R-12, seed 2196: else whoever takes the call after a crash has it work again."""
    said = heed(house, is_final=False)
    caller = await using(house)
    await wait_until(lambda: statuses(caller) == ["pending"], description="it is dispatched")
    await for_a_moment(0.1)
    assert not house.toolbox.asked
    said.append(True)
    await wait_until(lambda: statuses(caller) == ["succeeded"], description="it worked")


async def test_a_tool_that_may_be_asked_again_waits_for_no_store(house: House) -> None:
    heed(house, is_final=False)
    caller = await using(house, "lookup")
    await wait_until(lambda: statuses(caller) == ["succeeded"], description="it worked")


async def test_a_tool_whose_dispatch_never_came_to_the_store_has_surely_not_acted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_GRACE_MS", 3_950)
    heed(house, is_final=False)
    caller = await using(house)
    await wait_until(lambda: statuses(caller) == ["failed"], description="that is known")
    assert caller.call.operations[0].detail == module.NOT_BEGUN
    assert not house.toolbox.asked


async def test_a_tool_of_a_dispatch_that_another_owner_overtook_never_works(house: House) -> None:
    heed(house, is_final=None)
    caller = await using(house)
    await wait_until(lambda: statuses(caller) == ["pending"], description="it is dispatched")
    await wait_until(
        lambda: not caller.session._working.running, description="nothing is at work here"
    )
    assert not house.toolbox.asked


async def test_a_tool_that_never_answers_is_not_waited_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_GRACE_MS", 3_950)
    house.toolbox.may_answer.clear()
    caller = await using(house)
    await wait_until(lambda: statuses(caller) == ["unknown"], description="nobody knows")


async def test_who_lost_the_call_leaves_the_tools_answer_in_the_journal(
    house: House, elsewhere: House
) -> None:
    house.toolbox.may_answer.clear()
    caller = await using(house)
    await wait_until(lambda: bool(house.toolbox.asked), description="the tool is at work")
    there = await elsewhere.returns()
    await wait_until(lambda: len(house.switchboard) == 0, description="this process let go")
    house.toolbox.may_answer.set()
    await wait_until(lambda: statuses(there) == ["succeeded"], description="the other one knows")
    assert (len(house.toolbox.asked), len(elsewhere.toolbox.asked)) == (1, 0)
    assert caller.socket.closed is not None


@pytest.mark.parametrize(
    ("outcome", "asked"), [(Outcome("succeeded", "1"), 1), (Outcome("unanswered"), 2)]
)
async def test_a_tool_never_works_twice_at_once_when_its_call_comes_back_to_a_server(
    house: House, elsewhere: House, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, asked: int
) -> None:
    """R-12: the first attempt is at work here, for a session that has let go."""
    monkeypatch.setattr("service.session.kept.ledger.LEASE_MS", 300)
    for one in (house, elsewhere):
        one.toolbox.may_answer.clear()
    house.toolbox.script.append(outcome)
    await using(house, "lookup")
    await wait_until(lambda: bool(house.toolbox.asked), description="the tool is at work")
    await elsewhere.returns()
    await wait_until(lambda: len(house.switchboard) == 0, description="this process let go")
    back = await house.returns(stream_sid="MZ3")
    await wait_until(
        lambda: back.call.operations[0].attempts > 1 and back.call.operations[0].is_running,
        description="another attempt is due",
    )
    await for_a_moment(0.1)
    assert len(house.toolbox.asked) == 1
    house.toolbox.may_answer.set()
    await wait_until(lambda: statuses(back) == ["succeeded"], description="its end is told")
    assert len(house.toolbox.asked) == asked


async def test_the_answer_of_a_call_that_was_erased_meanwhile_is_nobodys(house: House) -> None:
    house.toolbox.may_answer.clear()
    caller = await using(house)
    await wait_until(lambda: bool(house.toolbox.asked), description="the tool is at work")
    await house.journal.erase(caller.session.call_sid)
    await wait_until(lambda: len(house.switchboard) == 0, description="this process let go")
    house.toolbox.may_answer.set()
    async with asyncio.timeout(1):
        await house.tasks.close()
    assert (await house.journal.open_calls()) == ()


async def test_a_tool_of_a_call_that_is_over_is_seen_to_its_end(house: House) -> None:
    house.toolbox.may_answer.clear()
    caller = await using(house)
    await caller.is_told("One moment.")
    await house.write(e.CallEnded(reason="completed"))
    await wait_until(lambda: caller.call.phase == "ended", description="the call is over")
    await wait_until(lambda: caller.socket.closed is not None, description="the line is free")
    assert len(house.switchboard) == 1
    house.toolbox.may_answer.set()
    await wait_until(lambda: len(house.switchboard) == 0, description="nothing is left to do")
    assert (await house.stored()).operations[0].status == "succeeded"


async def test_an_answer_that_can_not_be_left_behind_is_told_to_the_log(
    house: House, elsewhere: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.toolbox.may_answer.clear()
    caller = await using(house)
    await wait_until(lambda: bool(house.toolbox.asked), description="the tool is at work")
    await elsewhere.returns()
    await wait_until(lambda: len(house.switchboard) == 0, description="this process let go")
    caller.session._ledger._journal = failing = FailingJournal(house.journal)
    failing.fails = {"append"}
    house.toolbox.may_answer.set()
    await house.tasks.close()
    assert "a tool's answer was lost" in caplog.text


async def test_an_answer_that_waits_in_the_row_is_no_reason_to_ask_again(
    slow: tuple[House, Overtaken],
) -> None:
    house, journal = slow
    house.toolbox.may_answer.clear()
    caller = await using(house, "lookup")
    await wait_until(lambda: bool(house.toolbox.asked), description="the tool is at work")
    journal.may_claim.clear()
    async with asyncio.TaskGroup() as streams:
        back = streams.create_task(house.returns())
        await wait_until(lambda: caller.socket.closed is not None, description="the stream comes")
        house.toolbox.may_answer.set()
        await wait_until(lambda: not caller.session._working._running, description="it answered")
        journal.may_claim.set()
    await back.result().is_told("It is done.")
    assert len(house.toolbox.asked) == 1


async def test_an_answer_whose_writing_is_refused_is_told_from_outside(
    slow: tuple[House, Overtaken], elsewhere: House
) -> None:
    house, journal = slow
    house.toolbox.may_answer.clear()
    await using(house)
    await wait_until(lambda: bool(house.toolbox.asked), description="the tool is at work")
    journal.before = elsewhere.returns
    house.toolbox.may_answer.set()
    await wait_until(lambda: len(house.switchboard) == 0, description="this process let go")
    assert (await elsewhere.stored()).operations[0].status == "succeeded"


async def test_what_others_wrote_while_we_had_nothing_to_add_is_followed(
    slow: tuple[House, Overtaken],
) -> None:
    house, journal = slow
    house.toolbox.may_answer.clear()
    caller = await using(house)
    await caller.is_told("One moment.")
    ended = e.OperationEnded(operation="t1.1", status="succeeded")
    journal.before = lambda: house.write(ended)
    house.toolbox.may_answer.set()
    await caller.is_told("It is done.")
    kinds = await house.kinds()
    assert kinds.count("OperationEnded") == 1


async def test_a_tool_ends_at_its_deadline_however_much_else_there_is_to_do(house: House) -> None:
    caller = await house.connect()
    now_ms = house.clock.now_ms()
    requested = e.OperationRequested(
        operation="t1.1",
        tool="note",
        arguments={},
        turn=1,
        is_idempotent=False,
        attempts_max=1,
        deadline_ms=now_ms - 1,
    )
    await house.write(requested, e.OperationDispatched(operation="t1.1", attempt=1))
    caller.presses("7" * 500)
    await wait_until(lambda: statuses(caller) == ["unknown"], description="it is given up")
    facts = await house.facts()
    assert sum(isinstance(fact, e.DigitPressed) for fact in facts) < 100
