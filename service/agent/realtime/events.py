"""What OpenAI Realtime says, as far as it concerns us: the names of the general release.

Read from https://platform.openai.com/docs/api-reference/realtime-server-events. Unknown events and
fields are skipped; an event that lacks what we need, or isn't JSON, is a BrainError.
"""

import base64
import binascii
from typing import Literal

import msgspec

from service.errors import BrainError


class SessionUpdated(msgspec.Struct, frozen=True, tag="session.updated"):
    """Our settings hold from here on."""


class Error(msgspec.Struct, frozen=True):
    """What went wrong; most errors leave the session as it was."""

    type: str = ""
    code: str | None = None
    message: str = ""
    event_id: str | None = None


class ErrorEvent(msgspec.Struct, frozen=True, tag="error"):
    """One of our events was not accepted, or the server failed."""

    error: Error


class SpeechStarted(msgspec.Struct, frozen=True, tag="input_audio_buffer.speech_started"):
    """The server's VAD hears the caller. `audio_start_ms` counts all audio of the session."""

    audio_start_ms: int = 0


class SpeechStopped(msgspec.Struct, frozen=True, tag="input_audio_buffer.speech_stopped"):
    """The caller has finished; the utterance is committed as this item, and answered."""

    item_id: str
    audio_end_ms: int = 0


class Transcribed(
    msgspec.Struct, frozen=True, tag="conversation.item.input_audio_transcription.completed"
):
    """What the caller said, written down beside the model."""

    item_id: str
    transcript: str = ""


class NotTranscribed(
    msgspec.Struct, frozen=True, tag="conversation.item.input_audio_transcription.failed"
):
    """It could not be written down; the model has heard it all the same."""

    item_id: str


class ResponseCreated(msgspec.Struct, frozen=True, tag="response.created"):
    """An answer is under way; there is at most one."""


class AudioDelta(msgspec.Struct, frozen=True, tag="response.output_audio.delta"):
    """More audio of an item, in base64."""

    item_id: str
    delta: str

    def ulaw(self) -> bytes:
        """Return the audio. Raises BrainError."""
        try:
            return base64.b64decode(self.delta, validate=True)
        except (binascii.Error, ValueError):
            raise BrainError("the model's audio is no base64") from None


class WordsDelta(msgspec.Struct, frozen=True, tag="response.output_audio_transcript.delta"):
    """More words of an item."""

    item_id: str
    delta: str


class WordsDone(msgspec.Struct, frozen=True, tag="response.output_audio_transcript.done"):
    """All words of an item."""

    item_id: str
    transcript: str


class Item(msgspec.Struct, frozen=True):
    """A message or a function call."""

    id: str = ""
    type: str = ""
    status: str | None = None
    name: str = ""
    call_id: str = ""
    arguments: str = ""


class ItemDone(msgspec.Struct, frozen=True, tag="response.output_item.done"):
    """An item of an answer is whole, or was interrupted."""

    item: Item


class StatusDetails(msgspec.Struct, frozen=True):
    """Why an answer did not complete."""

    reason: str | None = None
    error: Error | None = None


class Response(msgspec.Struct, frozen=True):
    """An answer."""

    status: Literal["completed", "cancelled", "failed", "incomplete", "in_progress"] | None = None
    status_details: StatusDetails | None = None


class ResponseDone(msgspec.Struct, frozen=True, tag="response.done"):
    """An answer is over, whatever came of it."""

    response: Response

    @property
    def trouble(self) -> str:
        """Why there was no answer; empty when there was, or when the caller spoke over it."""
        if self.response.status not in ("failed", "incomplete"):
            return ""
        details = self.response.status_details or StatusDetails()
        error = details.error or Error()
        return error.code or error.type or details.reason or "failed"


ServerEvent = (
    SessionUpdated | ErrorEvent | SpeechStarted | SpeechStopped | Transcribed | NotTranscribed
    | ResponseCreated | AudioDelta | WordsDelta | WordsDone | ItemDone | ResponseDone
)  # fmt: skip


class _Head(msgspec.Struct, frozen=True):
    type: str


_KINDS: tuple[type[ServerEvent], ...] = (
    SessionUpdated, ErrorEvent, SpeechStarted, SpeechStopped, Transcribed, NotTranscribed,
    ResponseCreated, AudioDelta, WordsDelta, WordsDone, ItemDone, ResponseDone,
)  # fmt: skip
_KNOWN = frozenset(kind.__struct_config__.tag for kind in _KINDS)
_head: msgspec.json.Decoder[_Head] = msgspec.json.Decoder(_Head)
_decoder: msgspec.json.Decoder[ServerEvent] = msgspec.json.Decoder(ServerEvent)


def read(body: bytes) -> ServerEvent | None:
    """Return the event, or None for one that doesn't concern us. Raises BrainError."""
    try:
        if _head.decode(body).type not in _KNOWN:
            return None
        return _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as trouble:
        raise BrainError(f"the model sent what can't be read: {trouble}") from trouble
