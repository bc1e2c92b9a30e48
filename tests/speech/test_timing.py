import random

import pytest

from service.audio import SILENCE, samples
from service.speech.synthesizer import synthesizer
from service.speech.timing import Timed, letters, spoken_words, timed, word_ends, words_before

LOUD = b"\x00"
CUTS = 400
PROMPTS = (
    "May I have your name, please?",
    "Which company are you calling from?",
    "You can say it, or key in the digits and press hash.",
    "Please tell me in a sentence what the problem is.",
    "Sorry, I didn't get the ticket number.",
    "I'm sorry, I've lost some of our context,",
    "so I may ask you some things again.",
    "Hello Maria Gonzalez from Northwind Traders,",
    "I see this is about ticket TKT-4821.",
    "A colleague will look at this today and call you back on this number.",
    "Which part is wrong: name, company, ticket or problem?",
    "your name is Jonathan Weatherby,",
    "and the calendar shows the wrong time. Is that right?",
)


def test_what_the_engine_told_is_believed() -> None:
    audio = Timed(LOUD * 900, (300, 900))
    assert word_ends("two words", audio) == (300, 900)
    assert word_ends("now there are three", audio) != (300, 900)
    assert audio == LOUD * 900


def test_what_was_estimated_once_is_told_from_then_on() -> None:
    audio = timed("two words", LOUD * 900)
    assert audio == LOUD * 900
    assert audio.ends == word_ends("two words", LOUD * 900)
    assert timed("two words", Timed(LOUD * 900, (300, 900))).ends == (300, 900)


@pytest.mark.parametrize(
    ("heard", "words"), [(0, 0), (299, 0), (300, 1), (899, 1), (900, 2), (9_000, 2)]
)
def test_a_word_counts_when_it_was_heard_to_its_end(heard: int, words: int) -> None:
    assert words_before((300, 900), heard) == words


def test_longer_words_take_longer_and_the_last_one_ends_with_the_sound() -> None:
    audio = SILENCE * 800 + LOUD * 16_000 + SILENCE * 800
    ends = word_ends("an extraordinarily long word.", audio)
    assert ends[0] < samples(100) + 16_000 // 8
    assert ends[1] - ends[0] > 3 * (ends[2] - ends[1])
    assert ends[3] == 16_800 - samples(30)


def test_a_pause_in_the_sound_is_where_the_comma_stands() -> None:
    audio = LOUD * 4_000 + SILENCE * 2_000 + LOUD * 12_000
    ends = word_ends("No, that is not at all what I meant", audio)
    assert ends[0] == 4_000 - samples(30)
    assert ends[1] > 6_000
    assert word_ends("No that is not at all what I meant", audio)[0] < 2_000


def test_stops_without_a_pause_are_no_harm() -> None:
    ends = word_ends("One, two, three, four.", LOUD * 8_000)
    assert list(ends) == sorted(ends)
    assert ends[-1] == 8_000 - samples(30)


@pytest.mark.parametrize(
    ("text", "audio", "words"),
    [("", LOUD * 800, 0), ("some words", b"", 2), ("— …", LOUD * 800, 2), ("so", LOUD, 1), ("a b", SILENCE * 999, 2)],
)  # fmt: skip
def test_there_is_one_end_for_each_word_whatever_the_audio(
    text: str, audio: bytes, words: int
) -> None:
    ends = word_ends(text, audio)
    assert len(ends) == words
    assert list(ends) == sorted(ends)
    assert all(0 <= end <= len(audio) for end in ends)


def test_a_spelled_word_is_several_and_a_sign_alone_is_spoken_as_it_stands() -> None:
    assert spoken_words("Is it TKT-12 **or** +44 20 7946 0958 — no?") == [
        ["Is"],
        ["it"],
        ["TKT-12"],
        ["or"],
        ["plus", "four", "four,"],
        ["two", "zero,"],
        ["seven", "nine", "four", "six,"],
        ["zero", "nine", "five", "eight"],
        ["—"],
        ["no?"],
    ]
    assert [len(group) for group in spoken_words("ticket 90417, TKT-1234.")] == [1, 5, 7]
    assert letters("“It's!”") == "its"


def test_the_estimate_is_right_to_the_word_in_nine_cuts_of_ten() -> None:
    """Right: the words that were over, or one more when the cut lies inside a word."""
    chance = random.Random(7)
    rendered = [(text, synthesizer().render(text)) for text in PROMPTS]
    right = 0
    for _ in range(CUTS):
        text, audio = chance.choice(rendered)
        told, guessed = word_ends(text, audio), word_ends(text, bytes(audio))
        assert told != guessed
        cut = chance.randrange(len(audio))
        right += words_before(guessed, cut) - words_before(told, cut) in (0, 1)
    assert right >= CUTS * 9 // 10, right
