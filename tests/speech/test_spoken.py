import random

import pytest

from service.speech.spoken import CLAUSE_MAX, clauses, speakable

REPLY = (
    "Thanks, Maria. I found your ticket TKT-1234 about the printer that stopped working this "
    "morning, and I can see that our technician Dr. Smith already ordered a spare part which should "
    "arrive tomorrow before noon. OK. Is there anything else, or shall I read the note to you?"
)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("It is TKT-1234.", "It is T, K, T, one, two, three, four."),
        ("It is TKT1234.", "It is T, K, T, one, two, three, four."),
        ("AB-12-C3 is it", "A, B, one, two, C, three is it"),
        ("ticket number 4411", "ticket number four, four, one, one"),
        ("Ticket: 4411", "Ticket: four, four, one, one"),
        ("order #2231", "order two, two, three, one"),
        ("code 0042", "code zero, zero, four, two"),
        ("the area 90210", "the area nine, zero, two, one, zero"),
        ("call 415-555-0192 now", "call four one five, five five five, zero one nine two now"),
        ("+1 (415) 555-0192", "plus one, four one five, five five five, zero one nine two"),
        ("press **1** or `2`", "press 1 or 2"),
        ("# Title\n\n  two   words ", "Title two words"),
    ],
)
def test_identifiers_are_spelled_and_markup_is_dropped(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


@pytest.mark.parametrize(
    "text",
    [
        "On 2024-11-05 at 10:30 we met.",
        "It costs $12,500.00 or 12345.50 or 12345 euros.",
        "1,234,567 people, 3.14159 and 12345%",
        "In 2024 we sold 300 MP3 players over UTF-8, B2B.",
        "A well-known 24-hour line, 2 * 3 = 6.",
        "",
    ],
)
def test_dates_amounts_and_plain_words_stay(text: str) -> None:
    assert speakable(text) == text


def test_a_reply_is_cut_where_speech_may_pause() -> None:
    assert clauses(REPLY) == (
        "Thanks, Maria.",
        "I found your ticket TKT-1234 about the printer that stopped working this morning,",
        "and I can see that our technician Dr. Smith already ordered a spare part",
        "which should arrive tomorrow before noon. OK.",
        "Is there anything else, or shall I read the note to you?",
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("  \n ", ()),
        ("Hello!", ("Hello!",)),
        ("No. That is wrong, I am afraid.", ("No. That is wrong, I am afraid.",)),
        ("Ask J. R. Miller and Mr. Jones.", ("Ask J. R. Miller and Mr. Jones.",)),
        (
            'He said "wait a minute, please." Then he was gone again.',
            ('He said "wait a minute, please."', "Then he was gone again."),
        ),
    ],
)
def test_sentences_end_where_people_end_them(text: str, found: tuple[str, ...]) -> None:
    assert clauses(text) == found


def test_what_has_no_punctuation_is_cut_between_words() -> None:
    found = clauses("seven " * 100)
    assert [len(clause) for clause in found] == [197, 197, 197, 5]


def test_a_word_without_end_is_cut_inside() -> None:
    assert clauses("a" * 450) == ("a" * 200, "a" * 200, "a" * 50)


def test_clauses_are_the_text_again_in_seeded_texts() -> None:
    words = ["Yes.", "no,", "and", "printer", "a", "Dr.", "J.", "well -", "(so);", "TKT-1234", "é…"]
    for seed in range(300):
        chance = random.Random(seed)
        text = " ".join(chance.choices(words, k=chance.randrange(1, 80)))
        found = clauses(text)
        assert " ".join(found) == text, f"seed {seed}"
        assert all(0 < len(clause) <= CLAUSE_MAX for clause in found), f"seed {seed}"


def test_no_text_whatever_is_an_error_in_seeded_noise() -> None:
    for seed in range(300):
        chance = random.Random(seed)
        text = "".join(chr(chance.randrange(1, 0xD7FF)) for _ in range(chance.randrange(400)))
        spoken = speakable(text)
        assert all(0 < len(clause) <= CLAUSE_MAX for clause in clauses(spoken)), f"seed {seed}"
