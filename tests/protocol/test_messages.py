import base64
import json

import pytest
from hypothesis import given, strategies as st

from service.errors import LocalProtocolError, RemoteProtocolError
from service.protocol import messages as m

START = (
    '{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC1","streamSid":"MZ1","callSid":"CA1",'
    '"tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},'
    '"customParameters":{"FirstName":"Jané & <b>"}},"streamSid":"MZ1"}'
)


def media_text(payload: bytes, **fields: object) -> str:
    body = {"payload": base64.b64encode(payload).decode(), **fields}
    return json.dumps({"event": "media", "streamSid": "MZ1", "media": body})


def test_reads_every_message_as_twilio_writes_it() -> None:
    assert m.decode('{"event":"connected","protocol":"Call","version":"1.0.0"}') == m.Connected()
    start = m.decode(START)
    assert isinstance(start, m.Start)
    assert (start.sequence_number, start.stream_sid, start.start.call_sid) == (1, "MZ1", "CA1")
    assert start.start.custom_parameters == {"FirstName": "Jané & <b>"}
    assert start.start.tracks == ("inbound",)
    audio = m.decode(media_text(b"\xff\x7f", track="inbound", chunk="1", timestamp="5"))
    assert audio == m.Media(
        media=m.MediaBody(payload=b"\xff\x7f", chunk=1, timestamp=5), stream_sid="MZ1"
    )
    key = m.decode(
        '{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"1"}}'
    )
    assert key == m.Dtmf(
        dtmf=m.DtmfBody(digit="1", track="inbound_track"), stream_sid="MZ1", sequence_number=5
    )
    echo = m.decode(
        '{"event":"mark","sequenceNumber":"4","streamSid":"MZ1","mark":{"name":"my label"}}'
    )
    assert echo == m.Mark(mark=m.MarkBody(name="my label"), stream_sid="MZ1", sequence_number=4)
    stop = m.decode(
        b'{"event":"stop","sequenceNumber":"5","stop":{"accountSid":"AC1","callSid":"CA1"},"streamSid":"MZ1"}'
    )
    assert stop == m.Stop(
        stop=m.StopBody(account_sid="AC1", call_sid="CA1"), stream_sid="MZ1", sequence_number=5
    )


def test_bare_media_without_any_optional_field_is_fine() -> None:
    audio = m.decode('{"event":"media","media":{"payload":"/w=="}}')
    assert audio == m.Media(media=m.MediaBody(payload=b"\xff"))


