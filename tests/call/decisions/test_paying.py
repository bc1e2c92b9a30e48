import pytest
from msgspec.structs import replace

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.collecting import CALLER_STOPPED, deadline_ms, woke
from service.call.decisions.decide import (
    CARRIER_WAIT_MS,
    deadline_ms as due_ms,
    keyed_until_ms,
)
from service.call.decisions.paying import (
    BEGIN_WAIT_MS,
    CUT_MS_MAX,
    ROUNDS_MAX,
    asked as told,
    is_beginning,
    is_under_way,
    next_step,
)
from service.call.policy import Policy
from service.call.privacy import PAY_LINE, PAY_WAIT_MS
from service.call.private_inputs import AskPay, PayAsked, Sealed
from service.call.state import Call
from tests.call.story import Story, handed_back, taken

POLICY = Policy(pays=True, drops_max=1_000)
CARD = a.Collect("Your card number, please.", "card", 13, 19, is_card=True)
TAKEN = e.CollectionEnded(collection="c1", outcome="taken", reference="tok_1")


def asked(policy: Policy = POLICY, act: a.Collect = CARD) -> Story:
    story = Story(policy)
    story.opened()
    story.attach(door="voice")
    story.happen(i.Answered(1, (a.Say("Hello."), act)))
    return story


def at_the_till() -> Story:
    story = asked()
    story.hear_out()
    story.happen(PayAsked("c1", 1, "asked"))
    story.drop("stop")
    return story


def said(story: Story) -> str:
    return " ".join(story.facts(e.AgentSpoke)[-1].clauses)


def test_the_carrier_begins_once_what_we_say_was_heard() -> None:
    story = asked()
    assert not story.effects
    story.hear_out()
    assert story.facts(e.PayPlanned) == [e.PayPlanned(collection="c1", round=1)]
    assert story.effects == [AskPay("c1", 1)]
    story.settle()
    assert len(story.effects) == 1
    assert story.call.planned_cause == "dtmf"


def test_the_restart_is_planned_and_no_drop() -> None:
    story = at_the_till()
    assert story.call.streams[-1].reason == "restart"
    story.write(TAKEN, is_outside=True)
    story.attach("MZ2")
    assert story.call.streams[-1].cause == "dtmf"
    assert story.call.drops_since(0) == 0
    assert story.call.fields["card"].value == "tok_1"
    assert story.call.turn is not None
    assert story.call.turn.reason == "collected"


@pytest.mark.parametrize("what", ["speaking", "person", "request", "ending"])
def test_it_waits_for_whoever_has_the_floor(what: str) -> None:
    story = asked()
    if what == "speaking":
        story.happen(i.SpeechBegan())
    elif what == "person":
        taken(story)
    elif what == "request":
        story.write(e.DigitsRequested(request="r1", digits="1"), is_outside=True)
    else:
        story.write(e.EndingPlanned(ending="hangup"))
    story.hear_out()
    assert not story.facts(e.PayPlanned)
    if what == "speaking":
        story.happen(i.Utterance("which one?"))
    elif what == "person":
        handed_back(story)
    elif what == "request":
        story.drop()
        story.attach("MZ2")
        story.happen(i.DigitsDone("r1", "sent"))
    assert len(story.facts(e.PayPlanned)) == (what != "ending")


def test_keys_that_come_before_are_neither_kept_nor_counted_and_cut_nothing() -> None:
    story = asked()
    story.happen(Sealed(0))
    story.happen(i.Key("4"))
    assert not story.facts(e.KeysMasked)
    assert not story.facts(e.SpeechCut)
    assert not story.facts(e.DigitPressed)
    story.happen(i.Utterance("my number is four one one one"))
    assert {fact.text for fact in story.facts(e.CallerSpoke)} == {""}


def test_who_would_rather_not_is_heard_before_the_carrier_begins() -> None:
    story = asked()
    story.happen(i.Utterance("I'd rather not"))
    assert story.facts(e.CollectionEnded)[0].detail == CALLER_STOPPED
    story.hear_out()
    assert not story.facts(e.PayPlanned)


