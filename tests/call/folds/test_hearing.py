import pytest

from service.call import events as e
from service.call.folds.hearing import MISHEARD_MS
from service.call.state import Field, Turn
from tests.call.story import START_MS, Story

ATTACHED = e.StreamAttached(stream_sid="MZ1", cause="new", gap_ms=0, server="s1")
ENDING = e.EndingPlanned(ending="hangup")


def said(
    text: str, *, partial: bool = False, duration_ms: int = 0, backchannel: bool = False
) -> e.CallerSpoke:
    return e.CallerSpoke(
        text=text, partial=partial, duration_ms=duration_ms, backchannel=backchannel
    )


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
    assert call.turn == Turn(2, "speech", "Hello.", position=5)
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
    assert call.turn == Turn(2, "speech", "Maria Lopez.", "My name is Mar", position=7)
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
    story.write(said("smokes."))
    assert story.call.turn == Turn(3, "speech", "My printer smokes.", "and so", position=6)
    story.write(said("Help."))
    assert story.call.turn == Turn(4, "speech", "My printer smokes. Help.", "and so", position=7)


def test_a_greeting_owed_stays_owed_whatever_the_caller_says_or_keys() -> None:
    story = Story()
    call = story.write(ATTACHED, said("Hello?"))
    assert call.turn == Turn(2, "opening", "Hello?", position=2)
    assert story.write(entered("12")).turn == Turn(3, "opening", "Hello? 12", position=3)


def test_a_confession_owed_stays_owed_whatever_the_caller_says() -> None:
    story = Story()
    call = story.write(ATTACHED, e.ContextLost(reason="gone"), said("Hello?"))
    assert call.turn == Turn(3, "context_lost", "Hello?", position=3)


def test_keys_are_collected_cleared_and_entered() -> None:
    story = answering()
    story.write(*(e.DigitPressed(digit=digit) for digit in "12"))
    assert (story.call.digits_pending, story.call.digit_ms) == ("12", START_MS)
    assert story.write(e.DigitPressed(digit="#")).digits_pending == "12"
    assert story.write(e.DigitPressed(digit="*")).digits_pending == ""
    story.write(e.DigitPressed(digit="7"))
    call = story.write(entered("7"))
    assert (call.digits_pending, call.turn) == ("", Turn(2, "keys", "7", position=9))
    assert (call.transcript[-1].who, call.transcript[-1].text) == ("caller", "7")


def test_keys_take_the_place_of_words_that_were_not_answered_yet() -> None:
    story = answering()
    story.write(said("It's"), said("T K", partial=True))
    assert story.write(entered("12")).turn == Turn(3, "keys", "12", "T K", position=6)
    assert story.call.half_text == ""
    story.write(said("I mean 13."))
    assert story.call.turn == Turn(4, "speech", "I mean 13.", "T K", position=7)


def test_after_the_farewell_nothing_is_owed_an_answer() -> None:
    story = answering()
    call = story.write(ENDING, said("Thank you."), entered("1"))
    assert call.turn is None
    assert [line.text for line in call.transcript] == ["Thank you.", "1"]


def test_fields_are_filled_confirmed_and_cleared() -> None:
    story = Story()
    story.write(e.FieldFilled(name="name", value="Ma", source="speech"))
    assert story.call.fields == {"name": Field("Ma", source="speech", at_ms=START_MS)}
    story.now_ms += 5
    story.write(e.FieldConfirmed(name="name"), e.FieldConfirmed(name="company"))
    confirmed = Field("Ma", confirmed=True, source="speech", at_ms=START_MS + 5)
    assert story.call.fields == {"name": confirmed}
    story.write(e.FieldFilled(name="name", value="Mo", source="keys", confidence_milli=900))
    keyed = Field("Mo", source="keys", confidence_milli=900, at_ms=START_MS + 5)
    assert story.call.fields == {"name": keyed}
    assert story.write(e.FieldCleared(name="name"), e.FieldCleared(name="x")).fields == {}


def test_what_is_heard_so_far_is_known_until_the_utterance_is() -> None:
    story = answering()
    call = story.write(e.CallerBegan(), e.CallerPartlyHeard(text="My printer"))
    assert (call.partial_text, call.is_caller_speaking, call.turn) == ("My printer", True, None)
    call = story.write(said("My printer smokes."))
    assert (call.partial_text, call.is_caller_speaking) == ("", False)


def test_an_mm_hm_is_a_line_and_nobodys_turn() -> None:
    story = answering()
    call = story.write(e.CallerBegan(), said("Mm-hm.", backchannel=True))
    assert call.turn is None
    assert not call.is_caller_speaking
    assert call.transcript[-1].text == "Mm-hm."


def test_silences_are_counted_until_the_caller_is_heard_from() -> None:
    story = answering()
    call = story.write(e.CallerSilent(), e.TurnAnswered(turn=2), e.CallerSilent())
    assert (call.silences, call.turn) == (2, Turn(3, "silence", position=6))
    assert story.write(said("", duration_ms=MISHEARD_MS)).silences == 2
    assert story.write(said("Yes.")).silences == 0
    story.write(e.TurnAnswered(turn=4), e.CallerSilent())
    assert story.write(e.DigitPressed(digit="1")).silences == 0


def test_what_a_model_wrote_down_late_stands_before_its_answer_and_asks_for_none() -> None:
    story = answering()
    story.write(e.AgentSpoke(prompt="p2", clauses=("Fine.",)), e.CallerBegan())
    call = story.write(e.CallerSpoke(text="How are you?", before="p2"))
    assert [line.text for line in call.transcript] == ["How are you?", "Fine."]
    assert (call.turn, call.is_caller_speaking) == (None, False)
    call = story.write(e.CallerSpoke(text="And now?", before="p9"))
    assert call.transcript[-1].text == "And now?"
