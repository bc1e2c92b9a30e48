"""From facts back to inputs: each input that leaves facts is read from them again."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from service.call import events as e, inputs as i
from service.call.inputs import Decision, Input
from service.call.person_inputs import PersonBegan, PersonMissed
from service.call.privacy import Privacy
from service.call.replay.reading import written_at_once
from service.call.replay.readings import readings
from service.call.seat import Seat
from service.call.state import Call, Operation, Prompt, Request
from tests.call.replay.scenes import CARRIED, SCENES
from tests.call.story import Story

PLAYED = e.Played(prompt="p1", clauses=1, heard_samples=900)
SPOKE = e.CallerSpoke(text="No.")
TALKING = Call(call_sid="CA1", phase="live", prompts=(Prompt("p1", 1, ("Hello.",)),))


def cut(reason: str) -> e.SpeechCut:
    return e.SpeechCut(prompt="p1", reason=reason)


def read(*facts: e.Known, call: Call = TALKING, has_model: bool = False) -> list[Input]:
    write = written_at_once(call, facts, 1_000, has_model=has_model)
    return [one.happened for one in readings(write)]


@pytest.mark.parametrize("scene", SCENES)
def test_each_input_is_read_from_the_facts_it_left(
    scene: Callable[[], Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    missed: list[tuple[Input, Decision]] = []
    tell = Story.tell

    def telling(story: Story, happened: Input) -> Decision:
        call, before = story.call, len(story.journal)
        decision = tell(story, happened)
        facts: list[Any] = [fact for fact, _ in story.journal[before:]]
        if facts:
            has_model = any(
                isinstance(f, e.ResumeTokenKept) for f, _ in story.journal
            ) or isinstance(happened, i.FromModel)
            write = written_at_once(call, facts, story.now_ms, has_model=has_model)
            kinds = [type(one.happened) for one in readings(write)]
            if type(happened) not in kinds:
                missed.append((happened, decision))
        return decision

    monkeypatch.setattr(Story, "tell", telling)
    scene()
    same = {i.Woke, i.Settle}  # a deadline that woke the session may only let it settle
    assert not [one for one in missed if type(one[0]) not in same]


def test_words_and_keys_over_ours_are_read_with_what_they_cut() -> None:
    assert read(PLAYED, cut("barge_in"), SPOKE) == [i.Utterance("No.", played=(PLAYED,))]
    assert read(cut("key"), e.DigitPressed(digit="1")) == [i.Key("1")]
    assert read(e.DigitPressed(digit="#"), e.DigitsEntered(digits="1", ended_by="hash")) == [
        i.Key("#")
    ]
    limit = e.DigitsEntered(digits="1" * 64, ended_by="limit")
    assert read(cut("key"), limit, e.DigitPressed(digit="2")) == [i.Key("2")]
    assert read(limit) == []
    assert read(cut("key")) == []


def test_what_cannot_have_been_one_write_is_read_as_two() -> None:
    """An utterance cuts every prompt: one that is heard to its end beside it was heard before."""
    assert read(PLAYED, SPOKE) == [i.Progress((PLAYED,))]
    assert read(PLAYED, e.DigitPressed(digit="1")) == [i.Progress((PLAYED,))]
    begun = e.Played(prompt="p1", clauses=0, heard_samples=9)
    assert read(begun, SPOKE) == [i.Utterance("No.", played=(begun,))]
    listening = e.CallerSpoke(text="Mm-hm.", backchannel=True)
    assert read(PLAYED, listening) == [i.Utterance("Mm-hm.", played=(PLAYED,))]
    half = e.CallerSpoke(text="I", partial=True)
    assert read(cut("barge_in"), half) == [i.BargedIn()]
    assert read(cut("barge_in"), e.CallerSpoke(text="")) == [i.BargedIn()]
    assert read(cut("replaced"), SPOKE) == []
    assert read(PLAYED, e.CallerBegan()) == [i.Progress((PLAYED,))]
    gone = e.StreamDetached(stream_sid="MZ1", reason="stop", last_media_ms=5)
    assert read(PLAYED, gone) == [i.Detached("MZ1", "stop", 5, (PLAYED,))]
    assert read(cut("barge_in"), gone) == [i.BargedIn()]


def test_a_farewell_is_heard_on_whatever_is_said() -> None:
    farewell = Call(prompts=TALKING.prompts, ending="hangup")
    assert read(PLAYED, SPOKE, call=farewell) == [i.Utterance("No.", played=(PLAYED,))]


def test_what_a_model_does_is_read_as_its_own() -> None:
    spoke = e.AgentSpoke(prompt="m1", clauses=("Hi.",), turn=1, voice="model", is_open=True)
    answered = e.TurnAnswered(turn=1)
    assert read(spoke, answered) == [i.ModelSpoke("m1", "Hi.")]
    assert read(e.Greeted(prompt="m1"), spoke, answered) == [i.ModelSpoke("m1", "Hi.")]
    assert read(e.AgentContinued(prompt="m1", clauses=("Hi.",), is_last=True)) == [
        i.ModelContinued("m1", "Hi.", is_last=True)
    ]
    assert read(cut("lost"), cut("lost")) == [i.ModelLost("p1")]
    assert read(SPOKE, has_model=True) == [i.Transcribed("No."), i.Utterance("No.")]
    assert read(e.ResumeTokenKept(token=b"t")) == [i.TokenGiven(b"t")]
    away = e.AgentSpoke(prompt="p1", clauses=("One moment,", "please."))
    assert read(away) == [i.ModelAway("One moment, please.")]
    asked = e.OperationRequested(
        operation="c1", tool="lookup", arguments={}, turn=1, is_idempotent=True, attempts_max=1,
        deadline_ms=5,
    )  # fmt: skip
    first, *_ = read(answered, asked, has_model=True)
    assert first == i.ModelCalled("c1", "lookup", {})
    assert read(e.Greeted(prompt="p1")) == []


def test_what_follows_from_time_and_state_is_read_without_words() -> None:
    spoke = e.AgentSpoke(prompt="p1", clauses=("Goodbye.",))
    planned = e.EndingPlanned(ending="hangup")
    assert read(spoke, planned) == [i.Woke()]
    assert read(e.CallerSilent()) == [i.Woke()]
    assert read(e.DigitsEntered(digits="1", ended_by="pause")) == [i.Woke()]
    assert read(e.RestartMissed()) == [i.Woke()]
    assert read(e.OperationDispatched(operation="t1.1", attempt=1)) == [i.Settle(), i.Woke()]
    assert read(e.EndingStarted()) == [i.Settle()]
    assert read(e.EndingRefused(detail="a page"), spoke) == [i.EndingImpossible("a page")]
    human = e.AgentSpoke(prompt="p1", clauses=("Hi.",), who="human", request="r1")
    assert read(human) == [i.Settle()]
    assert read(cut("replaced"), planned) == [i.Settle()]
    silent = e.TakenOver(by="Ana", seat="a")
    assert read(PLAYED, cut("taken_over"), silent) == [i.Settle((PLAYED,))]
    assert read(silent) == [i.Settle()]
    assert read(cut("barge_in"), silent) == [i.BargedIn()]
    assert read(e.HandedBack(by="Ana", reason="asked")) == [i.Settle()]
    assert read(e.HandedBack(by="Ana", reason="unseen")) == [i.Woke()]
    asked = Call(requests=(Request("r1", "hangup"),))
    assert read(planned, call=asked) == [i.Settle()]
    summary = e.OperationRequested(
        operation="summary", tool="t", arguments={}, turn=0, is_idempotent=True, attempts_max=1,
        deadline_ms=5,
    )  # fmt: skip
    assert read(summary) == [i.Settle()]


def using(attempts: int = 1, detail: str = "") -> Call:
    one = Operation("t1.1", "lookup", {}, 1, True, 3, 9_000, attempts=attempts, detail=detail)  # noqa: FBT003 - is_idempotent stands third
    return Call(operations=(one,))


def ended(status: str, detail: str = "") -> e.OperationEnded:
    return e.OperationEnded(operation="t1.1", status=status, detail=detail)  # type: ignore[arg-type] # a status


def test_the_end_of_a_tool_is_read_as_its_answer_or_its_deadline() -> None:
    late = "no answer in time"
    assert read(ended("timed_out", late), call=using()) == [
        i.Woke(),
        i.OperationDone("t1.1", 1, "unanswered", detail=late),
    ]
    assert read(ended("succeeded"), call=using()) == [i.OperationDone("t1.1", 1, "succeeded")]
    assert read(ended("succeeded")) == []


@pytest.mark.parametrize(("before", "first"), [("busy", True), ("other", False), ("", False)])
def test_a_failure_that_was_tried_again_before_would_be_again(before: str, *, first: bool) -> None:
    """Nobody wrote whether the tool may be tried again; that it was speaks for it."""
    write = written_at_once(using(2, before), (ended("failed", "busy"),), 1_000)
    likely, other = readings(write)
    assert isinstance(likely.happened, i.OperationDone)
    assert likely.happened.may_retry is first
    assert (likely.is_supposed, other.is_supposed) == (False, True)


def test_a_pause_of_the_tools_own_is_only_supposed() -> None:
    delayed = e.OperationDelayed(operation="t1.1", attempt=1, retry_ms=1_700)
    ours, its = readings(written_at_once(using(), (delayed,), 1_000))
    assert isinstance(its.happened, i.OperationDone)
    assert (its.happened.retry_after_ms, its.is_supposed) == (700, True)
    assert not ours.is_supposed


def test_the_end_of_a_call_is_our_own_or_the_carriers_word() -> None:
    over = e.CallEnded(reason="gone")
    carrier = i.CarrierSays(is_over=True, outcome="gone")
    assert read(over) == [carrier]
    ours = i.EndingDone(is_gone=True, detail="gone")
    assert read(over, call=Call(is_ending_started=True)) == [ours]
    assert read(over, call=Call(is_drop_limited=True)) == [ours, carrier]
    dialled = Call(is_ending_started=True, ending="transfer")
    transferred = e.CallEnded(reason="transferred")
    assert read(transferred, call=dialled) == [i.EndingDone(is_gone=False, detail="transferred")]


def test_what_holds_all_its_input_said_is_read_word_for_word() -> None:
    assert read(e.CallerBegan()) == [i.SpeechBegan()]
    assert read(e.CallerPartlyHeard(text="I")) == [i.PartlyHeard("I")]
    assert read(e.DigitsSent(request="r1", outcome="sent")) == [i.DigitsDone("r1", "sent")]
    assert read(e.MovePlanned()) == [i.Move()]
    assert read(e.PulledBack(outcome="x")) == [i.CarrierSays(is_over=False, outcome="x")]
    levels = e.LevelsMeasured(at_ms=5, caller="AA==", ours="AQ==")
    assert read(levels) == [i.Measured(5, "AA==", "AQ==")]
    assert read(CARRIED) == [i.EarlierFound(CARRIED)]
    assert read(cut("replaced"), CARRIED) == [i.EarlierFound(CARRIED)]


def test_what_nobody_here_decides_is_read_as_nothing() -> None:
    assert read(e.NoteAdded(text="VIP")) == []
    assert read(e.ContextLost(reason="gone")) == []


def test_a_persons_own_voice_is_read_as_theirs() -> None:
    spoke = e.AgentSpoke(prompt="h1-1", clauses=("",), who="human", voice="person", is_open=True)
    assert read(spoke) == [PersonBegan("h1-1", "")]
    seated = msgspec.structs.replace(TALKING, taken_over=Seat("Ana", "a", 1, 1, is_taken=True))
    assert read(spoke, call=seated) == [PersonBegan("h1-1", "a")]
    assert read(cut("missed")) == [PersonMissed("p1")]
    assert read(cut("lost")) == [i.ModelLost("p1")]


def test_what_happened_under_seal_is_read_from_nothing() -> None:
    assert not read(e.CallerSpoke(text=""), call=replace(TALKING, privacy=Privacy("asked")))
    assert not read(e.ConsentGiven(by="key"))
    assert not read(e.CollectionBegan(collection="c1", field="x", keys_min=1, keys_max=2), SPOKE)
