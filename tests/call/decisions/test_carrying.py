import pytest

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.carrying import declined, taken
from service.call.decisions.resume import STALE_MS
from tests.call.folds.test_carrying import CARRIED
from tests.call.story import START_MS, Story, greeted, kinds, speaking

FOUND = i.EarlierFound(CARRIED)


def offered() -> Story:
    story = greeted()
    story.happen(FOUND)
    assert story.call.turn is not None
    story.happen(i.Answered(story.call.turn.number, (a.Ask("Go on?", "wants_to_go_on"),)))
    story.hear_out()
    story.happen(i.Utterance("Yes."))
    return story


def answered(story: Story, *acts: a.Act) -> list[str]:
    assert story.call.turn is not None
    return kinds(story.happen(i.Answered(story.call.turn.number, acts)))


def test_who_says_yes_goes_on_and_the_agent_speaks_next() -> None:
    story = offered()
    assert answered(story, a.GoOn()) == ["EarlierTaken", "TurnAnswered"]
    assert story.call.turn is not None
    assert story.call.turn.reason == "earlier"
    assert story.call.fields["name"].value == "Ma"


def test_who_says_no_begins_afresh() -> None:
    story = offered()
    made = answered(story, a.StartAfresh(), a.Say("Fine."))
    assert made == ["EarlierDeclined", "AgentSpoke", "TurnAnswered"]
    assert "name" not in story.call.fields


@pytest.mark.parametrize("act", [a.GoOn(), a.StartAfresh()])
def test_without_an_earlier_call_there_is_nothing_to_go_on_with(act: a.Act) -> None:
    story = greeted()
    story.happen(i.Utterance("Yes."))
    assert answered(story, act) == ["TurnAnswered"]
    assert declined(story.call) == taken(story.call, START_MS) == ()


@pytest.mark.parametrize(("later_ms", "is_stale"), [(STALE_MS - 1, False), (STALE_MS, True)])
def test_after_a_long_time_everything_is_confirmed_again(later_ms: int, *, is_stale: bool) -> None:
    call = offered().call
    assert taken(call, START_MS + later_ms) == (e.EarlierTaken(is_stale=is_stale),)


def test_what_was_found_comes_before_what_nobody_has_heard_yet() -> None:
    story = speaking()
    assert kinds(story.happen(FOUND)) == ["SpeechCut", "EarlierCarried"]
    story = speaking()
    heard = e.Played(prompt="p2", clauses=0, part_samples=50, part_of_samples=100, heard_samples=50)
    story.happen(i.Progress((heard,)))
    assert kinds(story.happen(FOUND)) == ["EarlierCarried"]


def test_one_earlier_call_is_enough_and_a_farewell_is_not_held_up() -> None:
    story = offered()
    assert not story.happen(FOUND).facts
    story = greeted()
    story.write(e.EndingPlanned(ending="hangup"))
    assert not story.happen(FOUND).facts
