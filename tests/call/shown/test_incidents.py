import pytest

from service.call import acts as a, events as e, inputs as i
from service.call.folds.fold import fold
from service.call.shown.incidents import AGAIN_MS, KINDS, Kind, incident, is_complaint
from service.call.state import Call
from tests.call.story import Story, greeted, whole

NAME = "May I have your name, please?"


def found(story: Story) -> list[Kind]:
    """The incidents of a call, fact by fact."""
    call, kinds = Call(), list[Kind]()
    for fact, place in story.journal:
        kind = incident(call, fact)
        kinds.extend([kind] if kind else [])
        call = fold(call, fact, place)
    return kinds


def asked(story: Story, text: str, *acts: a.Act) -> None:
    """The caller says something, and the agent answers; it is heard out."""
    story.happen(i.Utterance(text))
    assert story.call.turn is not None
    story.happen(i.Answered(story.call.turn.number, acts))
    story.hear_out()


def back(story: Story) -> None:
    """The stream goes, and comes back."""
    story.now_ms += 500
    story.drop()
    story.now_ms += 500
    story.attach("MZ2", gap_ms=500)
    story.hear_out()
    story.now_ms += 500


def named(story: Story, source: str = "speech") -> None:
    asked(story, "It's Maria.", a.Fill("name", "Maria", source), a.Ask("Which company?", "company"))


def test_a_call_that_goes_well_through_a_drop_shows_none() -> None:
    story = greeted()
    named(story)
    back(story)
    asked(story, "Acme.", a.Fill("company", "Acme"), a.Ask("What is the problem?", "problem"))
    assert found(story) == []


def test_a_known_call_without_its_state_is_one_incident() -> None:
    story = Story()
    story.attach("MZ2", lost="the journal was gone")
    assert found(story) == ["state_missing"]


def test_a_state_that_the_records_do_not_give_is_one_incident() -> None:
    story = greeted()
    story.write(e.StateDiffered(server="s1", position=3, names=("fields",)), is_outside=True)
    assert found(story) == ["fold_mismatch"]


def test_a_field_that_was_answered_before_the_drop_and_is_asked_for_after_it_is_asked_again() -> (
    None
):
    story = greeted()
    named(story)
    back(story)
    asked(story, "Acme.", a.Ask(NAME, "name"))
    assert found(story) == ["asked_again"]


def test_a_confirmed_field_is_asked_again_at_any_time() -> None:
    story = greeted()
    named(story)
    asked(story, "Yes.", a.Confirm("name"), a.Ask(NAME, "name"))
    assert found(story) == ["asked_again"]


def test_a_field_that_the_caller_called_wrong_may_be_asked_for() -> None:
    story = greeted()
    named(story)
    back(story)
    asked(story, "No, that's wrong.", a.Forget("name"), a.Ask(NAME, "name"))
    assert found(story) == []


def test_what_the_directory_said_was_never_answered() -> None:
    story = greeted()
    named(story, source="directory")
    back(story)
    asked(story, "Acme.", a.Ask(NAME, "name"))
    assert found(story) == []


def test_a_field_may_be_read_back_again_while_nobody_dropped() -> None:
    story = greeted()
    named(story)
    asked(story, "What was that?", a.Ask("And your name is Maria?", "name"))
    assert found(story) == []


def test_a_question_in_the_same_words_as_before_the_drop_is_asked_again() -> None:
    story = greeted()
    asked(story, "It's Maria.", a.Say("Thank you. Is it the printer, again?"))
    asked(story, "It is.", a.Say("I see."))
    back(story)
    asked(story, "Hello?", a.Say("Right! Is it the printer again?"))
    assert found(story) == ["asked_again"]


@pytest.mark.parametrize("late_ms", [AGAIN_MS + 1_000, 0])
def test_the_same_words_count_for_a_while_after_the_stream_came_back(late_ms: int) -> None:
    story = greeted()
    asked(story, "It's Maria.", a.Say("Is there anything else?"))
    asked(story, "There is.", a.Say("I see."))
    back(story)
    story.now_ms += late_ms
    asked(story, "Done.", a.Say("Is there anything else?"))
    assert found(story) == ([] if late_ms else ["asked_again"])


def test_a_question_that_nobody_answered_may_be_put_again() -> None:
    story = greeted()
    asked(story, "It's Maria.", a.Say("Is it the printer again?"))
    back(story)
    asked(story, "Hello?", a.Say("Is it the printer again?"))
    assert found(story) == []


def test_a_question_that_was_cut_off_may_be_put_again() -> None:
    story = greeted()
    story.happen(i.Utterance("It's Maria."))
    story.happen(i.Answered(2, (a.Say("Is it the printer again?"),)))
    story.happen(i.Utterance("Well, you see."))
    back(story)
    asked(story, "Hello?", a.Say("Is it the printer again?"))
    assert found(story) == []


def test_whoever_is_silent_may_be_asked_whether_they_are_there() -> None:
    story = greeted()
    asked(story, "It's Maria.", a.Ask("Are you still there?", "x"))
    asked(story, "I am.", a.Ask("What is it?", "x"))
    back(story)
    story.write(e.CallerSilent())
    assert story.call.turn is not None
    story.happen(i.Answered(story.call.turn.number, (a.Ask("Are you still there?", "x"),)))
    assert found(story) == []


def test_a_person_may_ask_whatever_they_like() -> None:
    story = greeted()
    named(story)
    back(story)
    story.write(e.AgentSpoke(prompt="h", clauses=(NAME,), asks="name", who="human", turn=2))
    assert found(story) == []


def test_what_a_model_says_by_itself_counts_once_all_of_it_is_known() -> None:
    story = greeted()
    asked(story, "It's Maria.", a.Say("Is it the printer again?"))
    asked(story, "It is.", a.Say("I see."))
    back(story)
    for prompt, turn in (("m1", 0), ("m2", 9)):
        begun = e.AgentSpoke(prompt=prompt, clauses=(), voice="model", turn=turn, is_open=True)
        story.write(begun)
        words = ("Is it the printer again?",)
        story.write(e.AgentContinued(prompt=prompt, clauses=words))
        story.write(e.AgentContinued(prompt=prompt, clauses=words, is_last=True))
        story.write(whole(prompt, words))
    assert found(story) == ["asked_again"]


@pytest.mark.parametrize(
    "words",
    [
        "I already told you.",
        "I've already told you that.",
        "I just said that!",
        "I told you that already",
        "I already gave you my ticket number",
        "But I\u2019ve just told you my name.",
        "You already asked me that.",
        "you asked me that before",
        "How many times do I have to say it?",
        "Do I have to repeat everything?",
        "I already said.",
        "I told you that.",
    ],
)
def test_a_caller_who_says_that_they_told_it_before_shows_a_loss(words: str) -> None:
    story = greeted()
    story.happen(i.Utterance(words))
    assert found(story) == ["told_already"]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "It's Maria.",
        "I already told my manager that the printer smokes.",
        "I just gave up on it.",
        "I said printer.",
        "The door says it's closed already.",
        "You asked for my name.",
        "I told him before you.",
    ],
)
def test_other_words_show_none(words: str) -> None:
    assert not is_complaint(words)


def test_every_kind_can_be_found_here() -> None:
    assert KINDS == ("state_missing", "fold_mismatch", "asked_again", "told_already")
