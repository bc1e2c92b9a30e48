import pytest

from service.agent.intake import readback
from service.agent.intake.form import NO_TICKET
from service.call.decisions.resume import STILL_RIGHT
from service.call.state import Call, Field, Turn
from service.speech.spoken import speakable

ALL = {
    "name": "Maria Lopez",
    "company": "Acme Inc.",
    "ticket_id": "TKT-1234",
    "problem": "It smokes",
    "callback_number": "+14155550192",
}


def known(**values: str) -> Call:
    return Call(fields={name: Field(value) for name, value in values.items()})


def test_everything_is_read_back_so_that_it_can_be_spoken() -> None:
    assert readback.summary(known(**ALL)) == (
        "Let me read that back: your name is Maria Lopez, you are calling from Acme Inc, your ticket "
        "is TKT-1234. You said: It smokes. We can call you back on +141 555 501 92. Is that right?"
    )
    spoken = speakable(readback.summary(known(**ALL)))
    assert "your ticket is T, K, T, one, two, three, four." in spoken
    assert "back on plus one four one, five five five, five zero one, nine two. Is" in spoken


def test_a_ticket_of_digits_alone_is_spelled_too() -> None:
    assert "is four, seven, one, one." in speakable(readback.summary(known(ticket_id="4711")))


def test_what_there_is_none_of_is_not_read_back() -> None:
    text = readback.summary(known(name="Maria", ticket_id=NO_TICKET, problem="Why?"))
    assert text == "Let me read that back: your name is Maria. You said: Why? Is that right?"
    assert (
        readback.summary(known(problem="x")) == "Let me read that back: You said: x. Is that right?"
    )


def test_a_long_story_is_read_back_by_its_beginning() -> None:
    text = readback.summary(known(problem="The printer smokes. " * 20))
    assert text.endswith("The printer smokes, and so on. Is that right?")
    assert readback.summary(known(problem="smoke " * 50)).endswith(
        "smoke, and so on. Is that right?"
    )
    assert len(text) < readback.STORY_LETTERS_MAX + 80


@pytest.mark.parametrize(
    ("turn", "is_right"),
    [
        (Turn(1, "speech", "Yes."), True),
        (Turn(1, "speech", "No."), False),
        (Turn(1, "speech", "Hm."), None),
        (Turn(1, "keys", "1"), True),
        (Turn(1, "keys", "2"), False),
        (Turn(1, "keys", "12"), None),
        (Turn(1, "silence"), None),
    ],
)
def test_a_yes_may_be_said_or_keyed(turn: Turn, *, is_right: bool | None) -> None:
    assert readback.agreed(turn) is is_right


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("The name.", "name"),
        ("the company name", "company"),
        ("My ticket number", "ticket_id"),
        ("The number", "callback_number"),
        ("my phone number is wrong", "callback_number"),
        ("the description of the problem", "problem"),
        ("everything", ""),
        ("renamed", ""),
    ],
)
def test_the_wrong_part_is_found_by_its_name(words: str, field: str) -> None:
    found = readback.named(Turn(1, "speech", words), known(**ALL))
    assert (found.field if found else "") == field


def test_without_a_call_back_the_number_is_the_tickets() -> None:
    found = readback.named(Turn(1, "speech", "the number"), known(ticket_id="TKT-1"))
    assert found is not None
    assert found.field == "ticket_id"


@pytest.mark.parametrize(
    ("key", "field"), [("1", "name"), ("2", "problem"), ("3", ""), ("0", ""), ("11", ""), ("²", "")]
)
def test_the_wrong_part_is_found_by_its_key(key: str, field: str) -> None:
    found = readback.named(Turn(1, "keys", key), known(name="a", problem="b"))
    assert (found.field if found else "") == field


def test_the_parts_are_offered_in_words_then_by_keys() -> None:
    found = readback.wordings(known(name="a", company="b", ticket_id="c"), readback.WHICH_FIELD)
    assert found.first == "Which part is wrong: name, company or ticket?"
    assert found.again == "Sorry, which part is it: the name, the company or the ticket?"
    assert found.more == "You can also press 1 for the name, 2 for the company, 3 for the ticket."


def test_each_question_of_right_or_wrong_has_its_own_wordings() -> None:
    call = known(name="Maria")
    assert readback.wordings(call, STILL_RIGHT).again.startswith("Sorry, I need a yes or a no. Is")
    assert readback.wordings(call, readback.READ_BACK).first == readback.summary(call)
