import base64
from typing import Any

import pytest
from starlette.datastructures import Headers

from service.errors import ConfigError
from service.web.door.manners import Asked, Manners, manners_of
from tests.web.front import PUBLIC_URL, settings, signature
from twiml.signature import Verifier

KEY = base64.b64encode(bytes(32)).decode()


def manners(**changes: Any) -> Manners:
    return manners_of(settings(**changes), Verifier(["12345"], PUBLIC_URL))


def asked(**headers: str) -> Asked:
    return Asked(
        headers=Headers({name.replace("_", "-"): value for name, value in headers.items()}),
        path="/twiml/voice",
        query="",
        pairs=[("CallSid", "C")],
        body=b"CallSid=C",
        now_ms=0,
    )


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"carrier": "exotel"}, "CARRIER: exotel signs nothing"),
        ({"carrier": "telnyx"}, "CARRIER_KEY: needed"),
        ({"carrier": "plivo"}, "CARRIER_KEY: needed"),
        ({"carrier": "telnyx", "carrier_key": ("nonsense",)}, "CARRIER_KEY: A public key"),
        ({"carrier": "plivo", "carrier_key": ("k",), "gap_ear": True}, "GAP_EAR: not with"),
        (
            {"carrier": "telnyx", "carrier_key": (KEY,), "last_resort": "callback"},
            "LAST_RESORT: a caller can't be rung back",
        ),
    ],
)
def test_what_a_carrier_can_not_do_is_one_clear_line(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        manners(**changes)


def test_each_carrier_signs_in_its_own_header() -> None:
    url = f"{PUBLIC_URL}/twiml/voice"
    fits = signature(url, [("CallSid", "C")])
    assert manners().is_signed(asked(x_twilio_signature=fits))
    assert not manners().is_signed(asked(x_signalwire_signature=fits))
    wire = manners(carrier="signalwire", carrier_key=("12345",))
    assert wire.is_signed(asked(x_signalwire_signature=fits))
    assert not wire.is_signed(asked(x_twilio_signature=fits))
    for carrier in ("telnyx", "plivo"):
        own = manners(carrier=carrier, carrier_key=(KEY,))
        assert not own.is_signed(asked(x_twilio_signature=fits))
        assert not own.is_signed(asked())
    assert manners(carrier="exotel", carrier_unsigned=True).is_signed(asked())
    assert not manners(carrier_unsigned=True).is_signed(asked()), "of Twilio's nothing is taken so"


def test_fields_are_read_in_twilios_words() -> None:
    plivo = manners(carrier="plivo", carrier_key=("k",))
    posted = [("CallUUID", "C"), ("Event", "DroppedStream"), ("DialStatus", "busy"), ("X", "y")]
    assert plivo.read([*posted, ("CallStatus", "timeout")]) == [
        ("CallSid", "C"),
        ("StreamEvent", "stream-error"),
        ("DialCallStatus", "busy"),
        ("X", "y"),
        ("CallStatus", "no-answer"),
    ]
    exotel = manners(carrier="exotel", carrier_unsigned=True)
    assert exotel.read([("CallFrom", "+1")]) == [("From", "+1")]
    assert (exotel.methods, plivo.methods) == (["GET"], ["POST"])
    assert manners().read([("CallFrom", "+1")]) == [("CallFrom", "+1")]


def test_a_document_is_answered_as_it_is_read_there() -> None:
    told = manners(carrier="exotel", carrier_unsigned=True).answer("<Response><Hangup/></Response>")
    assert (told.body, told.media_type) == (b'{"url": ""}', "application/json")
    assert manners().answer("<Response/>").body == b"<Response/>"
