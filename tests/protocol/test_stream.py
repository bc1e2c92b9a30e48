import json

import pytest
from hypothesis import given, strategies as st

from service.errors import RemoteProtocolError
from service.protocol import messages as m, stream as s
from service.protocol.events import Audio, Echoed, KeyPressed, Lost, Started, Stopped
from service.protocol.stream import State, Stream
from service.simulator.streams.carrier import Leg

NOW_MS = 1_000_000
FRAME = b"\xff" * 160


def leg() -> Leg:
    return Leg("MZ1", "CA1", "AC1", {"client_name": "Zoë & <Co>"})


def started() -> Stream:
    ours, theirs = Stream(), leg()
    ours.receive(theirs.connected(), NOW_MS)
    ours.receive(theirs.start(), NOW_MS)
    return ours


def start_text(*, stream_sid: str = "MZ1", **body: object) -> str:
    fields = {"callSid": "CA1", "streamSid": "MZ1", **body}
    return json.dumps({"event": "start", "streamSid": stream_sid, "start": fields})


def media_text(stream_sid: str = "MZ1", **body: object) -> str:
    fields = {"payload": "//8=", **body}
    return json.dumps({"event": "media", "streamSid": stream_sid, "media": fields})


def test_a_stream_as_twilio_speaks_it_becomes_the_houses_words() -> None:
    ours, theirs = Stream(), leg()
    assert ours.receive(theirs.connected(), NOW_MS) == ()
    assert ours.receive(theirs.start(), NOW_MS) == (
        Started("CA1", "MZ1", "AC1", {"client_name": "Zoë & <Co>"}),
    )
    assert ours.receive(theirs.media(FRAME), NOW_MS) == (Audio(FRAME),)
    assert ours.receive(theirs.dtmf("#"), NOW_MS) == (KeyPressed("#"),)
    theirs.receive(m.mark("MZ1", "e1.p1.160"), NOW_MS)
    assert ours.receive(theirs.poll(NOW_MS)[0], NOW_MS) == (Echoed("e1.p1.160"),)
    assert ours.receive(theirs.stop(), NOW_MS) == (Stopped(),)


def test_the_state_says_where_the_stream_is() -> None:
    ours, theirs = Stream(), leg()
    states = [ours.state]
    for text in (theirs.connected(), theirs.start(), theirs.stop()):
        ours.receive(text, NOW_MS)
        states.append(ours.state)
    assert states == [State.OPENED, State.CONNECTED, State.STARTED, State.STOPPED]


def test_connected_is_optional_and_may_come_again() -> None:
    ours, theirs = Stream(), leg()
    ours.receive(theirs.start(), NOW_MS)
    assert ours.receive(theirs.connected(), NOW_MS) == ()
    assert ours.state is State.STARTED


def test_loss_is_told_with_the_audio() -> None:
    ours = started()
    for turn in range(4):
        text = media_text(payload="/" * 213 + "w==", chunk=turn, timestamp=turn * 20)
        ours.receive(text, NOW_MS)
    late = media_text(payload="/w==", chunk=9, timestamp=400)
    assert ours.receive(late, NOW_MS) == (Audio(b"\xff", (Lost(320),)),)


def test_a_frame_that_comes_twice_is_heard_once() -> None:
    ours = started()
    for turn in range(4):
        ours.receive(media_text(chunk=turn, timestamp=turn * 20), NOW_MS)
    assert ours.receive(media_text(chunk=3, timestamp=60), NOW_MS) == ()


@pytest.mark.parametrize("track", ["outbound", "outbound_track"])
def test_our_own_voice_is_ignored(track: str) -> None:
    assert started().receive(media_text(track=track), NOW_MS) == ()


@pytest.mark.parametrize("track", ["inbound", "inbound_track", "", None])
def test_the_callers_voice_is_heard_whatever_its_track_is_called(track: str | None) -> None:
    assert started().receive(media_text(track=track), NOW_MS) == (Audio(b"\xff\xff"),)


def test_audio_without_a_stream_belongs_to_this_one_and_empty_audio_is_none() -> None:
    ours = started()
    assert ours.receive('{"event":"media","media":{"payload":"/w=="}}', NOW_MS) == (Audio(b"\xff"),)
    assert ours.receive(media_text(payload=""), NOW_MS) == ()


def test_a_second_start_of_the_same_stream_counts_anew() -> None:
    ours, theirs = started(), leg()
    theirs.start()
    for _ in range(3):
        ours.receive(theirs.media(FRAME), NOW_MS)
    (again,) = ours.receive(theirs.start(), NOW_MS)
    assert isinstance(again, Started)
    assert again.is_again
    assert ours.receive(theirs.media(FRAME), NOW_MS) == (Audio(FRAME),)


