"""A person in the agent's place, on a whole session: what the caller hears, and what survives."""

import pytest

from service.call import events as e, seat
from service.call.acts import Say
from tests.conftest import wait_until
from tests.session.house import Caller, House, words_of

pytestmark = pytest.mark.asyncio

GREETING = "Hello and welcome to our support line, dear caller."
LONG = "One two three four five six seven eight nine ten, and that is not all of it by far."


async def a_call(house: House) -> Caller:
    caller = await house.connect()
    await caller.is_told(GREETING)
    return caller


async def taken_over(house: House, caller: Caller, by: str = "Ana") -> None:
    asked = e.TakeoverRequested(request=by, by=by, seat=by.lower())
    await house.write(asked, key=f"over:{by}:{house.clock.now_ms()}")
    await wait_until(
        lambda: caller.call.taken_over is not None and caller.call.taken_over.is_taken,
        description="the agent is silent",
    )


async def say(house: House, text: str) -> None:
    await house.write(e.SayRequested(request=text, text=text, seat="ana"), key=f"say:{text}")


async def handed_back(house: House, caller: Caller) -> None:
    await house.write(e.HandbackRequested(request="h", by="Ana", seat="ana"), key="back")
    await wait_until(lambda: caller.call.taken_over is None, description="the agent is back")


async def test_the_agent_is_cut_in_its_sentence_and_what_was_heard_is_known(house: House) -> None:
    caller = await a_call(house)
    house.agent.script.append([Say(LONG)])
    house.speech.ms_a_word = 200
    caller.socket.is_listening = False
    house.speech.transcripts.append("tell me")
    caller.says()
    await wait_until(lambda: bool(caller.call.prompts), description="the answer is begun")
    await wait_until(lambda: caller.socket.events()[-1] != "clear", description="it sounds")
    await taken_over(house, caller)
    assert caller.call.prompts == ()
    cut = caller.call.transcript[-1]
    assert (cut.text, cut.cut) == (LONG, True)
    assert len(cut.heard) < len(cut.text)
    await wait_until(lambda: "clear" in caller.socket.events(), description="the line is cleared")


async def test_a_person_talks_the_agent_listens_and_goes_on_from_there(house: House) -> None:
    caller = await a_call(house)
    await taken_over(house, caller)
    turns = len(house.agent.turns)
    house.speech.transcripts.extend(["it is on fire", "thank you"])
    caller.says()
    await wait_until(lambda: caller.call.turn is not None, description="the caller is heard")
    await say(house, "Leave the house.")
    await caller.is_told("Leave the house.")
    assert caller.call.turn is None
    caller.says()
    await wait_until(lambda: caller.call.turn is not None, description="the thanks are heard")
    assert len(house.agent.turns) == turns
    await handed_back(house, caller)
    await caller.is_told("You said thank you to me.")
    assert [(line.who, line.text) for line in caller.call.transcript] == [
        ("agent", GREETING),
        ("caller", "it is on fire"),
        ("human", "Leave the house."),
        ("caller", "thank you"),
        ("agent", "You said thank you to me."),
    ]


async def test_a_thought_that_was_under_way_is_given_up_and_asked_for_again(house: House) -> None:
    caller = await a_call(house)
    house.agent.may_answer.clear()
    house.speech.transcripts.append("and now")
    caller.says()
    await wait_until(lambda: len(house.agent.turns) == 2, description="the agent thinks")
    await taken_over(house, caller)
    house.agent.may_answer.set()
    await handed_back(house, caller)
    await wait_until(lambda: len(house.agent.turns) == 3, description="it is asked again")
    assert house.agent.turns[2].text == "and now"
    assert words_of(caller.call).count("You said and now to me.") <= 1


async def test_another_process_goes_on_with_the_person_in_their_place(
    house: House, elsewhere: House
) -> None:
    """A drop and a take-over by another process change nothing about who speaks."""
    here = await a_call(house)
    await taken_over(house, here)
    await say(house, "I am with you.")
    await here.is_told("I am with you.")
    there = await elsewhere.returns()
    elsewhere.speech.transcripts.append("are you there")
    there.says()
    await wait_until(lambda: there.call.turn is not None, description="the caller is heard")
    await say(elsewhere, "I am.")
    await there.is_told("I am.")
    assert elsewhere.agent.turns == []
    assert words_of(there.call) == [GREETING, "I am with you.", "I am."]


async def test_who_shows_no_sign_of_life_hands_back_by_itself(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seat, "UNSEEN_MS_MAX", 300)
    caller = await a_call(house)
    await taken_over(house, caller)
    await wait_until(lambda: caller.call.taken_over is None, description="the agent is back")
    (back,) = (fact for fact in await house.facts() if isinstance(fact, e.HandedBack))
    assert (back.by, back.reason) == ("Ana", "unseen")
