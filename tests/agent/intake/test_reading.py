import pytest

from service.agent.intake import form, reading
from service.call.acts import Fill
from service.call.state import Call, Field, Turn


def test_what_was_said_after_a_drop_goes_before_what_was_said_until_then() -> None:
    turn = Turn(2, "speech", "It's TKT-2222.", earlier="my ticket is T K T one")
    assert reading.answer(Call(), turn, form.TICKET).value == "TKT-2222"


@pytest.mark.parametrize(
    ("question", "earlier", "text", "value"),
    [
        (form.TICKET, "T K T one two", "three four.", "TKT-1234"),
        (form.PROBLEM, "The printer", "It smokes.", "The printer It smokes."),
        (form.NAME, "My name is Maria", "Lopez, please.", "Lopez"),
    ],
)
def test_the_two_halves_of_an_answer_are_put_together(
    question: form.Question, earlier: str, text: str, value: str
) -> None:
    turn = Turn(2, "speech", text, earlier=earlier)
    assert reading.answer(Call(), turn, question).value == value


@pytest.mark.parametrize(
    ("question", "value"),
    [(form.TICKET, form.NO_TICKET), (form.NUMBER, form.NO_TICKET), (form.COMPANY, "")],
)
def test_having_none_is_an_answer_where_one_may_have_none(
    question: form.Question, value: str
) -> None:
    turn = Turn(2, "speech", "No, sorry?" if question is form.COMPANY else "I don't have one.")
    assert reading.answer(Call(), turn, question).value == value


def test_keys_are_read_as_keys() -> None:
    found = reading.answer(Call(), Turn(2, "keys", "1234"), form.TICKET)
    assert found == form.Answer("1234", form.KEYED_MILLI)
    assert reading.volunteered(Call(), Turn(2, "keys", "1234"), form.NAME) == []


def test_other_answers_are_taken_only_while_they_are_open() -> None:
    turn = Turn(2, "speech", "My name is Maria, I work for Acme, ticket 1234.")
    open_call = Call(parameters={"ticket_id": "TKT-1"})
    assert reading.volunteered(open_call, turn, form.NAME) == [
        Fill("company", "Acme", "speech", 700),
        Fill("ticket_id", "TKT-1234", "speech", 950),
    ]
    known = Call(fields={"company": Field("Globex"), "ticket_id": Field("TKT-9")})
    assert reading.volunteered(known, turn, form.NAME) == []
    assert reading.volunteered(open_call, turn, form.PROBLEM) == []


def test_a_correction_says_something_new() -> None:
    call = Call(fields={"name": Field("Maria Lopez"), "ticket_id": Field("TKT-1234")})
    same = Turn(2, "speech", "My name is maria lopez and the ticket is 1234.")
    assert reading.corrections(call, same) == []
    other = Turn(2, "speech", "No, my name is Mario Lopez.")
    assert reading.corrections(call, other) == [Fill("name", "Mario Lopez", "speech", 700)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("I can't log in.", "I can't log in."),
        ("Thank you very much, that's perfect.", ""),
        ("Oh, hello there.", ""),
        ("", ""),
    ],
)
def test_a_problem_told_ahead_has_some_words(text: str, problem: str) -> None:
    found = reading.ahead(Call(), Turn(2, "speech", text), form.PROBLEM)
    assert [fill.value for fill in found] == ([problem] if problem else [])
    assert reading.ahead(Call(), Turn(2, "speech", text), form.NAME) == []
    assert reading.ahead(Call(), Turn(2, "keys", "1234"), form.PROBLEM) == []