@pytest.mark.parametrize(
    ("first", "text"),
    [
        (False, media_text()),
        (False, '{"event":"dtmf","streamSid":"MZ1","dtmf":{"digit":"1"}}'),
        (False, '{"event":"mark","streamSid":"MZ1","mark":{"name":"a"}}'),
        (False, '{"event":"stop","streamSid":"MZ1"}'),
        (False, start_text(stream_sid="")),
        (False, start_text(stream_sid="MZ2")),
        (False, start_text(callSid="CA 1")),
        (False, start_text(callSid="C" * 129)),
        (False, start_text(callSid="CA1\n")),
        (False, start_text(stream_sid="MZ/1", streamSid="MZ/1")),
        (False, start_text(customParameters={str(name): "" for name in range(65)})),
        (False, start_text(customParameters={"a": "b" * s.PARAMETER_LETTERS_MAX})),
        (False, start_text(mediaFormat={"encoding": "audio/l16"})),
        (False, start_text(mediaFormat={"sampleRate": 16000})),
        (False, start_text(mediaFormat={"channels": 2})),
        (True, start_text(callSid="CA2")),
        (True, start_text(stream_sid="MZ2", streamSid="MZ2")),
        (True, media_text("MZ2")),
        (True, '{"event":"stop","streamSid":"MZ2"}'),
        (True, '{"event":"dtmf","streamSid":"MZ1","dtmf":{"digit":"12"}}'),
        (True, '{"event":"dtmf","streamSid":"MZ1","dtmf":{"digit":"\\u0661"}}'),
        (True, "no json"),
    ],
)
def test_what_is_out_of_place_is_an_error_and_changes_nothing(first: bool, text: str) -> None:  # noqa: FBT001 - a table's column
    ours = started() if first else Stream()
    before = ours.state
    if text == start_text(stream_sid=""):
        text = '{"event":"start","start":{"callSid":"CA1"}}'
    with pytest.raises(RemoteProtocolError):
        ours.receive(text, NOW_MS)
    assert ours.state is before
    (event,) = ours.receive(leg().start(), NOW_MS)
    assert isinstance(event, Started)


def test_after_stop_nothing_is_in_place() -> None:
    ours, theirs = started(), leg()
    ours.receive(theirs.stop(), NOW_MS)
    for text in (theirs.connected(), theirs.start(), theirs.media(FRAME), theirs.stop()):
        with pytest.raises(RemoteProtocolError, match="the stream is stopped"):
            ours.receive(text, NOW_MS)


@pytest.mark.parametrize("encoding", ["audio/x-mulaw", "PCMU", "mulaw", "ULAW", "audio/basic"])
def test_every_name_of_mu_law_is_known(encoding: str) -> None:
    text = start_text(mediaFormat={"encoding": encoding, "sampleRate": "8000"})
    assert len(Stream().receive(text, NOW_MS)) == 1


@pytest.mark.parametrize("account", ["", None, "A" * 129, "a b"])
def test_an_account_of_no_shape_is_no_account(account: str | None) -> None:
    (event,) = Stream().receive(start_text(accountSid=account), NOW_MS)
    assert event == Started("CA1", "MZ1", "", {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
WORDS = ("event", "start", "media", "dtmf", "mark", "stop", "streamSid", "stream_id", "chunk")
BODY_WORDS = ("payload", "digit", "name", "callSid", "customParameters", "tracks", "timestamp")
EVENTS = st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop", "clear"])
BODY = st.dictionaries(st.sampled_from(BODY_WORDS), JSON | st.just("MZ1") | st.just("//8="))
MESSAGE = st.fixed_dictionaries(
    {"event": EVENTS}, optional=dict.fromkeys(WORDS[1:], BODY | JSON | st.just("MZ1"))
)


@given(
    st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=40), MESSAGE.map(json.dumps))),
    st.booleans(),
)
def test_no_messages_raise_anything_but_a_remote_protocol_error(
    texts: list[str | bytes],
    is_started: bool,  # noqa: FBT001 - hypothesis passes by position
) -> None:
    ours = started() if is_started else Stream()
    for text in texts:
        try:
            ours.receive(text, NOW_MS)
        except RemoteProtocolError:
            continue


def test_the_diagram_is_drawn_from_the_table() -> None:
    lines = s.diagram().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> opened"]
    assert "    started --> stopped: stop" in lines
    assert len(lines) == len(s.TRANSITIONS) + 3
