import pytest
from msgspec.structs import replace

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.caller import KEY_PAUSE_MS
from service.call.decisions.collecting import (
    CALLER_STOPPED,
    STAR_LINE,
    WRONG_LINE,
    deadline_ms,
    done,
    heard,
    keyed,
    woke,
)
from service.call.policy import Policy
from service.call.privacy import DROP_LINE, KEY_LINE
from service.call.private_inputs import Collected, PassOn, Sealed
from service.call.seat import Seat
from service.call.state import Call
from tests.call.story import Story

POLICY = Policy(has_sink=True, drops_max=1_000)
CARD = a.Collect("Your card number, please.", "card", 13, 19, is_card=True)


def asked(act: a.Collect = CARD, policy: Policy = POLICY) -> Story:
    story = Story(policy)
    story.opened()
    story.attach(door="voice")
    story.happen(i.Answered(1, (a.Say("Hello."), act)))
    return story


def keys(story: Story, count: int, *, fits: bool = False) -> None:
    for number in range(count):
        story.happen(Sealed(1, fits=fits and number == count - 1))


def said(story: Story) -> str:
    return " ".join(story.facts(e.AgentSpoke)[-1].clauses)


def test_a_number_is_asked_for_and_its_keys_are_only_counted() -> None:
    story = asked()
    assert story.call.privacy.collection is not None
    assert story.call.privacy.is_private
    keys(story, 3)
    story.happen(i.Key("4"))  # one that was not put under seal
    assert story.call.privacy.collection.keys == 3
    assert not story.facts(e.DigitPressed)
    assert story.call.digits_pending == ""


@pytest.mark.parametrize("how", ["hash", "last key", "pause"])
def test_a_whole_number_is_passed_on_once(how: str) -> None:
    story = asked(a.Collect("The code?", "code", 4, 4 if how == "last key" else 8))
    keys(story, 4, fits=True)
    if how == "hash":
        story.happen(Sealed(0, fits=True, mark="end"))
    elif how == "pause":
        story.now_ms += KEY_PAUSE_MS
        story.happen(i.Woke())
    assert story.facts(e.CollectionPassed) == [e.CollectionPassed(collection="c1", keys=4)]
    assert story.effects == [PassOn("c1", "code", 1)]
    story.happen(Sealed(1, fits=True))
    story.happen(i.Utterance("hello?"))
    assert len(story.effects) == 1
    assert deadline_ms(story.call, POLICY) is None


def test_the_sinks_reference_takes_the_place_of_the_number() -> None:
    story = asked()
    keys(story, 16, fits=True)
    story.happen(Sealed(0, fits=True, mark="end"))
    assert not done(story.call, Collected("c1", 2, "taken", "x"), 0, POLICY).facts
    story.happen(Collected("c1", 1, "taken", "tok_1"))
    assert story.call.fields["card"].value == "tok_1"
    assert story.call.turn is not None
    assert story.call.turn.reason == "collected"
    assert story.call.privacy.collected is not None
    assert story.call.privacy.collected.outcome == "taken"
    assert not story.call.privacy.is_private
    assert not done(story.call, Collected("c1", 1, "taken", "x"), 0, POLICY).facts
    story.happen(i.Utterance("late words of the number", is_sealed=True, duration_ms=5_000))
    assert "late" not in str(story.journal)


@pytest.mark.parametrize(
    ("sealed", "line"),
    [
        (Sealed(0, mark="star"), STAR_LINE),
        (Sealed(0, mark="drop"), DROP_LINE),
        (Sealed(0, fits=False, mark="end"), WRONG_LINE),
        (Sealed(16, fits=False, mark="end"), WRONG_LINE),
    ],
)
def test_a_number_is_begun_again_from_its_first_digit(sealed: Sealed, line: str) -> None:
    story = asked()
    keys(story, 3)
    story.happen(sealed)
    assert story.call.privacy.collection is not None
    assert (story.call.privacy.collection.keys, story.call.privacy.collection.rounds) == (0, 2)
    assert said(story) == line


def test_after_three_rounds_that_went_wrong_the_agent_goes_on_without() -> None:
    story = asked()
    for _ in range(3):
        story.happen(Sealed(2, mark="end"))
    assert story.facts(e.CollectionEnded)[0].outcome == "given_up"
    assert story.call.turn is not None
    assert story.call.turn.reason == "collected"


