import pytest

from service.call import events as e
from service.call.hearing import MISHEARD_MS
from service.call.state import Field, Turn
from tests.call.story import START_MS, Story

ATTACHED = e.StreamAttached(stream_sid="MZ1", cause="new", gap_ms=0, server="s1")
ENDING = e.EndingPlanned(ending="hangup")


def said(text: str, *, partial: bool = False, duration_ms: int = 0) -> e.CallerSpoke:
    return e.CallerSpoke(text=text, partial=partial, duration_ms=duration_ms)


def entered(digits: str) -> e.DigitsEntered:
    return e.DigitsEntered(digits=digits, ended_by="hash")


def answering() -> Story:
    """A call whose opening was answered."""
    story = Story()
    story.write(ATTACHED, e.Greeted(prompt="p1"), e.TurnAnswered(turn=1))
    return story


def test_a_caller_begins_and_ends_to_speak() -> None:
    story = answering()
    assert story.write(e.CallerBegan()).is_caller_speaking
    call = story.write(said("Hello."))
    assert not call.is_caller_speaking
    assert call.turn == Turn(2, "speech", "Hello.")
    line = call.transcript[-1]
    assert (line.who, line.text, line.heard, line.cut) == ("caller", "Hello.", "Hello.", False)


@pytest.mark.parametrize(
    ("duration_ms", "has_turn"), [(0, False), (MISHEARD_MS - 1, False), (MISHEARD_MS, True)]
)
def test_a_cough_is_no_answer_but_speech_without_words_is(
    duration_ms: int, *, has_turn: bool
) -> None:
    story = answering()
    story.write(e.CallerBegan())
    call = story.write(said("", duration_ms=duration_ms))
    assert (call.turn is not None) is has_turn
    assert not call.is_caller_speaking
    assert call.transcript == ()


def test_a_half_utterance_is_kept_for_the_next_one() -> None:
    story = answering()
    story.write(e.CallerBegan())
    call = story.write(said("My name is", partial=True), said("Mar", partial=True))
    assert call.is_caller_speaking
    assert (call.half_text, call.turn) == ("My name is Mar", None)
    assert [line.cut for line in call.transcript] == [True, True]
    call = story.write(said("Maria Lopez."))
    assert call.turn == Turn(2, "speech", "Maria Lopez.", "My name is Mar")
    assert call.half_text == ""


def test_a_half_utterance_recognised_late_does_not_make_the_caller_speak_now() -> None:
    story = answering()
    story.write(e.CallerBegan(), ATTACHED)
    assert not story.write(said("half", partial=True)).is_caller_speaking
    story.write(e.CallerBegan())
    assert story.write(said("", partial=True)).is_caller_speaking


def test_what_is_said_before_the_answer_came_belongs_to_the_same_turn() -> None:
    story = answering()
    story.write(said("My printer"), said("and so", partial=True))
    assert story.write(said("smokes.")).turn == Turn(3, "speech", "My printer smokes.", "and so")
    assert story.write(said("Help.")).turn == Turn(
        4, "speech", "My printer smokes. Help.", "and so"
    )


def test_a_greeting_owed_stays_owed_whatever_the_caller_says_or_keys() -> None:
    story = Story()
    call = story.write(ATTACHED, said("Hello?"))
    assert call.turn == Turn(2, "opening", "Hello?")
    assert story.write(entered("12")).turn == Turn(3, "opening", "Hello? 12")


def test_a_confession_owed_stays_owed_whatever_the_caller_says() -> None:
    story = Story()
    call = story.write(ATTACHED, e.ContextLost(reason="gone"), said("Hello?"))
    assert call.turn == Turn(3, "context_lost", "Hello?")


def test_keys_are_collected_cleared_and_entered() -> None:
    story = answering()
    story.write(*(e.DigitPressed(digit=digit) for digit in "12"))
    assert (story.call.digits_pending, story.call.digit_ms) == ("12", START_MS)
    assert story.write(e.DigitPressed(digit="#")).digits_pending == "12"
    assert story.write(e.DigitPressed(digit="*")).digits_pending == ""
    story.write(e.DigitPressed(digit="7"))
    call = story.write(entered("7"))
    assert (call.digits_pending, call.turn) == ("", Turn(2, "keys", "7"))
    assert (call.transcript[-1].who, call.transcript[-1].text) == ("caller", "7")


def test_keys_take_the_place_of_words_that_were_not_answered_yet() -> None:
    story = answering()
    story.write(said("It's"), said("T K", partial=True))
    assert story.write(entered("12")).turn == Turn(3, "keys", "12", "T K")
    assert story.call.half_text == ""
    assert story.write(said("I mean 13.")).turn == Turn(4, "speech", "I mean 13.", "T K")


def test_after_the_farewell_nothing_is_owed_an_answer() -> None:
    story = answering()
    call = story.write(ENDING, said("Thank you."), entered("1"))
    assert call.turn is None
    assert [line.text for line in call.transcript] == ["Thank you.", "1"]


def test_fields_are_filled_confirmed_and_cleared() -> None:
    story = Story()
    story.write(e.FieldFilled(name="name", value="Ma", source="speech"))
    assert story.call.fields == {"name": Field("Ma", source="speech")}
    story.write(e.FieldConfirmed(name="name"), e.FieldConfirmed(name="company"))
    assert story.call.fields == {"name": Field("Ma", confirmed=True, source="speech")}
    story.write(e.FieldFilled(name="name", value="Mo", source="keys"))
    assert story.call.fields == {"name": Field("Mo", source="keys")}
    assert story.write(e.FieldCleared(name="name"), e.FieldCleared(name="x")).fields == {}
