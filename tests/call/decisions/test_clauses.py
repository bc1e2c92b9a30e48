import random

import pytest

from service.call.decisions.clauses import CLAUSE_LETTERS_MAX, clauses

REPLY = (
    "Thanks, Maria. I found your ticket TKT-1234 about the printer that stopped working this "
    "morning, and I can see that our technician Dr. Smith already ordered a spare part which should "
    "arrive tomorrow before noon. OK. Is there anything else, or shall I read the note to you?"
)


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
    assert [len(clause) for clause in found] == [119, 119, 119, 119, 119]


def test_a_word_without_end_is_cut_inside() -> None:
    assert clauses("a" * 290) == ("a" * 120, "a" * 120, "a" * 50)


def test_clauses_are_the_text_again_in_seeded_texts() -> None:
    words = ["Yes.", "no,", "and", "printer", "a", "Dr.", "J.", "well -", "(so);", "TKT-1234", "é…"]
    for seed in range(300):
        chance = random.Random(seed)
        text = " ".join(chance.choices(words, k=chance.randrange(1, 80)))
        found = clauses(text)
        assert " ".join(found) == text, f"seed {seed}"
        assert all(0 < len(clause) <= CLAUSE_LETTERS_MAX for clause in found), f"seed {seed}"


def test_no_text_whatever_is_an_error_in_seeded_noise() -> None:
    for seed in range(300):
        chance = random.Random(seed)
        text = "".join(chr(chance.randrange(1, 0xD7FF)) for _ in range(chance.randrange(400)))
        found = clauses(text)
        assert all(0 < len(clause) <= CLAUSE_LETTERS_MAX for clause in found), f"seed {seed}"
        assert "".join(found).replace(" ", "") == "".join(text.split()), f"seed {seed}"
