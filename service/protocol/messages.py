"""The wire's messages, exactly as Twilio writes them ("Media Streams: WebSocket messages").

    carrier -> us   connected · start · media · dtmf · mark · stop      `decode`, tolerant
    us -> carrier   media · mark · clear                                `media`, `mark`, `clear`, strict

1. Counters arrive as JSON strings from Twilio and as numbers from others; both read as integers.
2. Unknown fields are ignored inbound. Outbound, one field too many makes Twilio drop the message
   (warning 31951), so nothing is written that Twilio does not document.
3. Reading raises RemoteProtocolError and nothing else, whatever the bytes; its text quotes no audio,
   no digit and no parameter.

The structs here hold the wire's words; the house's own words begin one file further, in stream.py.
"""

from typing import TypeVar

import msgspec

from service.errors import LocalProtocolError, RemoteProtocolError
from service.protocol import dialect
from service.protocol.nesting import is_too_deep

MESSAGE_BYTES_MAX = 65_536  # OWASP's limit for one WebSocket message
PAYLOAD_BYTES_MAX = 8_000  # 1 s of audio: some peers send half a second in one frame
REASON_LENGTH_MAX = 200  # an error's text may quote an event's name, which the peer chose


class _Wire(
    msgspec.Struct, frozen=True, tag_field="event", rename="camel", omit_defaults=True, kw_only=True
):
    """What every message has in common: the `event` field tells them apart."""


class MediaFormat(msgspec.Struct, frozen=True, rename="camel"):
    """The audio's format; Twilio documents these three values as the only ones."""

    encoding: str = "audio/x-mulaw"
    sample_rate: int = 8_000
    channels: int = 1


class StartBody(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The body of `start`. `account_sid` may be empty, `custom_parameters` may be missing."""

    call_sid: str
    stream_sid: str = ""
    account_sid: str = ""
    tracks: tuple[str, ...] = ()
    media_format: MediaFormat = MediaFormat()
    custom_parameters: dict[str, str] | None = None


class MediaBody(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The body of `media`: base64 on the wire, bytes here."""

    payload: bytes
    track: str = "inbound"
    chunk: int | None = None
    timestamp: int | None = None


class DtmfBody(msgspec.Struct, frozen=True):
    """The body of `dtmf`: one key."""

    digit: str
    track: str = ""


class MarkBody(msgspec.Struct, frozen=True):
    """The body of `mark`."""

    name: str


class StopBody(msgspec.Struct, frozen=True, rename="camel"):
    """The body of `stop`."""

    account_sid: str = ""
    call_sid: str = ""


class Connected(_Wire, frozen=True, tag="connected"):
    """The first frame; it names no stream."""

    protocol: str = "Call"
    version: str = "1.0.0"


class Start(_Wire, frozen=True, tag="start"):
    """Once per stream, right after `connected`."""

    start: StartBody
    stream_sid: str = ""
    sequence_number: int | None = None


class Media(_Wire, frozen=True, tag="media", gc=False):
    """Audio, either way. Nobody asks for its `sequenceNumber`: `chunk` counts what is audio."""

    media: MediaBody
    stream_sid: str = ""


class Dtmf(_Wire, frozen=True, tag="dtmf"):
    """The caller pressed a key."""

    dtmf: DtmfBody
    stream_sid: str = ""
    sequence_number: int | None = None


class Mark(_Wire, frozen=True, tag="mark"):
    """A named point in outbound audio, or its echo."""

    mark: MarkBody
    stream_sid: str = ""
    sequence_number: int | None = None


class Stop(_Wire, frozen=True, tag="stop"):
    """The stream was stopped or the call ended; the wire does not say which."""

    stop: StopBody = StopBody()
    stream_sid: str = ""
    sequence_number: int | None = None


class Clear(_Wire, frozen=True, tag="clear"):
    """Us to the carrier: drop what is buffered."""

    stream_sid: str = ""


T = TypeVar("T")

Inbound = Connected | Start | Media | Dtmf | Mark | Stop
Outbound = Media | Mark | Clear

_INBOUND: msgspec.json.Decoder[Inbound] = msgspec.json.Decoder(Inbound, strict=False)
_read_inbound = _INBOUND.decode  # fifty times a second
# By their `event`: a union of kinds is worked out anew whenever something is converted to it.
_INBOUND_KINDS: dict[str, type[Inbound]] = {
    "connected": Connected, "start": Start, "media": Media, "dtmf": Dtmf, "mark": Mark, "stop": Stop
}  # fmt: skip
_OUTBOUND_KINDS: dict[str, type[Outbound]] = {"media": Media, "mark": Mark, "clear": Clear}
_ENCODER = msgspec.json.Encoder()

# What Twilio documents for us to send: the message's body and the only field in it.
OUTBOUND_BODIES = {"media": {"payload"}, "mark": {"name"}, "clear": None}

# All that msgspec raises for bytes from outside: bad JSON, bad UTF-8, too deep a nesting.
UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)


