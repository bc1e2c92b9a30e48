import pytest

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.decide import deadline_ms
from service.call.decisions.moving import CUT_MS_MAX, is_moving, is_pausing
from tests.call.story import Story, greeted, kinds, speaking


def test_a_call_is_moved_by_the_carrier_once_the_plan_is_written() -> None:
    """Requirement O-9: state is durable before the stream goes."""
    story = greeted()
    decision = story.happen(i.Move())
    assert decision.facts == (e.MovePlanned(cause="deploy"),)
    assert story.effects == [i.MoveCall(is_alone=False)]
    assert story.happen(i.Move()) == i.Decision()
    assert deadline_ms(story.call) is not None


def test_a_call_is_on_the_move_until_the_next_stream_or_until_it_must_have_come() -> None:
    story = greeted()
    assert not is_moving(story.call, story.now_ms)
    story.happen(i.Move())
    assert is_moving(story.call, story.now_ms)
    assert not is_moving(story.call, story.now_ms + CUT_MS_MAX)
    story.attach("MZ2")
    assert not is_moving(story.call, story.now_ms)


def test_a_server_that_is_alone_has_the_call_wait_for_it() -> None:
    story = greeted()
    story.happen(i.Move(is_alone=True))
    assert story.effects == [i.MoveCall(is_alone=True)]


def test_the_next_stream_of_a_moved_call_comes_of_the_deploy_and_no_drop_is_counted() -> None:
    story = greeted()
    story.happen(i.Move())
    story.drop("stop")
    story.attach("MZ2")
    assert story.call.streams[0].reason == "restart"
    assert story.call.streams[1].cause == "deploy"
    assert story.call.drops_since(0) == 0
    assert story.call.planned_cause is None


def test_a_stream_that_overtakes_the_end_of_the_moved_one_counts_no_drop_either() -> None:
    story = greeted()
    story.happen(i.Move())
    story.attach("MZ2")
    assert [stream.reason for stream in story.call.streams] == ["replaced", ""]
    assert story.call.streams[1].cause == "deploy"
    assert story.call.drops_since(0) == 0


def test_nobody_is_greeted_twice_when_a_call_is_moved() -> None:
    story = greeted()
    story.happen(i.Move())
    story.drop("stop")
    decision = story.attach("MZ2", gap_ms=900)
    assert kinds(decision) == ["StreamAttached"]
    assert len(story.facts(e.Greeted)) == 1


def test_a_sentence_that_is_cut_by_the_move_goes_on() -> None:
    story = speaking()
    assert not is_pausing(story.call)
    story.happen(i.Move())
    story.drop("stop")
    story.attach("MZ2", gap_ms=900)
    assert [prompt.clauses_heard for prompt in story.call.prompts] == [0]


def test_only_a_live_stream_is_moved() -> None:
    ringing = Story()
    ringing.opened()
    assert ringing.tell(i.Move()) == i.Decision()
    away = greeted()
    away.drop()
    assert away.tell(i.Move()) == i.Decision()


@pytest.mark.parametrize("ending", ["a planned restart", "the end of the call"])
def test_a_stream_that_is_about_to_end_anyway_is_left_to_do_so(ending: str) -> None:
    story = greeted()
    if ending == "a planned restart":
        story.write(e.DigitsRequested(request="r1", digits="1"), is_outside=True)
    else:
        story.write(e.HangupRequested(request="r1"), is_outside=True)
    story.settle()
    assert story.tell(i.Move()) == i.Decision()


def test_a_pause_is_when_nobody_speaks_or_keys_and_nobody_waits_for_an_answer() -> None:
    story = greeted()
    assert is_pausing(story.call)
    story.happen(i.SpeechBegan())
    assert not is_pausing(story.call)
    story.happen(i.Utterance("My name is Maria."))
    assert not is_pausing(story.call)
    story.happen(i.Answered(2, (a.Ask("Thank you. And the ticket?", "ticket"),)))
    assert not is_pausing(story.call)
    story.hear_out()
    assert is_pausing(story.call)
    story.happen(i.Key("4"))
    assert not is_pausing(story.call)