@pytest.mark.parametrize("counter", ["x", "", 1.5, True, None, [], {}])
def test_an_unreadable_counter_is_left_out_and_the_audio_kept(counter: object) -> None:
    audio = m.decode(media_text(b"\xff", chunk=counter, timestamp=counter))
    assert isinstance(audio, m.Media)
    assert (audio.media.payload, audio.media.chunk, audio.media.timestamp) == (b"\xff", None, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        '"text"',
        "null",
        "{}",
        '{"event":5}',
        '{"event":"unheard-of"}',
        '{"event":"start"}',
        '{"event":"start","start":{}}',
        '{"event":"start","start":{"callSid":5},"streamSid":"MZ1"}',
        '{"event":"start","start":"text","streamSid":"MZ1"}',
        '{"event":"media","streamSid":"MZ1"}',
        '{"event":"media","media":{},"streamSid":"MZ1"}',
        '{"event":"media","media":{"payload":"A"},"streamSid":"MZ1"}',
        '{"event":"media","media":{"payload":"A-_A"},"streamSid":"MZ1"}',
        '{"event":"media","media":{"payload":5},"streamSid":"MZ1"}',
        '{"event":"dtmf","dtmf":{"digit":5},"streamSid":"MZ1"}',
        '{"event":"mark","mark":{},"streamSid":"MZ1"}',
        '{"event":"connected","x":' + "[" * 50_000 + "]" * 10_000 + "}",
        '{"event":"media","x":' + '{"a":' * 12_000 + "1" + "}" * 12_001,
        '{"event":"mark","mark":{"name":"\ud800"},"streamSid":"MZ1"}',
        '{"event":"connected","x":"' + "é" * 40_000 + '"}',
        "{" + " " * m.MESSAGE_BYTES_MAX + "}",
        b"{" + b" " * m.MESSAGE_BYTES_MAX + b"}",
        b"\xff\xfe",
        b'{"event":"mark","mark":{"name":"\xff"},"streamSid":"MZ1"}',
        media_text(b"\xff" * (m.PAYLOAD_BYTES_MAX + 1)),
    ],
)
def test_an_unreadable_message_is_one_clear_error(text: str | bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        m.decode(text)
    assert 0 < len(str(caught.value)) <= m.REASON_LENGTH_MAX


def test_the_longest_payload_is_read() -> None:
    audio = m.decode(media_text(b"\xff" * m.PAYLOAD_BYTES_MAX))
    assert isinstance(audio, m.Media)
    assert len(audio.media.payload) == m.PAYLOAD_BYTES_MAX


@given(st.one_of(st.text(), st.binary()))
def test_no_bytes_raise_anything_but_a_remote_protocol_error(text: str | bytes) -> None:
    try:
        m.decode(text)
    except RemoteProtocolError:
        return


def test_writes_exactly_the_fields_that_twilio_documents() -> None:
    assert json.loads(m.media("MZ1", b"\xff\xff")) == {
        "event": "media",
        "streamSid": "MZ1",
        "media": {"payload": "//8="},
    }
    assert json.loads(m.mark("MZ1", "e1.p1.160")) == {
        "event": "mark",
        "streamSid": "MZ1",
        "mark": {"name": "e1.p1.160"},
    }
    assert json.loads(m.clear("MZ1")) == {"event": "clear", "streamSid": "MZ1"}


def test_what_we_write_is_what_the_strict_reader_takes() -> None:
    assert m.decode_outbound(m.media("MZ1", b"\x01")) == m.Media(
        media=m.MediaBody(payload=b"\x01"), stream_sid="MZ1"
    )
    assert m.decode_outbound(m.mark("MZ1", "a")) == m.Mark(
        mark=m.MarkBody(name="a"), stream_sid="MZ1"
    )
    assert m.decode_outbound(m.clear("MZ1")) == m.Clear(stream_sid="MZ1")


def test_writing_what_the_wire_does_not_allow_is_our_own_error() -> None:
    with pytest.raises(LocalProtocolError):
        m.media("MZ1", b"")
    with pytest.raises(LocalProtocolError):
        m.media("MZ1", b"\xff" * (m.PAYLOAD_BYTES_MAX + 1))
    with pytest.raises(LocalProtocolError):
        m.mark("MZ1", "")
    with pytest.raises(LocalProtocolError):
        m.clear("")


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        '{"event":["media"]}',
        '{"event":"start","streamSid":"MZ1"}',
        '{"event":"clear"}',
        '{"event":"clear","streamSid":5}',
        '{"event":"clear","streamSid":"MZ1","extra":1}',
        '{"event":"mark","streamSid":"MZ1"}',
        '{"event":"mark","streamSid":"MZ1","mark":"a"}',
        '{"event":"mark","streamSid":"MZ1","mark":{"name":5}}',
        '{"event":"mark","streamSid":"MZ1","mark":{"name":"a","extra":1}}',
        '{"event":"mark","streamSid":"MZ1","mark":{"name":"a"},"sequenceNumber":"1"}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"A"}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"AAAA","track":"outbound"}}',
    ],
)
def test_the_strict_reader_refuses_what_twilio_refuses(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        m.decode_outbound(text)


@pytest.mark.parametrize("text", ['{"event":"x","a":[1]}', b'{"event":"x","a":[1]}'])
def test_a_message_opens_as_the_object_that_it_is(text: str | bytes) -> None:
    assert m.opened(text) == {"event": "x", "a": [1]}


@pytest.mark.parametrize("text", ["", "[1]", b"\xff", b" " * (m.MESSAGE_BYTES_MAX + 1)])
def test_what_is_no_object_or_too_long_does_not_open(text: str | bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        m.opened(text)
