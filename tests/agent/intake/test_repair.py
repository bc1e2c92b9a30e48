import pytest
from msgspec.structs import replace

from service.agent.intake import repair
from service.call.acts import Act, Ask, Enter, Say, Transfer
from service.call.decisions.ending import UNDIALABLE_LINE
from service.call.state import FROM_PAGE, Call, Line, Turn

WORDINGS = repair.Wordings("Name?", "Sorry, your name?", "Please spell it.")
PERSON = [Enter("transferring"), Say(repair.GIVING_UP_LINE), Transfer(is_last_resort=True)]


@pytest.mark.parametrize(
    ("asks", "acts"),
    [
        (1, [Ask("Sorry, your name?", "name")]),
        (2, [Ask("Sorry, I still didn't get it. Please spell it.", "name")]),
        (3, PERSON),
        (9, PERSON),
    ],
)
def test_an_answer_that_was_not_understood_gets_more_help_each_time(
    asks: int, acts: list[Act]
) -> None:
    call = Call(asked="name", asks=asks)
    assert repair.repaired(call, Turn(2, "speech", "Hm"), WORDINGS, "name") == acts


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        (1, "Are you still there? Name?"),
        (2, "I can't hear you. Please spell it."),
        (3, repair.UNHEARD_LINE),
    ],
)
def test_silence_gets_more_help_each_time(asks: int, said: str) -> None:
    call = Call(asked="name", asks=asks)
    acts = repair.repaired(call, Turn(2, "silence"), WORDINGS, "name")
    assert [act.text for act in acts if isinstance(act, Ask | Say)] == [said]


def test_a_question_that_was_not_asked_yet_begins_with_little_help() -> None:
    call = Call(asked="company", asks=3)
    assert repair.repaired(call, Turn(2, "speech"), WORDINGS, "name") == [
        Ask("Sorry, your name?", "name")
    ]


PAGE = Call(direction=FROM_PAGE, asked="name", asks=1)


def test_a_page_has_nobody_to_be_put_through_to_and_its_caller_is_promised_nothing() -> None:
    given_up = replace(PAGE, asks=3)
    assert repair.repaired(given_up, Turn(2, "speech", "Hm"), WORDINGS, "name") == [
        Transfer(is_last_resort=True)
    ]
    assert repair.wanted(PAGE, WORDINGS, is_settled=False) == [
        Ask(f"{UNDIALABLE_LINE} Name?", "name")
    ]
    assert repair.wanted(PAGE, WORDINGS, is_settled=True) == [Say(UNDIALABLE_LINE)]
    often = replace(PAGE, asks=repair.REPEATS_MAX)
    assert repair.wanted(often, WORDINGS, is_settled=False) == [Transfer(is_last_resort=True)]


def test_who_calls_by_phone_and_wants_a_person_is_put_through() -> None:
    assert repair.wanted(Call(asked="name", asks=9), WORDINGS, is_settled=False) == [
        Enter("transferring"),
        Say(repair.PERSON_LINE),
        Transfer(),
    ]


def line(who: str, text: str) -> Line:
    return Line(1, "caller" if who == "caller" else "agent", text, text, cut=False, at_ms=0)


def test_what_was_said_last_is_said_again_without_the_lines_of_a_broken_line() -> None:
    said = [("agent", "Hello."), ("caller", "Maria"), ("agent", "I found it."), ("agent", "Rule."),
            ("agent", "Company?"), ("caller", "Um."), ("caller", "What?")]  # fmt: skip
    call = Call(asked="company", transcript=tuple(line(*one) for one in said))
    assert repair.repeated(call, "Which?", frozenset({"Rule."})) == [
        Ask("I found it. Company?", "company")
    ]


def test_without_a_word_said_the_question_is_asked() -> None:
    assert repair.repeated(Call(asked="name"), "Name?", frozenset()) == [Ask("Name?", "name")]
    assert repair.repeated(Call(), "Name?", frozenset()) == [Say("Name?")]


def test_repeating_comes_to_an_end() -> None:
    call = Call(asked="name", asks=repair.REPEATS_MAX)
    assert repair.repeated(call, "Name?", frozenset())[-1] == Transfer(is_last_resort=True)
    assert repair.restated(call, WORDINGS)[-1] == Transfer(is_last_resort=True)
    assert repair.restated(Call(asked="name"), WORDINGS) == [Ask("Yes, I'm here. Name?", "name")]
