"""A caller's own line dies, and they ring back: through real servers, real sockets and a real store."""

from typing import Any

import pytest

from service.testing.phone_call import PhoneCall
from service.testing.stayline import Stayline

NUMBER = "+15550001234"
OFFER = "Welcome back. We were cut off earlier. Shall we go on where we stopped?"
PROBLEM = "Please tell me in a sentence what the problem is"


def cut_off(stayline: Stayline, number: str = NUMBER) -> PhoneCall:
    """A caller tells name, company and ticket, and the line dies before the problem is told."""
    call = stayline.call("intake", from_=number)
    call.hears("May I have your name").says("My name is Maria Lopez.")
    call.hears("Which company").says("I'm calling from Acme.")
    call.hears("What is your ticket number").says("It's TKT-1234.")
    call.hears(PROBLEM)
    return call.hangs_up()


def told(call: PhoneCall) -> dict[str, str]:
    return {name: call.fields[name] for name in ("name", "company", "ticket_id")}


MARIA = {"name": "Maria Lopez", "company": "Acme", "ticket_id": "TKT-1234"}


def test_who_rings_back_and_says_yes_goes_on_with_the_very_question(stayline: Stayline) -> None:
    before = cut_off(stayline)
    call = stayline.call("intake", from_=NUMBER)
    call.hears(OFFER)
    assert "Maria" not in call.heard
    call.says("Yes, please.").hears(PROBLEM)
    assert told(call) == MARIA
    call.says("The printer smokes.").hears("your name is Maria Lopez")
    assert call.call_sid != before.call_sid
    assert call.greetings == 1
    assert [one["call_sid"] for one in before.journal("carried_on")] == [call.call_sid]


def test_who_says_no_begins_afresh_and_hears_nothing_of_it(stayline: Stayline) -> None:
    cut_off(stayline)
    call = stayline.call("intake", from_=NUMBER)
    call.hears(OFFER).says("No.").hears("May I have your name")
    assert call.fields == {}
    assert "Lopez" not in call.heard


def test_a_drop_in_the_middle_of_the_offer_changes_nothing(stayline: Stayline) -> None:
    cut_off(stayline)
    call = stayline.call("intake", from_=NUMBER)
    call.hears("Welcome back")
    call.drop_stream().comes_back()
    call.hears("Shall we go on where we stopped")
    call.kill_server().comes_back()
    call.says("Yes.").hears(PROBLEM)
    assert told(call) == MARIA
    assert call.greetings == 1


def test_the_server_dies_between_the_two_calls(stayline: Stayline) -> None:
    """R-3: what was acknowledged is there, whoever reads it."""
    cut_off(stayline).house.kill()
    call = stayline.call("intake", from_=NUMBER)
    call.hears(OFFER).says("Yes.").hears(PROBLEM)
    assert told(call) == MARIA


def test_whose_line_dies_in_the_offer_is_offered_it_again(stayline: Stayline) -> None:
    cut_off(stayline)
    stayline.call("intake", from_=NUMBER).hears("Welcome back").hangs_up()
    call = stayline.call("intake", from_=NUMBER)
    call.hears(OFFER).says("Yes.").hears(PROBLEM)
    assert told(call) == MARIA


def test_another_number_with_the_same_ticket_is_offered_it_and_told_nothing_before(
    stayline: Stayline,
) -> None:
    cut_off(stayline)
    call = stayline.call(
        "intake",
        from_="+15550009999",
        client_name="Eva Klein",
        company="Acme",
        ticket_id="TKT-1234",
    )
    call.hears("An earlier call about this ticket was cut off")
    call.hears("Shall we go on where we stopped")
    assert "Maria" not in call.heard
    call.says("Yes.").hears(PROBLEM)
    assert call.fields["ticket_id"] == "TKT-1234"


@pytest.mark.parametrize(("company", "is_offered"), [("Acme", True), ("Globex", False)])
def test_the_ticket_that_a_stranger_names_must_be_of_their_own_company(
    stayline: Stayline, company: str, *, is_offered: bool
) -> None:
    cut_off(stayline)
    call = stayline.call("intake", from_="anonymous")
    call.hears("May I have your name").says("My name is Eva Klein.")
    call.hears("Which company").says(f"I'm calling from {company}.")
    call.hears("What is your ticket number").says("It's TKT-1234.")
    call.hears("An earlier call about this ticket was cut off" if is_offered else PROBLEM)
    assert "Maria" not in call.heard
    if is_offered:
        call.says("Yes.").hears(PROBLEM)
        assert call.fields["name"] == "Eva Klein"


def test_a_withheld_number_is_never_taken_for_its_owner(stayline: Stayline) -> None:
    cut_off(stayline, "anonymous")
    call = stayline.call("intake", from_="anonymous")
    call.hears("thank you for calling support").hears("May I have your name")


def test_a_conversation_that_we_ended_is_not_offered(stayline: Stayline) -> None:
    call = stayline.call("intake", from_=NUMBER)
    call.hears("May I have your name").says("My name is Maria Lopez.")
    call.hears("Which company").says("Goodbye.")
    call.hears("Goodbye").ends()
    again = stayline.call("intake", from_=NUMBER)
    again.hears("thank you for calling support").hears("May I have your name")


class TestTooLate:
    @pytest.fixture
    def stayline_settings(self) -> dict[str, Any]:
        return {"ring_back_s": 0}

    def test_after_its_time_everybody_begins_afresh(self, stayline: Stayline) -> None:
        cut_off(stayline)
        call = stayline.call("intake", from_=NUMBER)
        call.hears("thank you for calling support").hears("May I have your name")


class TestAtOnce:
    @pytest.fixture
    def stayline_settings(self) -> dict[str, Any]:
        return {"ring_back": "go_on"}

    def test_where_it_is_the_rule_the_same_number_goes_on_at_once(self, stayline: Stayline) -> None:
        cut_off(stayline)
        call = stayline.call("intake", from_=NUMBER)
        call.hears("Welcome back").hears(PROBLEM)
        assert told(call) == MARIA
