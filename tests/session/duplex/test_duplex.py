import asyncio

import pytest
from websockets.protocol import State

from service.agent.functions import Functions
from service.agent.realtime import realtime
from service.agent.realtime.realtime import Realtime
from service.agent.realtime.settings import RealtimeSettings
from service.audio import samples
from service.call import events as e, inputs as i
from service.session.conversation.thinking import GONE_LINE
from service.session.duplex import interpreter, link
from service.session.duplex.duplex import AWAY_LINE
from tests.conftest import wait_until
from tests.session.house import House
from tests.session.remembering import Remembering
from tests.session.stage import Stage
from tests.standins.realtime import KEY, Answer, RealtimeStandIn, speech

pytestmark = pytest.mark.asyncio

HELLO = "Hello Ada, this is the support line."
LONG = "one two three four five six seven eight nine ten"


def is_over(model: RealtimeStandIn) -> bool:
    """Whether the newest session was ended."""
    return model.last.socket.state is State.CLOSED


async def whole(stage: Stage, text: str) -> None:
    """Wait until the model has said this, and it is written down whole."""
    await wait_until(
        lambda: any(
            line.text == text
            and not any(p.is_open and p.position == line.position for p in stage.story.call.prompts)
            for line in stage.story.call.transcript
        ),
        description=f"the model said {text!r}",
    )


async def greeted(model: RealtimeStandIn, stage: Stage) -> None:
    """Put the caller through, and let them hear the greeting."""
    model.answers.append(Answer(HELLO))
    stage.attach()
    await whole(stage, HELLO)
    stage.listen(60_000)


async def spoken(model: RealtimeStandIn, stage: Stage, text: str, answer: Answer) -> None:
    """Let the caller say something; the model will answer it."""
    model.said.append(text)
    model.answers.append(answer)
    stage.speak()
    stage.pause()


async def test_the_model_greets_and_what_is_heard_of_it_is_known_to_the_word(
    model: RealtimeStandIn, stage: Stage
) -> None:
    model.answers.append(Answer(HELLO))
    stage.attach()
    await whole(stage, HELLO)
    stage.listen(3 * 320 + 100)
    assert stage.lines() == [("agent", "Hello Ada, this")]
    stage.listen(60_000)
    assert stage.lines() == [("agent", HELLO)]
    assert stage.story.call.prompts == ()
    assert stage.line.sounds == speech(HELLO)
    assert stage.kinds().count("Greeted") == 1
    assert "Greet" in model.last.asked[0]
    assert not model.errors


