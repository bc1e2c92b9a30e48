import msgspec
import pytest

from service.commands.pointing import PhoneNumber, changes, is_ours, spelled, taken, wanted
from service.commands.webhooks import Webhooks

OURS = Webhooks("https://calls.example.com")


def number(**fields: str) -> PhoneNumber:
    return msgspec.convert(
        {
            "sid": "PN1",
            "phone_number": "+15551234567",
            "voice_url": OURS.voice,
            "voice_method": "POST",
            "voice_fallback_url": OURS.fallback,
            "voice_fallback_method": "POST",
            "status_callback": OURS.status,
            "status_callback_method": "POST",
            **fields,
        },
        PhoneNumber,
    )


def test_a_number_that_leads_here_needs_nothing() -> None:
    assert wanted(number(), OURS) == {}
    assert is_ours(number(), OURS)


def test_overrides_of_the_connection_are_their_owners() -> None:
    assert wanted(number(voice_url=f"{OURS.voice}#rc=3&rp=ct,rt,5xx"), OURS) == {}


def test_what_differs_is_what_is_set() -> None:
    other = number(voice_method="GET", status_callback="")
    form = wanted(other, OURS)
    assert form == {"VoiceMethod": "POST", "StatusCallback": OURS.status}
    assert changes(other, form) == {
        "VoiceMethod": ("GET", "POST"),
        "StatusCallback": ("", OURS.status),
    }


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, ""),
        ({"voice_url": ""}, ""),
        ({"voice_url": "https://demo.twilio.com/welcome/voice/"}, ""),
        ({"voice_url": "https://calls.example.com/old"}, ""),
        ({"voice_url": "https://other.example.com/v"}, "it leads to https://other.example.com/v"),
        ({"voice_application_sid": "AP1"}, "it belongs to the TwiML application AP1"),
        ({"trunk_sid": "TK1"}, "it belongs to the SIP trunk TK1"),
    ],
)
def test_a_number_that_serves_something_else_is_known(fields: dict[str, str], why: str) -> None:
    assert taken(number(**fields), OURS) == why
    assert not (why and is_ours(number(**fields), OURS))


def test_a_number_that_nobody_pointed_is_not_ours_yet() -> None:
    assert not is_ours(number(voice_url=""), OURS)


def test_a_number_may_be_written_as_people_do() -> None:
    assert spelled("+1 (555) 123-4567") == "+15551234567"


def test_a_number_without_voice_takes_no_calls() -> None:
    assert number().can_speak
    silent = PhoneNumber(sid="PN2", phone_number="+1", capabilities={"voice": False})
    assert not silent.can_speak
