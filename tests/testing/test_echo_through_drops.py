"""The README's own example, and an agent with tools, through what can happen to a stream and a server."""

import pytest

from service.testing.stayline import Stayline
from tests.testing.agents import Echo, TicketDesk

FAULTS = ("reset", "eof", "close", "close=1001", "close=1012", "half-open", "late-stop",
          "double-webhook", "redial")  # fmt: skip
LONG_STORY = " since the storm of last night" * 8
DISTURBANCES = ("drop", "restart", "kill")


def disturb(stayline: Stayline, how: str) -> None:
    """Do to the first call what `how` says, and wait until it is back."""
    call = stayline.calls[0]
    match how:
        case "drop":
            call.drop_stream()
        case "restart":
            call.restart_server()
        case _:
            call.kill_server()
    call.comes_back()


def test_a_call_survives_a_drop(stayline: Stayline) -> None:
    call = stayline.call(Echo, client_name="Maria Lopez", company="Acme", ticket_id="TKT-1234")
    call.hears("what can I do for you")
    call.drop_stream()
    call.comes_back()
    call.says("my printer is broken")
    call.hears("You said: my printer is broken")
    call.presses("12#")
    assert call.greetings == 1
    assert call.state["phase"] == "live"
    assert call.state["parameters"]["company"] == "Acme"


@pytest.mark.parametrize("fault", FAULTS)
def test_our_sentence_goes_on_after_any_fault(stayline: Stayline, fault: str) -> None:
    call = stayline.call(Echo, client_name="Maria")
    call.hears("Hello Maria")
    call.drop_stream(fault)
    call.comes_back()
    call.hears("what can I do for you")
    assert call.greetings == 1
    assert call.heard == "Hello Maria, what can I do for you?"
    assert call.heard_literally.startswith("Hello Maria")


def test_half_a_sentence_of_the_caller_goes_on_in_the_next_stream(stayline: Stayline) -> None:
    call = stayline.call(Echo, client_name="Maria")
    call.hears("what can I do for you")
    call.says("my printer is broken since the storm of last night", until="my printer is broken")
    call.drop_stream()
    call.comes_back()
    call.until(lambda it: "printer" in str(it.transcript), "the words before the drop are kept")
    assert call.greetings == 1


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_words_that_died_with_a_server_are_asked_for(stayline: Stayline, how: str) -> None:
    call = stayline.call(Echo, client_name="Maria")
    call.hears("what can I do for you")
    # Far longer than a server takes to go: what it hears to the end before it goes, it may understand.
    call.says("my printer is broken" + LONG_STORY, until="my printer is broken")
    disturb(stayline, how)
    call.until(lambda it: "again" in str(it.transcript), "the caller is asked to say it again")
    assert call.greetings == 1


@pytest.mark.parametrize("how", DISTURBANCES)
def test_a_tool_works_on_while_nobody_is_there(stayline: Stayline, how: str) -> None:
    def find_ticket(ticket_id: str) -> str:
        return f"number {ticket_id[-1]}, open"

    stayline.tools.add(find_ticket, timeout_ms=1_500)
    call = stayline.call(TicketDesk, ticket_id="TKT-7")
    call.hears("Ticket desk, hello")
    with stayline.tools.held("find_ticket"):
        call.says("how is my ticket")
        call.until(lambda _: stayline.tools.uses("find_ticket"), "the tool is asked")
        disturb(stayline, how)
    call.hears("Your ticket is")
    assert len({use.key for use in stayline.tools.uses()}) == 1
    assert len(call.operations) == 1
    assert call.greetings == 1


def test_a_call_ends_after_the_farewell_was_heard(stayline: Stayline) -> None:
    call = stayline.call(Echo(), client_name="Maria")
    call.hears("what can I do for you")
    call.says("thank you, bye")
    call.hears("Goodbye")
    call.ends()
    assert call.is_over
    assert call.state["phase"] == "ended"


def test_a_person_sends_digits_and_the_stream_is_restarted_for_them(stayline: Stayline) -> None:
    call = stayline.call(Echo, client_name="Maria")
    call.hears("what can I do for you")
    call.person("digits", digits="1w2")
    call.until(lambda it: it.journal("digits_sent"), "the digits are sent")
    call.until(lambda it: len(it.state["streams"]) == 2, "the stream is back")
    assert call.state["streams"][1]["cause"] == "dtmf"
    assert call.greetings == 1


def test_two_callers_of_one_agent_are_kept_apart(stayline: Stayline) -> None:
    maria = stayline.call(Echo, client_name="Maria")
    omar = stayline.call(Echo, client_name="Omar")
    maria.hears("Hello Maria")
    omar.hears("Hello Omar")
    maria.drop_stream()
    omar.says("my screen is dark")
    omar.hears("You said: my screen is dark")
    maria.comes_back()
    maria.hears("what can I do for you")
    assert "Omar" not in maria.heard
