"""The other carriers' ways to say what Twilio says: one row each, after their public documentation.

    carrier      its words                               what it does otherwise
    twilio       streamSid, media · mark · clear         -
    signalwire   Twilio's                                whether marks come back is not documented
    telnyx       stream_id, call_control_id              frames may overtake each other
    plivo        playAudio · checkpoint · clearAudio     no `connected`, no `stop`
    exotel       stream_sid, call_sid                    16-bit linear audio, in pieces of 20 ms

Which one a socket speaks is known by its path where the document was ours; else `start` tells, by the names of
its identifiers. Names alone are dialect.py's matter: that reads all of them, whoever speaks.
"""

from collections.abc import Mapping

import msgspec

from service.errors import RemoteProtocolError

MULAW = "audio/x-mulaw"
SAMPLE_RATE = 8_000
FRAME = 160  # samples: 20 ms, the shortest piece that Telnyx plays and the step of Exotel's


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How one carrier differs from Twilio.

    `events` gives Twilio's word for an inbound one of its own, "" for one that says nothing to us. `stream`
    is what our messages call the stream, "" when they don't name it. `step` is what the samples of a
    piece of audio must be a multiple of. `echoes`: marks are documented to come back.
    """

    name: str
    stream: str = "streamSid"
    events: Mapping[str, str] = {}
    echoes: bool = True
    is_linear: bool = False
    is_unordered: bool = False
    step: int = 1
    has_own_words: bool = False


TWILIO = Dialect(name="twilio")
SIGNALWIRE = Dialect(name="signalwire", echoes=False)
TELNYX = Dialect(name="telnyx", stream="", is_unordered=True, step=FRAME)
PLIVO = Dialect(
    name="plivo",
    stream="streamId",
    events={"playedStream": "mark", "clearedAudio": ""},
    has_own_words=True,
)
EXOTEL = Dialect(name="exotel", stream="stream_sid", is_linear=True, step=FRAME)
DIALECTS = {one.name: one for one in (TWILIO, SIGNALWIRE, TELNYX, PLIVO, EXOTEL)}

# The names that only this carrier's `start` has, in its body.
_SIGNS = (("call_control_id", TELNYX), ("callId", PLIVO), ("call_sid", EXOTEL))


def spoken(start: Mapping[str, object]) -> Dialect:
    """Return whose words a `start` message is in; Twilio's when nothing tells."""
    body = start.get("start")
    names = body.keys() if isinstance(body, dict) else ()
    return next((dialect for name, dialect in _SIGNS if name in names), TWILIO)


def media(dialect: Dialect, stream_sid: str, payload: str) -> dict[str, object]:
    """Return audio for the caller, `payload` in the dialect's own encoding, as base64."""
    if dialect.has_own_words:
        body = {"contentType": MULAW, "sampleRate": SAMPLE_RATE, "payload": payload}
        return {"event": "playAudio", "media": body}
    return {"event": "media", **_stream(dialect, stream_sid), "media": {"payload": payload}}


def mark(dialect: Dialect, stream_sid: str, name: str) -> dict[str, object]:
    """Return the request to tell when the audio so far has played."""
    if dialect.has_own_words:
        return {"event": "checkpoint", **_stream(dialect, stream_sid), "name": name}
    return {"event": "mark", **_stream(dialect, stream_sid), "mark": {"name": name}}


def clear(dialect: Dialect, stream_sid: str) -> dict[str, object]:
    """Return the order to drop what has not played."""
    word = "clearAudio" if dialect.has_own_words else "clear"
    return {"event": word, **_stream(dialect, stream_sid)}


def beside(message: Mapping[str, object]) -> dict[str, str]:
    """Return the custom parameters that stand beside `start` as a text, `a=1;b=2` (Plivo)."""
    told = message.get("extra_headers")
    if not isinstance(told, str):
        return {}
    pairs = (pair.partition("=") for pair in told.replace(",", ";").split(";"))
    return {name.strip(): value for name, equals, value in pairs if equals}


def echo(message: Mapping[str, object]) -> dict[str, object]:
    """Return the body of a mark of which the name stands beside it (Plivo)."""
    name = message.get("name")
    if not isinstance(name, str):
        raise RemoteProtocolError("an echo names no mark")
    return {"name": name}


def _stream(dialect: Dialect, stream_sid: str) -> dict[str, str]:
    return {dialect.stream: stream_sid} if dialect.stream else {}
