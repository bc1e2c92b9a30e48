import pytest

from service.errors import RemoteProtocolError
from service.protocol import dialects
from service.protocol.dialects import EXOTEL, PLIVO, SIGNALWIRE, TELNYX, TWILIO, Dialect


@pytest.mark.parametrize(
    ("start", "dialect"),
    [
        ({"start": {"streamSid": "S", "callSid": "C"}}, TWILIO),
        ({"start": {"call_control_id": "C"}, "stream_id": "S"}, TELNYX),
        ({"start": {"streamId": "S", "callId": "C"}}, PLIVO),
        ({"start": {"stream_sid": "S", "call_sid": "C", "account_sid": "A"}}, EXOTEL),
        ({"start": "nonsense"}, TWILIO),
        ({}, TWILIO),
    ],
)
def test_the_names_in_a_start_tell_whose_it_is(start: dict[str, object], dialect: Dialect) -> None:
    assert dialects.spoken(start) is dialect


@pytest.mark.parametrize(
    ("dialect", "named"),
    [
        (TWILIO, {"streamSid": "S"}),
        (SIGNALWIRE, {"streamSid": "S"}),
        (TELNYX, {}),
        (EXOTEL, {"stream_sid": "S"}),
    ],
)
def test_who_speaks_twilios_words_differs_in_the_streams_name(
    dialect: Dialect, named: dict[str, str]
) -> None:
    assert dialects.media(dialect, "S", "AA==") == {
        "event": "media",
        **named,
        "media": {"payload": "AA=="},
    }
    assert dialects.mark(dialect, "S", "m") == {"event": "mark", **named, "mark": {"name": "m"}}
    assert dialects.clear(dialect, "S") == {"event": "clear", **named}


def test_plivo_has_words_of_its_own() -> None:
    assert dialects.media(PLIVO, "S", "AA==") == {
        "event": "playAudio",
        "media": {"contentType": "audio/x-mulaw", "sampleRate": 8000, "payload": "AA=="},
    }
    assert dialects.mark(PLIVO, "S", "m") == {"event": "checkpoint", "streamId": "S", "name": "m"}
    assert dialects.clear(PLIVO, "S") == {"event": "clearAudio", "streamId": "S"}
    assert dialects.echo({"name": "m"}) == {"name": "m"}
    with pytest.raises(RemoteProtocolError):
        dialects.echo({"event": "playedStream"})


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("a=1;b=2", {"a": "1", "b": "2"}),
        ("a=1, b=2=3", {"a": "1", "b": "2=3"}),
        ("nothing", {}),
        ({"a": "1"}, {}),
        (None, {}),
    ],
)
def test_parameters_may_stand_beside_the_start(told: object, read: dict[str, str]) -> None:
    assert dialects.beside({"extra_headers": told}) == read
