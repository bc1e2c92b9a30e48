from xml.etree import ElementTree as ET

import pytest

from twiml import ear
from twiml.ear import NAME_CHARACTERS_MAX, Ear
from twiml.verbs import Door, connect, play_digits

URL = "wss://calls.example.com/media"
DOOR = Door("https://calls.example.com/r", URL, "https://calls.example.com/s")


def read(xml: str) -> list[ET.Element]:
    return list(ET.fromstring(xml))  # noqa: S314 - our own document


def test_a_first_ear_listens_to_the_caller_alone_and_stops_nobody() -> None:
    response = ear.opened(URL, Ear(name="ear-1", parameters={"token": "<&>"}))
    (start,) = read(str(response))
    (stream,) = start
    assert (start.tag, stream.tag) == ("Start", "Stream")
    assert stream.attrib == {"url": URL, "name": "ear-1", "track": "inbound_track"}
    assert [one.attrib for one in stream] == [{"name": "token", "value": "<&>"}]


def test_an_ear_begins_before_an_earlier_one_is_stopped() -> None:
    response = ear.opened(URL, Ear(name="ear-2", earlier="ear-1"))
    start, stop = read(str(response))
    assert (start.tag, stop.tag) == ("Start", "Stop")
    assert [one.attrib for one in stop] == [{"name": "ear-1"}]


def test_an_ear_begins_before_anything_else_in_a_document() -> None:
    listening = Ear(name="ear-2", earlier="ear-1")
    opened = read(connect(DOOR, {}, listening).xml)
    assert [verb.tag for verb in opened] == ["Start", "Stop", "Connect", "Redirect"]
    played = read(play_digits(DOOR, "1", {}, listening).xml)
    assert [verb.tag for verb in played] == ["Start", "Stop", "Play", "Connect", "Redirect"]


def test_a_document_without_an_ear_is_as_ever() -> None:
    assert [verb.tag for verb in read(connect(DOOR, {}).xml)] == ["Connect", "Redirect"]


@pytest.mark.parametrize("name", ["", "ear 1", "é", "a" * (NAME_CHARACTERS_MAX + 1), '"'])
def test_a_name_that_can_not_stand_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="ear's name"):
        Ear(name=name)
    if name:
        with pytest.raises(ValueError, match="ear's name"):
            Ear(name="ear-2", earlier=name)


def test_an_ear_never_stops_itself() -> None:
    with pytest.raises(ValueError, match="stop itself"):
        Ear(name="ear-1", earlier="ear-1")
