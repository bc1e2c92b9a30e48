from service.call import events as e
from service.call.facts.ring import CarriedField
from service.call.state import Field
from tests.call.story import START_MS, Story, greeted

CARRIED = e.EarlierCarried(
    call_sid="CA0",
    by="number",
    ended_ms=START_MS,
    fields={
        "name": CarriedField("Ma", confirmed=True, source="speech", at_ms=5),
        "company": CarriedField("Acme", confirmed=True, source="directory", at_ms=5),
    },
    stage="intake",
    asked="problem",
)


def test_what_is_carried_stands_apart_until_it_is_taken() -> None:
    call = Story().write(e.CallOpened(call_sid="CA1", continues="CA0"), CARRIED)
    assert call.earlier is not None
    assert (call.earlier.standing, call.earlier.call_sid, call.continues) == ("open", "CA0", "CA0")
    assert (call.fields, call.stage, call.asked, call.turn) == ({}, "", "", None)


def test_found_in_the_middle_of_a_call_it_is_the_agents_turn() -> None:
    turn = greeted().write(CARRIED).turn
    assert turn is not None
    assert turn.reason == "earlier"
    story = greeted()
    story.write(e.EndingPlanned(ending="hangup"), CARRIED)
    assert story.call.turn is None
    story = greeted()
    story.write(e.CallerSpoke(text="Hi."), CARRIED)
    assert story.call.turn is not None
    assert story.call.turn.reason == "speech"


def test_what_is_taken_is_the_callers_own_and_the_agent_goes_on() -> None:
    story = greeted()
    story.write(
        e.FieldFilled(name="company", value="Acme Ltd", source="directory"),
        e.FieldFilled(name="ticket_id", value="TKT-1", source="keys"),
        e.FieldFilled(name="problem", value="smoke", source="directory"),
        CARRIED,
        e.EarlierTaken(),
    )
    call = story.call
    assert call.fields["name"] == Field("Ma", confirmed=True, source="speech", at_ms=5)
    assert call.fields["company"].value == "Acme"
    assert call.fields["ticket_id"].value == "TKT-1"
    assert call.fields["problem"].value == "smoke"
    assert (call.stage, call.asked, call.asks) == ("intake", "", 0)
    assert call.turn is not None
    assert call.turn.reason == "earlier"
    assert call.earlier is not None
    assert (call.earlier.standing, call.earlier.asked, call.earlier.fields) == (
        "taken",
        "problem",
        {},
    )


def test_the_turn_that_went_on_is_answered_by_it() -> None:
    story = greeted()
    story.write(e.CallerSpoke(text="Hi."), CARRIED)
    assert story.call.turn is not None
    before = story.call.turn.number
    story.write(e.EarlierTaken(), e.TurnAnswered(turn=before))
    assert story.call.turn is not None
    assert (story.call.turn.number, story.call.turn.reason) == (before + 1, "earlier")


def test_taken_at_once_it_owes_no_turn_before_the_opening() -> None:
    call = Story().write(e.CallOpened(call_sid="CA1"), CARRIED, e.EarlierTaken())
    assert call.fields["name"].value == "Ma"
    assert call.turn is None


def test_what_is_old_is_confirmed_again() -> None:
    call = greeted().write(CARRIED, e.EarlierTaken(is_stale=True))
    assert not any(field.confirmed for field in call.fields.values())
    assert call.earlier is not None
    assert call.earlier.is_stale


def test_what_is_declined_leaves_nothing() -> None:
    call = greeted().write(CARRIED, e.EarlierDeclined())
    assert call.earlier is not None
    assert (call.earlier.standing, call.earlier.fields, call.earlier.asked) == ("declined", {}, "")
    assert "Ma" not in str(call.earlier)


def test_it_is_taken_or_declined_once_and_only_if_there_is_any() -> None:
    for first in (e.EarlierTaken(), e.EarlierDeclined()):
        story = greeted()
        once = story.write(CARRIED, first).earlier
        assert story.write(e.EarlierTaken(), e.EarlierDeclined()).earlier == once
        assert greeted().write(first).earlier is None


def test_the_first_call_that_goes_on_stands() -> None:
    call = Story().write(e.CarriedOn(call_sid="CA2"), e.CarriedOn(call_sid="CA3"))
    assert call.carried_on == "CA2"


def test_a_callback_is_known_by_its_facts() -> None:
    story = Story()
    story.write(
        e.CallbackRequested(by="rule"),
        e.CallbackDialled(attempt=1),
        e.CallbackPlaced(attempt=1, call_sid="CA2"),
    )
    assert story.call.callback is not None
    assert (story.call.callback.step, story.call.callback.call_sid) == ("placed", "CA2")
    story.write(e.CallbackEnded(attempt=1, outcome="busy"))
    assert story.call.callback.outcome == "busy"
