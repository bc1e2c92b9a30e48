import pytest

from service.speech.transcript import CONFIDENCE_MILLI_MIN, Transcript, believed


@pytest.mark.parametrize(
    "text",
    [
        "Yes.",
        "My name is Zoë Nuñez-Žižek.",
        "No, no, no, no, no, no, no.",
        "It is zero zero zero zero.",
        "I see you.",
        "two two two two five five five five",
        "It is broken, I said it is broken.",
    ],
)
def test_what_people_say_is_believed(text: str) -> None:
    assert believed(text, 900) == Transcript(text, 900)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "You",
        "you.",
        "♪ la la ♪",
        "2-3ตวบนลาง",
        "谢谢观看",
        "and so on " * 5,
        "no " * 30,
        "Then he went home. Then he went home. Then he went home.",
    ],
)
def test_what_a_recogniser_makes_up_is_not(text: str) -> None:
    assert believed(text, 900) == Transcript("", 900)


def test_doubtful_words_are_not_believed() -> None:
    assert believed("Yes.", CONFIDENCE_MILLI_MIN).text == "Yes."
    assert believed("Yes.", CONFIDENCE_MILLI_MIN - 1) == Transcript("", CONFIDENCE_MILLI_MIN - 1)