def decode(text: str | bytes) -> Inbound:
    """Read one message of the carrier, tolerant of what look-alike carriers write.

    Raises RemoteProtocolError, and nothing else, for whatever can't be read: no JSON, no object, an unknown
    event, a required field missing, a payload that is not base64 or longer than PAYLOAD_BYTES_MAX,
    a message longer than MESSAGE_BYTES_MAX.
    """
    raw = text if isinstance(text, bytes) else _encoded(text)
    is_long = (
        len(raw) > PAYLOAD_BYTES_MAX
    )  # which no frame of 20 ms is, so it is asked nothing more
    if is_long and len(raw) > MESSAGE_BYTES_MAX:
        raise RemoteProtocolError(f"the message is longer than {MESSAGE_BYTES_MAX} bytes")
    try:
        message = _read_inbound(raw)
    except msgspec.ValidationError:
        message = _canonical(raw)
    except UNREADABLE as error:
        raise RemoteProtocolError(_reason(error)) from error
    if not isinstance(message, Media):
        return message if _is_named(message) else _canonical(raw)
    if is_long and len(message.media.payload) > PAYLOAD_BYTES_MAX:
        raise RemoteProtocolError(f"media carries more than {PAYLOAD_BYTES_MAX} bytes of audio")
    return message if message.stream_sid else _canonical(raw)


def opened(text: str | bytes) -> dict[str, object]:
    """Read a message as the JSON object that it is, within the bounds of `decode`. Raises as `decode` does."""
    raw = text if isinstance(text, bytes) else _encoded(text)
    if len(raw) > MESSAGE_BYTES_MAX:
        raise RemoteProtocolError(f"the message is longer than {MESSAGE_BYTES_MAX} bytes")
    try:
        return _object(raw)
    except UNREADABLE as error:
        raise RemoteProtocolError(_reason(error)) from error


def decode_outbound(text: str) -> Outbound:
    """Read one message of ours as strictly as Twilio does: no field more, no field less.

    Raises RemoteProtocolError (for the simulator, we are the remote side).
    """
    raw = _encoded(text)
    try:
        return _converted(_outbound(raw), _OUTBOUND_KINDS, strict=True)
    except UNREADABLE as error:
        raise RemoteProtocolError(_reason(error)) from error


def media(stream_sid: str, payload: bytes) -> str:
    """Write mu-law audio for the caller; raises LocalProtocolError for an empty or too long payload."""
    if not 0 < len(payload) <= PAYLOAD_BYTES_MAX:
        raise LocalProtocolError(f"a media message carries 1 to {PAYLOAD_BYTES_MAX} bytes")
    return _written(Media(media=MediaBody(payload=payload), stream_sid=stream_sid))


def mark(stream_sid: str, name: str) -> str:
    """Write a mark: the carrier sends it back when the audio before it has played."""
    if not name:
        raise LocalProtocolError("a mark without a name can't be told from another")
    return _written(Mark(mark=MarkBody(name=name), stream_sid=stream_sid))


def clear(stream_sid: str) -> str:
    """Write the order to drop all audio that has not played; Twilio then echoes the marks left."""
    return _written(Clear(stream_sid=stream_sid))


def _written(message: Outbound) -> str:
    if not message.stream_sid:
        raise LocalProtocolError("a message to the carrier names its stream")
    return _ENCODER.encode(message).decode()


def _encoded(text: str) -> bytes:
    # The length in characters is checked first: it bounds the work of encoding.
    if len(text) > MESSAGE_BYTES_MAX:
        raise RemoteProtocolError(f"the message is longer than {MESSAGE_BYTES_MAX} bytes")
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise RemoteProtocolError("the message is no valid Unicode") from error
    if len(raw) > MESSAGE_BYTES_MAX:
        raise RemoteProtocolError(f"the message is longer than {MESSAGE_BYTES_MAX} bytes")
    if is_too_deep(raw):
        raise RemoteProtocolError("the message is nested too deep")
    return raw


def _canonical(raw: bytes) -> Inbound:
    """Read what is written in another carrier's words."""
    try:
        return _converted(dialect.canonical(_object(raw)), _INBOUND_KINDS, strict=False)
    except UNREADABLE as error:
        raise RemoteProtocolError(_reason(error)) from error


def _converted(message: dict[str, object], kinds: dict[str, type[T]], *, strict: bool) -> T:
    event = message.get("event")
    kind = kinds.get(event) if isinstance(event, str) else None
    if kind is None:
        raise RemoteProtocolError("the event is none of a media stream")
    return msgspec.convert(message, kind, strict=strict)


def _is_named(message: Connected | Start | Dtmf | Mark | Stop) -> bool:
    match message:
        case Connected():
            return True
        case Start():
            return bool(message.stream_sid and message.start.call_sid)
        case _:
            return bool(message.stream_sid)


def _outbound(raw: bytes) -> dict[str, object]:
    message = _object(raw)
    event = message.get("event")
    if not isinstance(event, str) or event not in OUTBOUND_BODIES:
        raise RemoteProtocolError("the event is none that a bidirectional stream accepts")
    wanted = OUTBOUND_BODIES[event]
    if message.keys() != ({"event", "streamSid", event} if wanted else {"event", "streamSid"}):
        raise RemoteProtocolError(f"{event} has a field too many or too few")
    body = message.get(event)
    if wanted and not (isinstance(body, dict) and body.keys() == wanted):
        raise RemoteProtocolError(f"{event} has a field too many or too few")
    return message


def _object(raw: bytes) -> dict[str, object]:
    message = msgspec.json.decode(raw)
    if not isinstance(message, dict):
        raise RemoteProtocolError("the message is no JSON object")
    return message


def _reason(error: Exception) -> str:
    return str(error)[:REASON_LENGTH_MAX]
