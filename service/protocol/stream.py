"""One media stream on one socket, sans I/O: text in, events in the house's words out.

1. Everything that changes the state of a stream stands in `TRANSITIONS`; a missing key is the error.
2. `receive` raises RemoteProtocolError and nothing else, whatever the bytes. The message is then
   dropped by whoever asked; the stream goes on.
3. `connected` is optional: look-alike carriers leave it out.
4. A second `start` of the same stream is the same stream, its counters begun anew; of another stream it
   is an error.
5. Audio of the outbound track is our own voice and is ignored; audio of another stream is an error,
   audio that names no stream belongs to this one.
6. Nothing in `start` is believed: identifiers, parameters and the audio's format are checked for shape
   here, for truth by whoever knows the call.
"""

import re
from enum import Enum
from typing import assert_never

from service.errors import RemoteProtocolError
from service.protocol import messages as m
from service.protocol.events import Audio, Echoed, KeyPressed, Started, Stopped, StreamEvent
from service.protocol.track import Track

INBOUND = "inbound"  # what Twilio calls the caller's track
SID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
PARAMETERS_MAX = 64  # Twilio documents no number; the contract has four
PARAMETER_LETTERS_MAX = 4_096  # eight times what a <Parameter> can carry

_DIGIT = re.compile(r"[0-9A-D*#]")
_MULAW = re.compile(r"u-?law|pcmu|g711u|basic")  # audio/x-mulaw and the names others give it


class State(Enum):
    """Where a stream is in its life."""

    OPENED = "opened"
    CONNECTED = "connected"
    STARTED = "started"
    STOPPED = "stopped"


# Asked for with every frame, and an enumeration is slow to give its members.
_STARTED = State.STARTED
TRANSITIONS: dict[tuple[State, type[m.Inbound]], State] = {
    (State.OPENED, m.Connected): State.CONNECTED,
    (State.OPENED, m.Start): State.STARTED,
    (State.CONNECTED, m.Start): State.STARTED,
    (State.STARTED, m.Connected): State.STARTED,
    (State.STARTED, m.Start): State.STARTED,
    (State.STARTED, m.Media): State.STARTED,
    (State.STARTED, m.Dtmf): State.STARTED,
    (State.STARTED, m.Mark): State.STARTED,
    (State.STARTED, m.Stop): State.STOPPED,
}


class Stream:
    """The state of one stream."""

    __slots__ = ("_started", "_state", "_stream_sid", "_track")

    def __init__(self) -> None:
        self._state = State.OPENED
        self._started: Started | None = None
        self._stream_sid = ""
        self._track = Track()

    @property
    def state(self) -> State:
        """Where the stream is."""
        return self._state

    def receive(self, text: str | bytes, now_ms: int) -> tuple[StreamEvent, ...]:
        """Read one message. Raises RemoteProtocolError; the state is then as before."""
        message = m.decode(text)
        if self._state is _STARTED:  # nearly always, and what comes all the time changes no state
            if type(message) is m.Media:
                return self._media(message, now_ms)
            if type(message) is m.Mark:
                self._check_stream(message)
                return (Echoed(message.mark.name),)
        after = TRANSITIONS.get((self._state, type(message)))
        if after is None or isinstance(message, m.Media | m.Mark):
            name = type(message).__name__.lower()
            raise RemoteProtocolError(f"{name} is out of place: the stream is {self._state.value}")
        if not isinstance(message, m.Connected | m.Start):
            self._check_stream(message)
        events = self._read(message)
        self._state = after
        return events

    def _check_stream(self, message: m.Media | m.Dtmf | m.Mark | m.Stop) -> None:
        """Refuse a message that names another stream. Look-alikes may name none at all."""
        assert self._started is not None
        if message.stream_sid not in ("", self._started.stream_sid):
            raise RemoteProtocolError("the message belongs to another stream")

    def _read(self, message: m.Connected | m.Start | m.Dtmf | m.Stop) -> tuple[StreamEvent, ...]:
        match message:
            case m.Connected():
                return ()
            case m.Start():
                return (self._start(message),)
            case m.Dtmf():
                if not _DIGIT.fullmatch(message.dtmf.digit):
                    raise RemoteProtocolError("dtmf is not one of 0-9, A-D, * and #")
                return (KeyPressed(message.dtmf.digit),)
            case m.Stop():
                return (Stopped(),)
            case _:
                assert_never(message)

    def _start(self, message: m.Start) -> Started:
        body, stream_sid = message.start, message.stream_sid
        _check_start(message)
        before = self._started
        if before and (before.call_sid, before.stream_sid) != (body.call_sid, stream_sid):
            raise RemoteProtocolError("a second start names another stream")
        self._track = Track()
        account_sid = body.account_sid if SID.fullmatch(body.account_sid) else ""
        parameters = body.custom_parameters or {}
        self._stream_sid = stream_sid
        self._started = Started(
            body.call_sid, stream_sid, account_sid, parameters, is_again=before is not None
        )
        return self._started

    def _media(self, message: m.Media, now_ms: int) -> tuple[StreamEvent, ...]:
        if message.stream_sid != self._stream_sid:
            self._check_stream(message)
        media = message.media
        payload, track = media.payload, media.track
        if not payload or (track != INBOUND and track.startswith("outbound")):
            return ()
        is_heard, findings = self._track.feed(media, now_ms)
        return (Audio(payload, findings),) if is_heard else ()


def _check_start(message: m.Start) -> None:
    body, audio = message.start, message.start.media_format
    for name, sid in (("callSid", body.call_sid), ("streamSid", message.stream_sid)):
        if not SID.fullmatch(sid):
            raise RemoteProtocolError(f"start has no usable {name}")
    if body.stream_sid not in ("", message.stream_sid):
        raise RemoteProtocolError("start names two streams")
    parameters = body.custom_parameters or {}
    if len(parameters) > PARAMETERS_MAX or any(
        len(name) + len(value) > PARAMETER_LETTERS_MAX for name, value in parameters.items()
    ):
        raise RemoteProtocolError("start has too many or too long parameters")
    if not _MULAW.search(audio.encoding.lower()) or (audio.sample_rate, audio.channels) != (
        8000,
        1,
    ):
        raise RemoteProtocolError("the audio is not mu-law of 8,000 Hz on one channel")


def diagram() -> str:
    """Return the states as a Mermaid diagram, drawn from the table."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.OPENED.value}"]
    lines += [
        f"    {before.value} --> {after.value}: {kind.__name__.lower()}"
        for (before, kind), after in TRANSITIONS.items()
    ]
    return "\n".join([*lines, f"    {State.STOPPED.value} --> [*]"])
