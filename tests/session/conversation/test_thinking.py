import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.call.acts import Act, Ask, Enter, Fill, HangUp, Say, SendDigits, Transfer, UseTool
from service.call.inputs import Answered
from service.call.state import Call, Turn
from service.errors import BrainError
from service.session.conversation import thinking as module
from service.session.conversation.thinking import (
    APOLOGY,
    FAILURES_MAX,
    GONE_LINE,
    GREETING,
    Thinking,
)
from tests.conftest import wait_until
from tests.session.house import House, words_of

pytestmark = pytest.mark.asyncio

OPENING = Turn(1, "opening")


class Letters(list[Answered]):
    """What the thinking posted."""


async def thought(
    house: House, turn: Turn = OPENING, *, is_greeted: bool = True
) -> tuple[Any, ...]:
    letters = Letters()
    thinking = Thinking("CA1", house.means, house.agent, letters.append)
    thinking.think(Call(turn=turn, is_greeted=is_greeted))
    await wait_until(lambda: bool(letters), description="the agent answered")
    return letters[0].acts


async def test_acts_are_handed_on_in_their_order(house: House) -> None:
    acts = [Enter("intake"), Fill("name", "Ada"), Ask("Which company?", "company")]
    house.agent.greeting = list(acts)
    assert await thought(house) == tuple(acts)


@pytest.mark.parametrize(
    "rubbish",
    [
        "just a string",
        None,
        Say(text=7),  # type: ignore[arg-type] # rubbish on purpose
        Fill("name", None),  # type: ignore[arg-type] # rubbish on purpose
        Say("so long " * 2_000),
        Say("half a letter \ud800"),
        Transfer("a colleague"),
        Say,
    ],
    ids=repr,
)
async def test_rubbish_is_answered_for_with_an_apology(house: House, rubbish: object) -> None:
    house.agent.greeting = [Say("This was fine."), rubbish]
    assert await thought(house) == (Say(APOLOGY),)


async def test_digits_that_can_not_be_played_are_the_carriers_to_refuse(house: House) -> None:
    house.agent.greeting = [SendDigits("x"), HangUp(), Transfer("+15550123")]
    assert await thought(house) == (SendDigits("x"), HangUp(), Transfer("+15550123"))


@pytest.mark.parametrize(
    "trouble", [ValueError("no"), asyncio.CancelledError(), RuntimeError("no"), TimeoutError()]
)
async def test_an_agent_that_raises_is_answered_for(house: House, trouble: BaseException) -> None:
    house.agent.trouble = trouble
    assert await thought(house) == (Say(APOLOGY),)


async def test_who_was_not_greeted_yet_is_not_asked_to_say_it_again(house: House) -> None:
    house.agent.trouble = RuntimeError("no")
    assert await thought(house, is_greeted=False) == (Ask(GREETING, "reply"),)


async def test_an_agent_that_fails_again_and_again_is_answered_for_by_a_person(
    house: House,
) -> None:
    letters = Letters()
    thinking = Thinking("CA1", house.means, house.agent, letters.append)

    async def answer(number: int) -> tuple[Act, ...]:
        before = len(letters)
        thinking.think(Call(turn=Turn(number, "speech", "hello"), is_greeted=True))
        await wait_until(lambda: len(letters) > before, description="it is answered")
        return tuple(act for letter in letters[before:] for act in letter.acts)

    house.agent.trouble = BrainError("the model's server answered 401")
    assert await answer(1) == (Say(APOLOGY),)
    house.agent.trouble = None
    assert await answer(2) != (Say(APOLOGY),)
    house.agent.trouble = BrainError("the model's server answered 401")
    for number in range(FAILURES_MAX):
        assert await answer(3 + number) == (Say(APOLOGY),)
    assert await answer(9) == (Say(GONE_LINE), Transfer(is_last_resort=True))


async def test_a_models_own_trouble_is_one_line_of_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.agent.trouble = BrainError("the model's server answered 401")
    await thought(house)
    house.agent.trouble = RuntimeError("no")
    await thought(house)
    brain, fault = (one for one in caplog.records if "the agent failed" in one.message)
    assert brain.message == "! the agent failed: the model's server answered 401"
    assert brain.exc_info is None
    assert fault.exc_info is not None


async def test_an_agent_that_never_answers_is_answered_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "THINK_MS_MAX", 20)
    house.agent.may_answer.clear()
    assert await thought(house) == (Say(APOLOGY),)


