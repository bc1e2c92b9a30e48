"""The wire's messages, exactly as Twilio writes them ("Media Streams: WebSocket messages").

Counters arrive as JSON strings from Twilio and as numbers from others; both read as integers.
Unknown fields are ignored. The structs here hold the wire's words; the house's own words begin one
file further, in stream.py.
"""

import msgspec

MESSAGE_BYTES_MAX = 65_536  # OWASP's limit for one WebSocket message
PAYLOAD_BYTES_MAX = 8_000  # 1 s of audio: some peers send half a second in one frame


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


class MediaBody(msgspec.Struct, frozen=True):
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


class Media(_Wire, frozen=True, tag="media"):
    """Audio, either way."""

    media: MediaBody
    stream_sid: str = ""
    sequence_number: int | None = None


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


Inbound = Connected | Start | Media | Dtmf | Mark | Stop
Outbound = Media | Mark | Clear
