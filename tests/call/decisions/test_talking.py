import pytest

from service.call import events as e, inputs as i
from service.call.decisions.talking import is_live
from service.call.person_inputs import PersonBegan, PersonMissed
from service.call.state import Call
from tests.call.story import Story, greeted, handed_back, kinds, taken, whole

BEGAN = PersonBegan("h1-1", "a")


def talking() -> Story:
    story = greeted()
    taken(story)
    story.happen(i.Utterance("It is broken."))
    story.happen(BEGAN)
    return story


def say(story: Story, text: str) -> None:
    story.happen(i.ModelContinued("h1-1", text, is_last=True))


def test_a_persons_first_sound_is_a_line_of_theirs_and_answers_the_caller() -> None:
    story = talking()
    assert [is_live(prompt) for prompt in story.call.prompts] == [True]
    assert story.call.turn is None
    assert (story.call.transcript[-1].who, story.call.transcript[-1].text) == ("human", "")


@pytest.mark.parametrize("began", [PersonBegan("h1-1", "b"), BEGAN])
def test_only_who_has_the_seat_is_heard(began: PersonBegan) -> None:
    story = greeted()
    if began.seat == "b":
        taken(story)
    assert not story.happen(began).facts


def test_nobody_is_heard_before_the_agent_is_silent_nor_over_a_farewell() -> None:
    story = greeted()
    story.write(e.TakeoverRequested(request="t", by="Ana", seat="a"), is_outside=True)
    assert not story.tell(BEGAN).facts
    story.settle()
    story.write(e.EndingPlanned(ending="hangup"))
    assert not story.tell(BEGAN).facts


def test_its_words_are_written_when_they_are_known_and_heard_when_they_were() -> None:
    story = talking()
    say(story, "I will send somebody.")
    story.happen(i.Progress((whole("h1-1", ("I will send somebody.",)),)))
    line = story.call.transcript[-1]
    assert (line.text, line.heard, line.cut) == (
        "I will send somebody.",
        "I will send somebody.",
        False,
    )
    assert story.call.prompts == ()


def test_words_that_come_after_their_sound_was_heard_were_heard() -> None:
    story = talking()
    story.happen(i.Utterance("Yes.", played=(whole("h1-1", ("",)),)))
    say(story, "I will send somebody.")
    (line,) = [line for line in story.call.transcript if line.who == "human"]
    assert line.heard == "I will send somebody."
    assert story.call.prompts == ()


@pytest.mark.parametrize(
    "happened", [i.BargedIn(), i.Utterance("But I said no."), i.Key("1"), i.SpeechBegan()]
)
def test_the_caller_does_not_cut_a_live_voice(happened: i.Input) -> None:
    story = talking()
    assert "SpeechCut" not in kinds(story.happen(happened))
    assert [is_live(prompt) for prompt in story.call.prompts] == [True]


def test_what_the_caller_was_not_there_for_is_given_up_and_told_once() -> None:
    story = talking()
    story.drop()
    say(story, "Are you there?")
    assert kinds(story.happen(PersonMissed("h1-1"))) == ["SpeechCut"]
    assert not story.happen(PersonMissed("h1-1")).facts
    line = story.call.transcript[-1]
    assert (line.text, line.heard, line.cut) == ("Are you there?", "", True)
    assert story.call.turn is None
    handed_back(story)
    assert story.call.turn is None


def test_another_kind_of_prompt_is_not_live() -> None:
    story = greeted()
    story.write(e.AgentSpoke(prompt="p9", clauses=("Hello.",)))
    assert not any(map(is_live, story.call.prompts))
    assert not any(map(is_live, Call().prompts))
