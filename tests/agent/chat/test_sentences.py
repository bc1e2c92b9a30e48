import random

import pytest

from service.agent.chat.sentences import (
    SENTENCE_GOOD,
    SENTENCE_LETTERS_MAX,
    Sentences,
    Unrepeated,
    speakable,
)

WHOLE = {
    "Hello. How are you?": ["Hello.", "How are you?"],
    "Dr. Miller works on it. He will call.": ["Dr. Miller works on it.", "He will call."],
    "It costs 3.5 euros. Fine?": ["It costs 3.5 euros.", "Fine?"],
    "Ask for J. R. Smith. Bye!": ["Ask for J. R. Smith.", "Bye!"],
    "See no. 5 of the list. Then no. I can't.": ["See no. 5 of the list.", "Then no.", "I can't."],
    "Take e.g. this one, i.e. yours. Good.": ["Take e.g. this one, i.e. yours.", "Good."],
    "We open at 5 p.m. on Monday. At 5 p.m. Please wait.": [
        "We open at 5 p.m. on Monday.",
        "At 5 p.m.",
        "Please wait.",
    ],
    'He said "No." Then he left.': ['He said "No."', "Then he left."],
    "Well... maybe. Really?! Yes.": ["Well... maybe.", "Really?!", "Yes."],
    "1. Restart it. 2. Wait.": ["1. Restart it.", "2. Wait."],
    "First line\nSecond line\n\nThird": ["First line", "Second line", "Third"],
    "\u3053\u3093\u306b\u3061\u306f\u3002\u5143\u6c17\uff1f": [
        "\u3053\u3093\u306b\u3061\u306f\u3002",
        "\u5143\u6c17\uff1f",
    ],
    "No end at all": ["No end at all"],
    "": [],
    " \n . ! - \n": [],
}
SPEAKABLE = {
    "**Bold** and *thin* and `code`": "Bold and thin and code",
    "- an item": "an item",
    "* an item": "an item",
    "## A heading": "A heading",
    "> quoted": "quoted",
    "see [our page](https://example.com/a) now": "see our page now",
    "[The caller did not hear: x] Hello": "Hello",
    "as told [1]": "as told",
    "<b>Hi</b> there<br/>": "Hi there",
    "3 < 5 and 7 > 2": "3 < 5 and 7 > 2",
    "Great \U0001f600\u2764\ufe0f!": "Great !",
    "half \ud83d a sign": "half a sign",
    "\ud83d\ude00 whole": "whole",
    "snake_case and _this_": "snake_case and this",
    "a\x00b\tc": "a b c",
    "TKT-1234, #5": "TKT-1234, #5",
    "a | b": "a , b",
    "---": "",
    "...": "",
}


def spoken(*pieces: str) -> list[str]:
    sentences = Sentences()
    return [one for piece in pieces for one in sentences.feed(piece)] + sentences.end()


@pytest.mark.parametrize(("text", "found"), WHOLE.items())
def test_a_text_is_cut_where_its_sentences_end(text: str, found: list[str]) -> None:
    assert spoken(text) == found


@pytest.mark.parametrize(("text", "found"), WHOLE.items())
def test_how_the_words_come_makes_no_difference(text: str, found: list[str]) -> None:
    assert spoken(*text) == found
    chance = random.Random(7)
    for _ in range(20):
        cuts = sorted(chance.sample(range(len(text) + 1), k=min(3, len(text))))
        edges = zip([0, *cuts], [*cuts, len(text)], strict=True)
        assert spoken(*(text[begin:end] for begin, end in edges)) == found


def test_a_sentence_is_out_with_the_first_letter_of_the_next() -> None:
    sentences = Sentences()
    assert sentences.feed("Hello there.") == []
    assert sentences.feed(" ") == []
    assert sentences.feed("H") == ["Hello there."]
    assert sentences.feed("ow are you?\n") == ["How are you?"]


@pytest.mark.parametrize(("text", "plain"), SPEAKABLE.items())
def test_what_is_written_for_the_eye_is_not_spoken(text: str, plain: str) -> None:
    assert speakable(text) == plain


def test_a_list_becomes_sentences() -> None:
    text = "You need:\n- **a ticket**\n- a name\n```\ncode\n```\nThanks."
    assert spoken(text) == ["You need:", "a ticket", "a name", "code", "Thanks."]


@pytest.mark.parametrize("pieces", [("<think>Hm. Ok.\n</think>\n\nHello. Bye.",), None])
def test_thoughts_in_front_are_not_spoken(pieces: tuple[str, ...] | None) -> None:
    text = "<think>Hm. Ok.\n</think>\n\nHello. Bye."
    assert spoken(*(pieces or tuple(text))) == ["Hello.", "Bye."]


@pytest.mark.parametrize("text", ["<think>never done", "<think>" + "on and on. " * 5_000])
def test_thoughts_that_never_end_are_silence(text: str) -> None:
    assert spoken(*text.split(" ")) == []


def test_an_answer_that_begins_like_a_thought_is_one_all_the_same() -> None:
    assert spoken("<", "b>Hi</b>. You.") == ["Hi.", "You."]


def test_a_note_is_dropped_with_all_its_sentences() -> None:
    assert spoken("[The caller heard: One. Two. Three.] Good. Bye.") == ["Good.", "Bye."]


def test_a_long_sentence_goes_out_at_a_comma() -> None:
    text = "word " * 20 + "here, " + "word " * 20 + "end."
    first, second = spoken(*text)
    assert first.endswith("here,")
    assert second.endswith("end.")


@pytest.mark.parametrize("text", ["word " * 400, "x" * 3_000, "[" * 700, "1. " * 500, "a, " * 600])
def test_no_sentence_is_longer_than_the_limit(text: str) -> None:
    for found in (spoken(text), spoken(*text)):
        assert all(len(one) <= SENTENCE_LETTERS_MAX for one in found)
    assert SENTENCE_GOOD < SENTENCE_LETTERS_MAX


def test_no_words_break_the_sentences() -> None:
    signs = "aB1. .!?\n[]()*_<>/`|\ud800\udc00\x00\u2026\u3002,;:\u2014\"' think"
    for seed in range(200):
        chance = random.Random(seed)
        pieces = ["".join(chance.choices(signs, k=chance.randrange(9))) for _ in range(40)]
        found = spoken(*pieces)
        assert all(one == speakable(one) or one for one in found), f"seed {seed}"
        assert all(one.encode() and "\n" not in one for one in found), f"seed {seed}"


def test_a_beginning_that_comes_again_is_not_new() -> None:
    new = Unrepeated(["Thank you, Maria.", "Which company is it?"])
    assert not new.is_new("Thank you, Maria!")
    assert not new.is_new("which company is it")
    assert new.is_new("Is it Acme?")
    assert new.is_new("Thank you, Maria.")


def test_a_later_sentence_that_comes_again_is_not_new() -> None:
    new = Unrepeated(["Yes.", "Your ticket is open.", "Dr. Miller works on it."])
    assert not new.is_new("Your ticket is open.")
    assert not new.is_new("Dr. Miller works on it.")
    assert new.is_new("Yes.")


def test_the_last_sentence_that_comes_again_is_not_new() -> None:
    new = Unrepeated(["One is done.", "Two is."])
    assert not new.is_new("Two is.")
    assert new.is_new("Three is.")


def test_nothing_is_repeated_where_nothing_was_said() -> None:
    assert Unrepeated([]).is_new("Hello.")
    assert Unrepeated([""]).is_new("Hello.")
