import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from service.call.decisions.floor import (
    INTERRUPTION_MS,
    PATIENCE_FULL_MS as FULL,
    PATIENCE_MS as USUAL,
    PATIENCE_MS_MAX,
    PATIENCE_MS_MIN,
    PATIENCE_NUMBER_MS as NUMBER,
    PATIENCE_SPELLING_MS as SPELLING,
    PATIENCE_THINKING_MS as THINKING,
    is_backchannel,
    is_interruption,
    patience_ms,
)
from service.call.state import Call, Prompt

STATEMENT = Prompt("p1", 1, ("A colleague will look at this today.", "We call you back."))
QUESTION = Prompt("p2", 2, ("Let me read that back.", "Is that right?"), asks="read_back")
NAME = Prompt("p3", 3, ("May I have your name, please?",), asks="name")


def asked(field: str, *prompts: Prompt) -> Call:
    return Call(call_sid="CA1", asked=field, prompts=prompts)


@pytest.mark.parametrize(
    ("field", "text", "expected_ms"),
    [
        ("", "", USUAL),
        ("name", "Maria Lopez.", USUAL),
        ("problem", "The printer stopped working this morning.", USUAL),
        ("problem", "Hello, are you still there?", USUAL),
        # A full yes or no, to a question that wants one.
        ("read_back", "Yes.", FULL),
        ("read_back", "Yes, that's right.", FULL),
        ("still_right", "yeah", FULL),
        ("read_back", "No, that's wrong.", FULL),
        ("read_back", "Yes, it is.", FULL),
        ("read_back", "No, not quite right.", FULL),
        ("confirm_address", "Correct, thank you.", FULL),
        ("is_urgent", "Mm-hmm.", FULL),
        ("name", "Yes.", USUAL),
        ("", "Yes.", USUAL),
        # Neither full nor only that.
        ("read_back", "No,", USUAL),
        ("read_back", "No...", THINKING),
        ("read_back", "No, that's", THINKING),
        ("read_back", "No, it's the", THINKING),
        ("read_back", "No, the company is wrong.", USUAL),
        ("read_back", "Yes, but", THINKING),
        ("read_back", "The company.", USUAL),
        # Thinking.
        ("name", "Um", THINKING),
        ("name", "Uh...", THINKING),
        ("name", "My name is", THINKING),
        ("name", "My name is.", THINKING),
        ("name", "It\u2019s", THINKING),
        ("company", "I'm calling from", THINKING),
        ("problem", "The printer stopped working and", THINKING),
        ("problem", "The printer stopped working, because", THINKING),
        ("problem", "I restarted the computer, I checked the cable,", THINKING),
        ("problem", "Well, um, let me think.", THINKING),
        ("problem", "It was fine until \u2026", THINKING),
        ("problem", "I think so.", USUAL),
        ("problem", "So", THINKING),
        # Numbers and spelling.
        ("ticket_id", "My ticket number is", THINKING),
        ("ticket_id", "T", SPELLING),
        ("ticket_id", "T K T", SPELLING),
        ("ticket_id", "It's TKT.", SPELLING),
        ("ticket_id", "T, K, T, one two", SPELLING),
        ("ticket_id", "TKT-12", SPELLING),
        ("ticket_id", "T K T twelve", SPELLING),
        ("ticket_id", "Double four", SPELLING),
        ("ticket_id", "one two to", THINKING),
        ("ticket_id", "My ticket number is TKT-1234.", NUMBER),
        ("ticket_id", "T K T one two three four", NUMBER),
        ("ticket_id", "T K T twelve thirty four", NUMBER),
        ("ticket_id", "double four double eight", NUMBER),
        ("ticket_id", "four eight to one", NUMBER),
        ("ticket_id", "I don't have one with me.", USUAL),
        ("ticket_id", "I don't know it.", USUAL),
        ("ticket_id", "It's the one that the dog ate.", USUAL),
        ("ticket_id", "T K T eight ate", SPELLING),
        ("callback_number", "four one five", SPELLING),
        ("phone", "415-555", SPELLING),
        ("phone", "415-555-0192", USUAL),
        ("phone", "call me on triple five", SPELLING),
        ("name", "S M I", SPELLING),
        ("name", "John, S", SPELLING),
        ("problem", "It shows error seven.", USUAL),
        ("problem", "It shows error code four two", SPELLING),
        ("shipping", "It shows error seven.", USUAL),
    ],
)
def test_how_long_a_pause_ends_the_utterance(field: str, text: str, expected_ms: int) -> None:
    assert patience_ms(asked(field), text) == expected_ms


def test_nothing_understood_while_a_prompt_waits_is_over_soon() -> None:
    assert patience_ms(asked("name", NAME), "") == FULL
    assert patience_ms(asked("", STATEMENT), "Mm-hm.") == FULL


@given(st.text(max_size=80), st.sampled_from(["", "name", "ticket_id", "phone", "read_back"]))
def test_the_patience_is_bounded_whatever_was_heard(text: str, field: str) -> None:
    for call in (asked(field), asked(field, STATEMENT)):
        assert PATIENCE_MS_MIN <= patience_ms(call, text) <= PATIENCE_MS_MAX


LISTENING = ["Mm-hm.", "mm-hmm", "Mhm.", "Uh-huh.", "uh huh", "Yeah.", "Okay.", "Right.", "I see.",
             "Yeah, okay.", "Oh.", "Um.", "All right.", "Got it.", "yeah yeah yeah"]  # fmt: skip
MEANT = ["No.", "Uh-uh.", "Wait.", "Stop, please.", "Hello?", "Right, but my name is wrong.",
         "What?", "Yes, I need help.", "Sorry?", "My ticket."]  # fmt: skip


@pytest.mark.parametrize("text", LISTENING)
def test_a_sign_of_listening_does_not_interrupt_a_statement(text: str) -> None:
    call = asked("", STATEMENT)
    assert is_backchannel(call, text)
    assert not is_interruption(call, text, 5_000)


@pytest.mark.parametrize("text", MEANT)
def test_words_that_are_meant_interrupt(text: str) -> None:
    call = asked("", STATEMENT)
    assert not is_backchannel(call, text)
    assert is_interruption(call, text, 100)


def test_words_into_silence_are_no_backchannel() -> None:
    assert not is_backchannel(asked("read_back"), "Okay.")
    assert not is_backchannel(asked("", STATEMENT), "")


@pytest.mark.parametrize(
    ("prompt", "text", "is_listening"),
    [
        (QUESTION, "Okay.", True),
        (replace(QUESTION, clauses_heard=1), "Okay.", False),
        (replace(QUESTION, clauses_heard=1), "Yes.", False),
        (replace(QUESTION, clauses_heard=1), "Mm-hm.", False),
        (replace(QUESTION, clauses_heard=1), "Um.", True),
        (replace(STATEMENT, clauses_heard=1), "Okay.", True),
        (NAME, "Yes.", False),
        (NAME, "Sure.", False),
        (NAME, "Mm-hm.", True),
    ],
)
def test_an_answer_to_a_question_as_good_as_heard_is_an_answer(
    prompt: Prompt, text: str, *, is_listening: bool
) -> None:
    assert is_backchannel(asked("", prompt), text) is is_listening


def test_a_question_that_waits_behind_a_statement_is_not_heard_yet() -> None:
    assert is_backchannel(asked("name", STATEMENT, NAME), "Okay.")


def test_a_voice_without_words_interrupts_only_when_it_lasts() -> None:
    call = asked("", STATEMENT)
    assert not is_interruption(call, "", INTERRUPTION_MS - 1)
    assert is_interruption(call, " ", INTERRUPTION_MS)
