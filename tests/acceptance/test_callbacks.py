"""A line that drops too often, and the service rings back: through real servers and the stand-in's REST."""

from typing import Any

import pytest

from service.testing.phone_call import PhoneCall
from service.testing.stayline import Stayline

NUMBER = "+15550001234"
OFFER = (
    "this is support calling you back. We were cut off earlier. Shall we go on where we stopped?"
)
PROBLEM = "Please tell me in a sentence what the problem is"


@pytest.fixture
def stayline_settings() -> dict[str, Any]:
    return {"last_resort": "callback", "drop_limit": "2/60"}


def dropped(stayline: Stayline) -> PhoneCall:
    """A caller tells name and company, then the line drops again and again."""
    call = stayline.call("intake", from_=NUMBER, ticket_id="TKT-1234")
    call.hears("May I have your name").says("My name is Maria Lopez.")
    call.hears("Which company").says("I'm calling from Acme.").hears(PROBLEM)
    for _ in range(2):
        call.drop_stream().comes_back()
    call.drop_stream()
    return call.until(lambda it: it.is_over, "the call is given up")


def test_who_is_dropped_too_often_is_rung_back_and_goes_on(stayline: Stayline) -> None:
    call = dropped(stayline)
    again = stayline.rung(call)
    again.hears(OFFER)
    assert "Maria" not in again.heard
    again.says("Yes.").hears(PROBLEM)
    assert again.fields["name"] == "Maria Lopez"
    assert again.greetings == 1
    assert call.state["callback"]["outcome"] == "answered"
    assert [one["call_sid"] for one in call.journal("carried_on")] == [again.call_sid]
    assert len(call.journal("callback_dialled")) == 1


def test_the_server_that_promised_it_dies_and_another_rings(stayline: Stayline) -> None:
    call = dropped(stayline)
    call.house.kill()
    stayline.rung(call).hears(OFFER)
    assert len(call.journal("callback_dialled")) == 1


def test_a_person_has_a_caller_rung_back(stayline: Stayline) -> None:
    call = stayline.call("intake", from_=NUMBER)
    call.hears("May I have your name").says("My name is Maria Lopez.").hears("Which company")
    call.hangs_up()
    assert call.person("callback")["position"]
    again = stayline.rung(call)
    again.hears(OFFER).says("Yes.").hears("Which company")


def test_who_rings_back_first_is_not_rung(stayline: Stayline) -> None:
    call = dropped(stayline)
    again = stayline.call("intake", from_=NUMBER)
    again.hears("Shall we go on where we stopped").says("Yes.").hears(PROBLEM)
    again.hears_nothing(for_ms=6_000)
    assert call.journal("callback_dialled") == []


def test_who_is_busy_is_not_rung_at_once_again(stayline: Stayline) -> None:
    stayline.answers(NUMBER, "busy")
    call = dropped(stayline)
    other = stayline.call("intake").hears("May I have your name")
    other.until(lambda _: call.journal("callback_ended"), "the caller was busy", within_ms=20_000)
    (ended,) = call.journal("callback_ended")
    assert ended["outcome"] == "busy"
    assert call.state["callback"]["step"] == "ended"