async def test_the_caller_is_answered_and_the_transcript_stands_in_order(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    await spoken(model, stage, "My printer is broken.", Answer("Which one is it?"))
    await whole(stage, "Which one is it?")
    stage.listen(60_000)
    assert stage.lines() == [
        ("agent", HELLO),
        ("caller", "My printer is broken."),
        ("agent", "Which one is it?"),
    ]
    assert stage.story.call.turn is None
    assert not stage.story.call.is_caller_speaking


async def test_words_written_down_late_stand_before_the_answer_that_they_got(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    model.writes_late = True
    await spoken(model, stage, "Is it open?", Answer("Yes, it is."))
    await whole(stage, "Yes, it is.")
    await model.last.write_down()
    await wait_until(lambda: len(stage.lines()) == 3, description="the words are there")
    assert [text for _, text in stage.lines()] == [HELLO, "Is it open?", ""]
    assert stage.story.call.turn is None


async def test_a_caller_who_speaks_over_the_model_stops_it_and_it_knows_what_was_heard(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    await spoken(model, stage, "Tell me all.", Answer(LONG))
    await whole(stage, LONG)
    stage.listen(1_000)
    stage.speak(100)
    assert stage.line.is_held  # at once, before the model has noticed
    await spoken(model, stage, "Stop.", Answer("All right then."))
    await whole(stage, "All right then.")
    line = stage.story.call.transcript[2]
    assert (line.text, line.heard, line.cut) == (LONG, "one two three", True)
    item = next(one for one in model.last.items.values() if one.heard_ms is not None)
    assert item.heard_ms == 1_000
    assert len(model.conversations) == 1
    assert not stage.line.is_held
    stage.listen(60_000)
    assert stage.line.sounds.endswith(speech("All right then."))
    assert not model.errors


async def test_a_sound_that_was_nothing_lets_the_model_speak_on(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    await spoken(model, stage, "Tell me all.", Answer(LONG))
    await whole(stage, LONG)
    stage.listen(640)
    stage.speak(40)
    assert stage.line.is_held
    stage.pause(1_300)
    await wait_until(lambda: not stage.line.is_held, description="the floor is ours again")
    stage.listen(60_000)
    assert stage.line.sounds == speech(HELLO) + speech(LONG)
    assert "SpeechCut" not in stage.kinds()


async def test_after_a_drop_the_rest_is_heard_from_the_very_sample(
    model: RealtimeStandIn, stage: Stage
) -> None:
    model.answers.append(Answer(LONG, hold_ms=1_200))
    stage.attach()
    await wait_until(lambda: bool(stage.story.call.prompts), description="it began")
    stage.listen(700)
    stage.drop()
    model.go_on.set()
    await whole(stage, LONG)  # The model speaks on while nobody listens.
    stage.attach("MZ2")
    stage.listen(60_000)
    assert stage.line.sounds == speech(LONG)
    assert stage.lines() == [("agent", LONG)]
    assert len(model.conversations) == 1
    assert "SpeechCut" not in stage.kinds()


async def test_another_process_cuts_to_what_was_heard_and_has_the_model_go_on_from_there(
    house: House,
    agent: Realtime,
    model: RealtimeStandIn,
    stage: Stage,
    stages: list[asyncio.Task[None]],
) -> None:
    await greeted(model, stage)
    await spoken(model, stage, "Tell me all.", Answer(LONG))
    await whole(stage, LONG)
    stage.listen(1_000)
    stages.pop().cancel()  # as kill -9 does it: nothing is said any more
    model.answers.append(Answer("four and so on"))
    other = Stage(house, agent, stage.story)
    stages.append(asyncio.create_task(other.duplex.run()))
    other.attach("MZ2")
    await whole(other, "four and so on")
    other.listen(60_000)
    assert [text for _, text in other.lines()] == [
        HELLO, "Tell me all.", "one two three", "four and so on",
    ]  # fmt: skip
    assert other.kinds().count("Greeted") == 1
    told = model.last.texts()
    assert told[:4] == [
        ("user", "(The caller is on the line.)"),
        ("assistant", HELLO),
        ("user", "Tell me all."),
        ("assistant", "one two three"),
    ]
    assert "did not hear" in told[4][1]
    assert '"one two three"' in model.last.asked[0]
    assert len(model.conversations) == 2
    assert not model.errors


async def test_a_tool_works_and_the_model_tells_what_came_of_it(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    answer = Answer("Let me look.", call=("lookup", '{"ticket_id": "TK1"}'))
    await spoken(model, stage, "How is my ticket?", answer)
    await wait_until(
        lambda: any(isinstance(one, i.Operate) for one in stage.story.effects),
        description="the tool was called",
    )
    operation = stage.story.call.operations[0].operation
    stage.listen(60_000)
    stage.drop()
    model.answers.append(Answer("It is open."))
    stage.post(i.OperationDone(operation, 1, "succeeded", '{"status": "open"}'))
    asked = len(model.last.asked)
    stage.attach("MZ2")
    await whole(stage, "It is open.")
    assert len(model.last.asked) == asked + 1  # only once somebody listens
    assert ("function_call_output", '{"status": "open"}') in model.last.texts()
    assert stage.kinds().count("OperationRequested") == 1
    assert stage.story.call.turn is None
    assert not model.errors


async def test_what_a_tool_brings_is_known_to_another_process_too(
    house: House,
    agent: Realtime,
    model: RealtimeStandIn,
    stage: Stage,
    stages: list[asyncio.Task[None]],
) -> None:
    await greeted(model, stage)
    answer = Answer(call=("lookup", '{"ticket_id": "TK1"}'))
    await spoken(model, stage, "How is my ticket?", answer)
    await wait_until(lambda: bool(stage.story.call.operations), description="the tool was called")
    await wait_until(lambda: stage.story.call.turn is None, description="the turn is answered")
    operation = stage.story.call.operations[0].operation
    stages.pop().cancel()
    other = Stage(house, agent, stage.story)
    stages.append(asyncio.create_task(other.duplex.run()))
    other.attach("MZ2")
    await wait_until(lambda: len(model.conversations) == 2, description="a new session")
    await wait_until(lambda: len(model.last.items) >= 4, description="it knows the past")
    model.answers.append(Answer("It is open."))
    other.post(i.OperationDone(operation, 1, "succeeded", '{"status": "open"}'))
    await whole(other, "It is open.")
    kinds = [kind for kind, _ in model.last.texts()]
    assert kinds[-3:] == ["function_call", "function_call_output", "assistant"]
    assert not model.errors


async def test_functions_that_need_no_tool_act_at_once(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    remember = ("remember", '{"field": "name", "value": "Ada Lovelace"}')
    await spoken(model, stage, "I am Ada Lovelace.", Answer(call=remember))
    model.answers.append(Answer("Noted."))
    await whole(stage, "Noted.")
    stage.listen(60_000)
    await spoken(model, stage, "That is all.", Answer("Goodbye.", call=("hang_up", "{}")))
    await wait_until(lambda: stage.story.call.ending == "hangup", description="it hangs up")
    assert stage.story.call.fields["name"].value == "Ada Lovelace"
    assert stage.story.call.turn is None
    stage.listen(60_000)
    assert any(isinstance(one, i.EndCall) for one in stage.story.effects)


async def test_a_call_that_makes_no_sense_is_told_to_the_model(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    model.answers.extend([Answer(call=("lookup", "{}")), Answer("Which ticket?")])
    model.said.append("How is it?")
    stage.speak()
    stage.pause()
    await whole(stage, "Which ticket?")
    results = [text for kind, text in model.last.texts() if kind == "function_call_output"]
    assert "error" in results[0]
    assert not stage.story.call.operations


async def test_a_model_that_is_lost_in_its_answer_goes_on_in_a_new_session(
    model: RealtimeStandIn, stage: Stage
) -> None:
    model.answers.extend([Answer(LONG, hold_ms=1_000), Answer("five and six")])
    stage.attach()
    await wait_until(lambda: bool(stage.story.call.prompts), description="it began")
    await wait_until(
        lambda: len(stage.line.voice.take("m1-1", 0) or b"") == samples(1_000),
        description="a second of it is here",
    )
    model.drop()
    await whole(stage, "five and six")
    stage.listen(60_000)
    assert stage.line.sounds == speech(LONG)[: samples(1_000)] + speech("five and six")
    assert "broke off" in model.last.asked[0]
    assert ("assistant", "one two three four") in model.last.texts()
    assert not model.errors


async def test_what_a_lost_session_may_have_missed_is_heard_by_the_next(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    stage.speak(600)
    await wait_until(lambda: stage.story.call.is_caller_speaking, description="it is noticed")
    await wait_until(lambda: len(model.last.heard) >= samples(600), description="it is sent")
    model.drop()
    await wait_until(lambda: len(model.conversations) == 2, description="a new session")
    model.said.append("My printer is broken.")
    model.answers.append(Answer("Which one?"))
    stage.pause()
    await whole(stage, "Which one?")
    assert samples(600) <= bytes(model.last.heard).count(b"\x00")
    assert [text for _, text in stage.lines()][:2] == [HELLO, "My printer is broken."]


async def test_keys_and_other_voices_are_told_to_the_model(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    stage.story.write(e.SayRequested(request="r1", text="Please key your ID."), is_outside=True)
    stage.post(i.SpeechBegan())
    stage.post(i.Transcribed(""))
    stage.listen(60_000)
    model.answers.append(Answer("Thank you."))
    for key in "12#":
        stage.post(i.Key(key))
    await whole(stage, "Thank you.")
    assert ("assistant", "Please key your ID.") in model.last.texts()
    assert ("user", "[keyed 12]") in model.last.texts()
    assert not model.errors


async def test_the_caller_is_told_of_a_model_that_is_away_and_in_the_end_gets_a_person(
    model: RealtimeStandIn, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "AWAY_MS", 20)
    monkeypatch.setattr(link, "GONE_MS", 200)
    monkeypatch.setattr(link, "BACKOFF_MS", 10)
    model.refuses_settings = True
    stage.attach()
    await wait_until(lambda: stage.story.call.ending == "transfer", description="it is given up")
    said = [line.text for line in stage.story.call.transcript]
    assert said == [f"Hello. {AWAY_LINE}", GONE_LINE]
    assert model.knocks > 2


async def test_a_model_that_never_answers_is_given_up_for_a_new_session(
    model: RealtimeStandIn, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await greeted(model, stage)
    monkeypatch.setattr(link, "ANSWER_MS_MAX", 100)
    monkeypatch.setattr(realtime, "OPEN_MS_MAX", 100)
    model.is_mute = True
    for key in "1#":
        stage.post(i.Key(key))
    await wait_until(lambda: model.knocks == 2, description="a new session")
    model.is_mute = False
    await whole(stage, "All right.")


async def test_an_answer_that_fails_is_asked_for_again_and_then_apologised_for(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    model.answers.extend([Answer(fails="server_error")] * 2)
    await spoken(model, stage, "Hello?", Answer(fails="server_error"))
    await whole(stage, interpreter.FAILED_LINE)
    assert stage.story.call.turn is None
    assert len(model.last.asked) == 1 + interpreter.FAILURES_MAX


async def test_a_session_that_will_end_is_renewed_in_a_quiet_moment(
    house: House, model: RealtimeStandIn, stages: list[asyncio.Task[None]]
) -> None:
    settings = RealtimeSettings(base_url=model.url, api_key=KEY)
    agent = Realtime(settings, Functions(), renew_ms=0)
    stage = Stage(house, agent)
    stages.append(asyncio.create_task(stage.duplex.run()))
    model.answers.append(Answer(HELLO))
    stage.attach()
    await whole(stage, HELLO)
    assert len(model.conversations) == 1
    stage.listen(60_000)
    await wait_until(lambda: len(model.conversations) > 1, description="the next session")
    await wait_until(
        lambda: ("assistant", HELLO) in model.last.texts(), description="it knows the past"
    )
    stages.pop().cancel()
    await agent.close()


async def test_a_farewell_is_said_to_its_end_whoever_speaks_over_it(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    await spoken(model, stage, "That is all.", Answer("Goodbye Ada.", call=("hang_up", "{}")))
    await wait_until(lambda: stage.story.call.ending == "hangup", description="it hangs up")
    sent = len(model.last.heard)
    stage.speak()
    assert not stage.line.is_held
    stage.listen(60_000)
    assert stage.line.sounds.endswith(speech("Goodbye Ada."))
    assert any(isinstance(one, i.EndCall) for one in stage.story.effects)
    assert len(model.last.heard) <= sent + samples(1_400)  # what was on its way, and no more
    assert len(model.last.asked) == 1


async def test_a_person_ends_the_call_over_a_model_that_speaks(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    await spoken(model, stage, "Tell me all.", Answer(LONG))
    await whole(stage, LONG)
    stage.listen(700)
    stage.speak(200)
    await wait_until(lambda: stage.story.call.is_caller_speaking, description="it is noticed")
    stage.story.write(e.HangupRequested(request="r1"), is_outside=True)
    stage.post(i.PartlyHeard("I"))  # Something happens: what the person wants is seen.
    assert any(isinstance(one, i.EndCall) for one in stage.story.effects)
    assert not stage.line.is_held
    assert stage.story.call.transcript[2].heard == "one two"


async def test_a_handle_of_the_models_is_used_to_come_back_and_history_when_it_is_refused(
    house: House, stages: list[asyncio.Task[None]]
) -> None:
    agent = Remembering()
    stage = Stage(house, agent)
    stages.append(asyncio.create_task(stage.duplex.run()))
    stage.attach()
    await whole(stage, "Hello.")
    assert stage.story.call.resume_token == b"x"
    stage.duplex._link.drop("test")
    await wait_until(lambda: len(agent.opened) == 2, description="it is opened again")
    agent.token = b"another"
    stage.duplex._link.drop("test")
    await wait_until(lambda: len(agent.opened) == 4, description="once more with history")
    assert agent.opened == [(None, 1), (b"x", 0), (b"x", 0), (None, 2)]
    assert stage.story.call.resume_token == b""


async def test_while_a_person_has_its_place_the_model_is_out_and_then_told_what_was_said(
    house: House, model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    stage.outside(e.TakeoverRequested(request="t", by="Ana", seat="a"))
    await wait_until(lambda: is_over(model), description="the session is over")
    sessions = len(model.conversations)
    house.speech.transcripts.extend(["It is on fire.", "Thank you."])
    stage.speak()
    stage.pause()
    await wait_until(lambda: len(stage.lines()) == 2, description="our ear wrote it down")
    stage.outside(e.SayRequested(request="s", text="Leave the house.", seat="a"))
    stage.listen(60_000)
    assert stage.story.call.turn is None
    stage.speak()
    stage.pause()
    await wait_until(lambda: len(stage.lines()) == 4, description="the thanks are written down")
    assert len(model.conversations) == sessions
    model.answers.append(Answer("You are welcome."))
    stage.outside(e.HandbackRequested(request="h", by="Ana", seat="a"))
    await whole(stage, "You are welcome.")
    assert [text for _, text in stage.lines()][:4] == [
        HELLO, "It is on fire.", "Leave the house.", "Thank you.",
    ]  # fmt: skip
    assert len(model.conversations) == sessions + 1
    assert not model.errors


async def test_a_model_cut_by_a_person_goes_on_with_nothing_of_its_own_accord(
    model: RealtimeStandIn, stage: Stage
) -> None:
    await greeted(model, stage)
    await spoken(model, stage, "Tell me more.", Answer(LONG))
    await wait_until(lambda: bool(stage.story.call.prompts), description="it speaks")
    stage.listen(700)
    stage.outside(e.TakeoverRequested(request="t", by="Ana", seat="a"))
    assert stage.story.call.prompts == ()
    assert stage.story.call.transcript[-1].cut
    await wait_until(lambda: is_over(model), description="the session is over")
    stage.outside(e.HandbackRequested(request="h", by="Ana", seat="a"))
    await wait_until(lambda: not is_over(model), description="the next session is there")
    assert stage.story.call.turn is None
    assert not model.last.asked
