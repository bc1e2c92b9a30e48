import pytest

from service.agent.intake import form
from service.call.state import Call, Field


def known(**values: str) -> Call:
    return Call(fields={name: Field(value) for name, value in values.items()})


def test_questions_are_asked_in_the_order_of_the_form_until_all_are_answered() -> None:
    call, tools = Call(), frozenset({form.CALLBACK_TOOL})
    asked = []
    while (question := form.missing(call, tools)) is not None:
        asked.append(question.field)
        call = known(**dict.fromkeys(asked, form.NO_TICKET))
    assert asked == ["name", "company", "ticket_id", "problem", "callback_number"]


@pytest.mark.parametrize(
    ("ticket", "tools"),
    [("TKT-1", frozenset({form.CALLBACK_TOOL})), ("none", frozenset({"other"}))],
)
def test_no_number_is_asked_for_that_nobody_would_call(ticket: str, tools: frozenset[str]) -> None:
    assert form.missing(known(name="a", company="b", problem="c", ticket_id=ticket), tools) is None


def test_an_answer_of_none_tells_nothing() -> None:
    assert form.told(known(ticket_id=form.NO_TICKET), "ticket_id") == ""
    assert form.told(known(ticket_id="TKT-1"), "ticket_id") == "TKT-1"
    assert form.told(Call(), "ticket_id") == ""


@pytest.mark.parametrize(
    ("field", "text", "value", "confidence_milli"),
    [
        ("name", "My name is Maria.", "Maria", 700),
        ("name", "M A R I A", "Maria", 950),
        ("name", "Yes.", "", 0),
        ("company", "I'm calling from Acme.", "Acme", 700),
        ("company", "I B M", "IBM", 950),
        ("ticket_id", "tee kay tee one two three four", "TKT-1234", 950),
        ("ticket_id", "twelve thirty-four", "SUP-1234", 850),
        ("ticket_id", "what", "", 0),
        ("problem", "It smokes.", "It smokes.", 800),
        ("problem", "Okay.", "", 0),
        ("callback_number", "double five double five one two three", "5555123", 950),
        ("callback_number", "This number.", "+14155550192", 950),
        ("callback_number", "Nothing", "", 0),
    ],
)
def test_each_question_reads_its_own_answer(
    field: str, text: str, value: str, confidence_milli: int
) -> None:
    question = form.question(field)
    assert question is not None
    call = Call(from_number="+14155550192", parameters={"ticket_id": "SUP-1"})
    assert question.read(text, call) == form.Answer(value, confidence_milli)


def test_a_hidden_number_is_no_number_to_call_back() -> None:
    assert form.NUMBER.read("This number.", Call(from_number="anonymous")) == form.Answer()


@pytest.mark.parametrize(
    ("question", "digits", "value"),
    [
        (form.TICKET, "1234", "SUP-1234"),
        (form.TICKET, "1" * 13, ""),
        (form.TICKET, "3", ""),
        (form.NUMBER, "4155550192", "4155550192"),
        (form.NUMBER, "12", ""),
        (form.NAME, "1234", ""),
    ],
)
def test_keys_answer_what_can_be_keyed(question: form.Question, digits: str, value: str) -> None:
    answer = form.keyed(question, digits, Call(parameters={"ticket_id": "SUP-1"}))
    assert answer == (form.Answer(value, form.KEYED_MILLI) if value else form.Answer())


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("TKT-1234", "tkt1234", True),
        ("1234", "TKT-1234", True),
        ("TKT-1234", "INC-1234", False),
        ("TKT-1234", "TKT-1243", False),
        ("a/b", "a/b", True),
        ("a/b", "TKT-1", False),
        ("", "TKT-1", False),
    ],
)
def test_tickets_are_compared_by_what_was_said_of_them(
    one: str, other: str, *, is_same: bool
) -> None:
    assert form.is_same_ticket(one, other) is is_same


@pytest.mark.parametrize(
    ("directory", "value", "whole"),
    [("TKT-1", "99", "TKT-99"), ("TKT1", "99", "TKT99"), ("1", "99", "99"), ("", "99", "99"),
     ("x y", "99", "99"), ("TKT-1", "INC-99", "INC-99"), ("TKT-1", "", "")],
)  # fmt: skip
def test_the_directorys_letters_complete_digits_alone(
    directory: str, value: str, whole: str
) -> None:
    assert form.whole_ticket(value, Call(parameters={"ticket_id": directory})) == whole


@pytest.mark.parametrize(
    ("value", "is_good"),
    [("TKT-12", True), ("12", True), ("TKT 12", False), ("", False), ("١٢", False)],
)
def test_only_a_plain_ticket_is_looked_up(value: str, *, is_good: bool) -> None:
    assert form.is_ticket(value) is is_good