def test_a_carrier_that_can_not_be_asked_has_failed() -> None:
    story = asked()
    story.hear_out()
    assert not told(story.call, PayAsked("c1", 2, "failed"), 0, POLICY).facts
    assert not told(story.call, PayAsked("c1", 1, "asked"), 0, POLICY).facts
    assert not told(Call(), PayAsked("c1", 1, "failed"), 0, POLICY).facts
    story.happen(PayAsked("c1", 1, "failed", "busy"))
    assert story.facts(e.CollectionEnded)[0].outcome == "failed"
    assert story.call.planned_cause is None
    assert story.call.turn is not None
    assert story.call.turn.reason == "collected"


def test_a_stream_that_comes_back_without_a_word_begins_another_round_a_few_times() -> None:
    story = at_the_till()
    for round_ in range(2, ROUNDS_MAX + 1):
        story.attach(f"MZ{round_}")
        assert said(story) == PAY_LINE
        story.hear_out()
        assert story.facts(e.PayPlanned)[-1] == e.PayPlanned(collection="c1", round=round_)
        story.drop()
    story.attach("MZ9")
    assert story.facts(e.CollectionEnded)[0].outcome == "given_up"
    assert said(story) == PAY_LINE
    assert len(story.facts(e.PayPlanned)) == ROUNDS_MAX


def test_a_stream_that_comes_while_the_carrier_is_just_asked_will_go_again() -> None:
    story = asked()
    story.hear_out()
    story.drop()
    story.attach("MZ2", is_held_here=True, running=("c1.1",))
    assert not story.facts(e.CollectionRestarted)
    assert len(story.facts(e.PayPlanned)) == 1


def test_a_carrier_that_does_not_obey_is_asked_again() -> None:
    story = asked()
    story.hear_out()
    due = deadline_ms(story.call, POLICY)
    assert due == story.now_ms + BEGIN_WAIT_MS
    assert not woke(story.call, due - 1, POLICY).facts
    story.now_ms = due
    story.happen(i.Woke())
    assert story.facts(e.RestartMissed)
    story.happen(i.Woke())
    assert said(story) == PAY_LINE
    story.hear_out()
    assert len(story.effects) == 2


def test_nobody_is_led_back_from_the_till_before_its_time() -> None:
    story = at_the_till()
    until_ms = story.now_ms + PAY_WAIT_MS
    assert keyed_until_ms(story.call) == until_ms
    due = due_ms(story.call, POLICY)
    assert due is not None
    assert due >= until_ms + CARRIER_WAIT_MS
    story.now_ms += 60_000
    story.write(TAKEN, is_outside=True)
    soon = due_ms(story.call, POLICY)
    assert soon is not None
    assert story.now_ms + CARRIER_WAIT_MS <= soon < until_ms


def test_whoever_ends_the_call_does_not_wait_for_the_card() -> None:
    story = at_the_till()
    story.write(e.HangupRequested(request="r1"), is_outside=True)
    story.settle()
    assert story.facts(e.EndingStarted)
    assert isinstance(story.effects[-1], i.EndCall)


def test_what_is_beginning_is_known_for_a_moment() -> None:
    story = asked()
    assert not is_beginning(story.call, story.now_ms)
    story.hear_out()
    assert is_beginning(story.call, story.now_ms + CUT_MS_MAX - 1)
    assert not is_beginning(story.call, story.now_ms + CUT_MS_MAX)
    assert is_under_way(story.call)
    assert not is_under_way(Call())
    assert not next_step(Call()).facts


@pytest.mark.parametrize(
    ("policy", "act", "sink"),
    [
        (POLICY, CARD, "pay"),
        (replace(POLICY, has_sink=True), CARD, "pay"),
        (replace(POLICY, has_sink=True), replace(CARD, is_card=False), "http"),
        (Policy(has_sink=True), CARD, "http"),
    ],
)
def test_cards_go_to_the_carrier_and_other_numbers_to_our_own_sink(
    policy: Policy, act: a.Collect, sink: str
) -> None:
    story = asked(policy, act)
    assert story.call.privacy.collection is not None
    assert story.call.privacy.collection.sink == sink


def test_what_no_sink_takes_has_failed_at_once() -> None:
    assert asked(POLICY, replace(CARD, is_card=False)).facts(e.CollectionEnded)
    story = Story(replace(POLICY, has_sink=True))
    story.write(e.CallOpened(call_sid="CA1", direction="browser"), is_outside=True)
    story.attach(door="voice")
    story.happen(i.Answered(1, (CARD,)))
    assert story.facts(e.CollectionEnded)[0].outcome == "failed"