async def test_an_agent_that_never_ends_is_stopped(house: House) -> None:
    house.agent.greeting = [Say("And on.")] * 1_000
    assert len(await thought(house)) == module.ACTS_MAX


async def test_a_newer_turn_gives_up_the_thought_about_the_older_one(house: House) -> None:
    letters = Letters()
    house.agent.may_answer.clear()
    thinking = Thinking("CA1", house.means, house.agent, letters.append)
    thinking.think(Call(turn=OPENING))
    thinking.think(Call(turn=OPENING))
    await wait_until(lambda: len(house.agent.turns) == 1, description="the agent is asked")
    thinking.think(Call(turn=Turn(2, "speech", "go on")))
    await wait_until(lambda: len(house.agent.turns) == 2, description="the agent is asked again")
    house.agent.may_answer.set()
    await wait_until(lambda: bool(letters), description="the agent answered")
    assert [letter.turn for letter in letters] == [2]
    assert len(house.agent.turns) == 2


async def test_no_turn_no_thought(house: House) -> None:
    thinking = Thinking("CA1", house.means, house.agent, Letters().append)
    thinking.think(Call())
    thinking.stop()
    assert house.agent.turns == []


async def test_a_failing_agent_leaves_a_call_that_goes_on(house: House) -> None:
    house.agent.greeting = [Say(None)]  # type: ignore[arg-type] # rubbish on purpose
    house.speech.transcripts.append("hello")
    caller = await house.connect()
    await caller.is_told(GREETING)
    caller.says()
    await caller.is_told("You said hello to me.")
    assert words_of(caller.call)[0] == GREETING


async def test_the_thought_of_a_call_that_is_over_is_given_up(house: House) -> None:
    house.agent.may_answer.clear()
    await house.connect()
    await wait_until(lambda: bool(house.agent.turns), description="the agent is asked")
    await house.switchboard.close()
    async with asyncio.timeout(1):
        await house.tasks.close()


class Slow:
    """An agent that says one thing, and goes on when it is let."""

    def __init__(self) -> None:
        self.may_go_on = asyncio.Event()

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        del call, turn
        yield Enter("talking")
        yield Say("First.")
        await self.may_go_on.wait()
        yield UseTool("note", {})
        yield Say("Second.")


async def test_words_are_told_as_they_come_and_nothing_acts_before_the_turn_is_whole(
    house: House,
) -> None:
    agent, letters = Slow(), Letters()
    Thinking("CA1", house.means, agent, letters.append).think(Call(turn=OPENING))
    await wait_until(lambda: bool(letters), description="the first sentence")
    assert letters == [Answered(1, (Say("First."),), is_last=False)]
    agent.may_go_on.set()
    await wait_until(lambda: len(letters) == 2, description="the rest")
    assert letters[1] == Answered(1, (Enter("talking"), UseTool("note", {}), Say("Second.")))


async def test_a_turn_that_is_gone_is_given_up(house: House) -> None:
    agent, letters = Slow(), Letters()
    thinking = Thinking("CA1", house.means, agent, letters.append)
    thinking.think(Call(turn=OPENING))
    await wait_until(lambda: bool(letters), description="the first sentence")
    thinking.think(Call())
    agent.may_go_on.set()
    async with asyncio.timeout(1):
        await house.tasks.close()
    assert len(letters) == 1


async def test_what_was_generated_before_a_crash_is_not_said_again(house: House) -> None:
    house.agent.greeting = [Say("One."), Enter("a"), Ask("Two,  then?", "x"), Say("Three.")]
    turn = Turn(1, "opening", said=("One.", "Two, then?"))
    assert await thought(house, turn) == (Enter("a"), Say("Three."))


async def test_an_answer_that_goes_another_way_is_said_from_there(house: House) -> None:
    house.agent.greeting = [Say("One."), Say("Otherwise."), Say("Two.")]
    turn = Turn(1, "opening", said=("One.", "Two."))
    assert await thought(house, turn) == (Say("Otherwise."), Say("Two."))


@pytest.mark.parametrize("act", [UseTool("nonsense", {}), UseTool("note", {"refused": 1})])
async def test_a_tool_that_can_not_be_used_so_is_answered_for(house: House, act: UseTool) -> None:
    house.agent.greeting = [act]
    assert await thought(house) == (Say(APOLOGY),)
