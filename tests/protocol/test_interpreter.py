import base64
import json
from typing import Any

import pytest

from service import audio
from service.errors import RemoteProtocolError
from service.protocol import dialects, messages as m
from service.protocol.events import Started
from service.protocol.interpreter import LINEAR_BYTES_MAX, Interpreter
from service.protocol.stream import Stream

SOUND = bytes(range(160))


def one(interpreter: Interpreter, **message: Any) -> m.Inbound:
    (text,) = interpreter.heard(json.dumps(message))
    return m.decode(text)


def begun(interpreter: Interpreter, **message: Any) -> Started:
    (text,) = interpreter.heard(json.dumps({"event": "start", **message}))
    (started,) = Stream().receive(text, 0)
    assert isinstance(started, Started)
    return started


def test_telnyx_is_read_and_written() -> None:
    ours = Interpreter()
    assert ours.dialect is dialects.TWILIO
    form = {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}
    body = {"call_control_id": "v2:C-1_x", "custom_parameters": {"a": "b"}, "media_format": form}
    started = begun(ours, sequence_number="1", stream_id="S", start=body)
    assert (started.call_sid, started.stream_sid) == ("v2:C-1_x", "S")
    assert (started.parameters, ours.dialect) == ({"a": "b"}, dialects.TELNYX)
    said = json.loads(ours.told(m.media("S", b"\x00" * 200)))
    assert said.keys() == {"event", "media"}
    assert base64.b64decode(said["media"]["payload"]) == b"\x00" * 200 + audio.silence(120)
    assert json.loads(ours.told(m.clear("S"))) == {"event": "clear"}
    assert json.loads(ours.told(m.mark("S", "x"))) == {"event": "mark", "mark": {"name": "x"}}


def test_frames_of_telnyx_are_put_in_order_and_those_at_the_end_are_kept() -> None:
    ours = Interpreter(dialects.TELNYX)

    def frame(chunk: int | None) -> list[int | None]:
        payload = {"chunk": str(chunk), "payload": "AA=="} if chunk else {"payload": "AA=="}
        told = json.dumps({"event": "media", "stream_id": "S", "media": payload})
        return [m.decode(text).media.chunk for text in ours.heard(told)]  # type: ignore[union-attr] # frames alone

    assert [frame(n) for n in (1, 3, 2)] == [[1], [], [2, 3]]
    assert frame(None) == [None]
    assert frame(6) == []
    last = [m.decode(text) for text in ours.heard('{"event":"stop","stream_id":"S"}')]
    assert [type(message) for message in last] == [m.Media, m.Stop]
    with pytest.raises(RemoteProtocolError):
        m.decode(ours.heard('{"event":"media","stream_id":"S","media":7}')[0])


def test_plivo_is_read_and_written() -> None:
    ours = Interpreter(token="1.t")
    form = {"encoding": "audio/x-mulaw", "sampleRate": 8000}
    body = {"streamId": "S", "callId": "C", "accountId": "MA", "mediaFormat": form}
    started = begun(ours, sequenceNumber=1, start=body, extra_headers="a=b")
    assert started == Started("C", "S", "MA", {"a": "b", "token": "1.t"})
    assert one(ours, event="playedStream", streamId="S", name="e1.p1.160") == m.Mark(
        mark=m.MarkBody("e1.p1.160"), stream_sid="S"
    )
    assert ours.heard('{"event":"clearedAudio","streamId":"S"}') == []
    assert one(ours, event="dtmf", streamId="S", dtmf={"digit": "5"}) == m.Dtmf(
        dtmf=m.DtmfBody("5"), stream_sid="S"
    )
    assert json.loads(ours.told(m.media("S", SOUND)))["event"] == "playAudio"


def test_exotel_hears_and_speaks_linear_audio() -> None:
    ours = Interpreter()
    form = {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "16"}
    body = {"stream_sid": "S", "call_sid": "C", "account_sid": "A", "media_format": form}
    assert begun(ours, stream_sid="S", start=body).call_sid == "C"
    pcm = audio.decode(SOUND)
    payload = base64.b64encode(pcm + b"\x00").decode()
    heard = one(
        ours, event="media", stream_sid="S", media={"chunk": 2, "timestamp": 0, "payload": payload}
    )
    assert isinstance(heard, m.Media)
    assert audio.decode(heard.media.payload) == pcm
    said = json.loads(ours.told(m.media("S", SOUND[:100])))
    assert base64.b64decode(said["media"]["payload"]) == audio.decode(SOUND[:100]) + bytes(120)
    assert said["stream_sid"] == "S"


def test_twilios_own_words_stay_what_they_are() -> None:
    ours = Interpreter(dialects.SIGNALWIRE, "t")
    assert one(ours, event="connected", protocol="Call", version="1.0.0") == m.Connected()
    body = {"callSid": "C", "streamSid": "S", "customParameters": {"a": "b", "token": "x"}}
    assert begun(ours, streamSid="S", start=body).parameters == {"a": "b", "token": "t"}
    assert json.loads(ours.told(m.media("S", SOUND))) == json.loads(m.media("S", SOUND))


def test_audio_that_is_not_linear_of_8000_hz_is_refused() -> None:
    ours = Interpreter(dialects.EXOTEL)
    form = {"encoding": "audio/x-raw", "sample_rate": 16000}
    with pytest.raises(RemoteProtocolError, match="mu-law"):
        begun(ours, stream_sid="S", start={"call_sid": "C", "media_format": form})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "x" * 70_000,
        '{"event":"start"}',
        '{"event":"playedStream","streamId":"S"}',
    ],
)
def test_what_can_not_be_read_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Interpreter(dialects.PLIVO).heard(text)


@pytest.mark.parametrize(
    "payload", ["*", None, base64.b64encode(bytes(LINEAR_BYTES_MAX + 2)).decode()]
)
def test_linear_audio_that_is_none_or_too_much_is_refused(payload: object) -> None:
    told = json.dumps({"event": "media", "stream_sid": "S", "media": {"payload": payload}})
    with pytest.raises(RemoteProtocolError):
        Interpreter(dialects.EXOTEL).heard(told)


def test_an_event_that_nobody_knows_is_refused_further_in() -> None:
    ours = Interpreter(dialects.TELNYX)
    for told in ('{"event":"error","payload":{"code":100}}', '{"event":7}', "{}"):
        (text,) = ours.heard(told)
        with pytest.raises(RemoteProtocolError):
            m.decode(text)