def test_silence_is_reminded_of_what_was_asked() -> None:
    story = asked()
    assert deadline_ms(story.call, POLICY) is None
    story.hear_out()
    due_ms = deadline_ms(story.call, POLICY)
    assert due_ms == story.now_ms + POLICY.no_input_ms
    assert not woke(story.call, due_ms - 1, POLICY).facts
    story.now_ms = due_ms
    story.happen(i.Woke())
    assert said(story) == KEY_LINE
    assert not woke(Call(), 0, POLICY).facts


def test_words_are_written_nowhere_but_a_wish_to_stop_is_heard() -> None:
    story = asked()
    story.happen(i.Utterance("it is on my desk somewhere"))
    story.happen(i.Utterance("stop", is_partial=True))
    assert story.call.privacy.collection is not None
    story.happen(i.SpeechBegan())
    story.happen(Sealed(4, is_spoken=True))
    assert not story.call.is_caller_speaking
    story.happen(i.Utterance("I'd rather not"))
    assert story.facts(e.CollectionEnded) == [
        e.CollectionEnded(collection="c1", outcome="given_up", detail=CALLER_STOPPED)
    ]
    assert {fact.text for fact in story.facts(e.CallerSpoke)} == {""}
    assert heard(Call(), i.Utterance("stop"), 0, POLICY).facts == (e.CallerSpoke(text=""),)
    assert not keyed(Call(), Sealed(1), 0, POLICY).facts


@pytest.mark.parametrize("is_held_here", [True, False])
def test_a_drop_within_the_number_asks_for_it_again_and_says_why(*, is_held_here: bool) -> None:
    story = asked()
    keys(story, 9)
    story.drop()
    story.attach("MZ2", is_held_here=is_held_here)
    assert said(story) == DROP_LINE
    assert story.facts(e.CollectionRestarted) == [
        e.CollectionRestarted(collection="c1", reason="drop")
    ]


def test_a_drop_while_the_sink_is_asked_asks_again_only_where_nobody_waits_for_it() -> None:
    for is_held_here in (True, False):
        story = asked()
        keys(story, 16, fits=True)
        story.happen(Sealed(0, fits=True, mark="end"))
        story.drop()
        story.attach("MZ2", is_held_here=is_held_here)
        assert (said(story) == DROP_LINE) is not is_held_here


def test_a_drop_within_the_question_goes_on_with_it_and_after_it_reminds() -> None:
    story = asked()
    story.drop()
    story.attach("MZ2", gap_ms=5_000)
    assert said(story) == CARD.text
    story.hear_out()
    story.drop()
    story.attach("MZ3", gap_ms=5_000)
    assert said(story) == KEY_LINE
    story.hear_out()
    story.drop()
    story.attach("MZ4", gap_ms=5)
    assert len(story.facts(e.AgentSpoke)) == 3


def test_while_a_person_has_the_agents_place_nothing_is_said_of_it() -> None:
    story = asked()
    seated = replace(story.call, taken_over=Seat("Ana", "a", 1, 1, is_taken=True))
    facts = keyed(seated, Sealed(0, mark="star"), 0, POLICY).facts
    assert not [fact for fact in facts if isinstance(fact, e.AgentSpoke)]


def test_without_a_sink_nothing_is_asked_for() -> None:
    story = asked(policy=Policy())
    assert story.facts(e.CollectionEnded)[0].outcome == "failed"
    assert len(story.facts(e.AgentSpoke)) == 1
    assert story.call.turn is not None
    assert story.call.turn.reason == "collected"


def test_a_call_that_ends_collects_nothing_any_more() -> None:
    story = asked()
    keys(story, 3)
    story.write(e.EndingPlanned(ending="hangup"))
    story.happen(Collected("c1", 1, "taken", "tok"))
    assert story.call.turn is None
    story = asked()
    story.write(e.CallEnded(reason="completed"))
    assert story.call.privacy.collection is None


def test_of_a_number_that_the_carrier_collects_no_key_counts_and_its_rounds_are_few() -> None:
    story = asked(policy=Policy(pays=True))
    story.happen(Sealed(0))
    assert not story.facts(e.KeysMasked)
    assert deadline_ms(story.call, POLICY) is None
    story.hear_out()
    for _ in range(3):
        due_ms = deadline_ms(story.call, POLICY)
        assert due_ms is not None
        story.now_ms = due_ms
        story.happen(i.Woke())
        story.happen(i.Woke())
        story.hear_out()
    assert story.facts(e.CollectionEnded)[0].outcome == "given_up"
