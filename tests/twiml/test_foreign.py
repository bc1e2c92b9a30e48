import json
from xml.etree.ElementTree import Element, fromstring

import pytest

from twiml import foreign, verbs

DOOR = verbs.Door(
    resume_url="https://h.example/twiml/resume",
    stream_url="wss://h.example/media",
    stream_status_url="https://h.example/callbacks/stream",
)
GIVEN = {"client_name": "Ana & Bo", "token": "1.a~b"}
OPENED = verbs.connect(DOOR, GIVEN).xml


def tree(text: str) -> Element:
    return fromstring(text)  # noqa: S314 - our own


def tags(text: str) -> list[str]:
    return [one.tag for one in tree(text)]


def test_signalwire_gets_twiml_with_the_token_in_the_path() -> None:
    stream = next(tree(foreign.cxml(OPENED)).iter("Stream"))
    assert stream.get("url") == "wss://h.example/media/1.a~b"
    assert {one.get("name") for one in stream} == set(GIVEN)
    assert tags(foreign.cxml(OPENED)) == ["Connect", "Redirect"]


def test_telnyx_is_told_how_audio_goes_and_has_the_next_verb_as_its_way_back() -> None:
    root = tree(foreign.texml(OPENED))
    connect, back = root
    assert not connect.attrib
    assert connect[0].attrib == {
        "url": "wss://h.example/media/1.a~b",
        "statusCallback": DOOR.stream_status_url,
        "statusCallbackMethod": "POST",
        "codec": "PCMU",
        "bidirectionalMode": "rtp",
        "bidirectionalCodec": "PCMU",
    }
    assert len(connect[0]) == 0
    assert (back.tag, back.text) == ("Redirect", DOOR.resume_url)


def test_plivo_has_its_own_verbs() -> None:
    stream, back = tree(foreign.plivo(OPENED))
    assert stream.attrib == {
        "bidirectional": "true",
        "keepCallAlive": "true",
        "audioTrack": "inbound",
        "contentType": "audio/x-mulaw;rate=8000",
        "statusCallbackUrl": DOOR.stream_status_url,
        "statusCallbackMethod": "POST",
    }
    assert (stream.text, len(stream)) == ("wss://h.example/media/1.a~b", 0)
    assert (back.tag, back.text, back.get("method")) == ("Redirect", DOOR.resume_url, "POST")
    played = tree(foreign.plivo(verbs.play_digits(DOOR, "1w2", GIVEN).xml))
    assert next((one.tag, one.text) for one in played) == ("DTMF", "1w2")
    waiting = foreign.plivo(verbs.wait(DOOR.resume_url, 8, "One moment.").xml)
    assert tags(waiting) == ["Speak", "Wait", "Redirect"]
    assert tree(waiting)[2].text == DOOR.resume_url, "the retries are Twilio's alone"
    dialled = tree(foreign.plivo(verbs.dial("+15550009", after_url=DOOR.resume_url).xml))
    assert [(one.tag, one[0].tag) for one in dialled if len(one)] == [("Dial", "Number")]
    recorded = tree(foreign.plivo(verbs.voicemail("a", "b", after_url=DOOR.resume_url).xml))
    assert next(recorded.iter("Record")).get("redirect") == "true"


@pytest.mark.parametrize("number", ["client:ana", "sip:ana@h.example"])
def test_plivo_dials_users(number: str) -> None:
    dialled = tree(foreign.plivo(verbs.dial(number, after_url=DOOR.resume_url).xml))
    assert next(iter(dialled))[0].tag == "User"


def test_exotel_is_told_the_address_alone() -> None:
    assert json.loads(foreign.exotel(OPENED)) == {"url": "wss://h.example/media/1.a~b"}
    assert json.loads(foreign.exotel(verbs.hang_up().xml)) == {"url": ""}


@pytest.mark.parametrize("carrier", ["signalwire", "telnyx", "plivo"])
def test_the_end_of_a_call_is_the_same_everywhere(carrier: str) -> None:
    spell, kind = foreign.SPELLINGS[carrier]
    assert tags(spell(verbs.say_and_hang_up("Bye.").xml))[1:] == ["Hangup"]
    assert kind == "text/xml"


def test_a_stream_without_a_token_keeps_its_address() -> None:
    bare = verbs.connect(DOOR, {"client_name": ""}).xml
    assert next(tree(foreign.cxml(bare)).iter("Stream")).get("url") == DOOR.stream_url
    assert foreign.SPELLINGS["twilio"][0](bare) == bare
