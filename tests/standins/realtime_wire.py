"""What a client may say to OpenAI Realtime: each event with exactly its fields. Nothing else is taken.

From https://platform.openai.com/docs/api-reference/realtime-client-events, as far as we use it.
"""

import base64
import binascii
from typing import Any, Literal

import msgspec

CALL_LETTERS_MAX = 64


class Refusal(Exception):
    """What the client asks is not possible."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Format(_Strict, frozen=True):
    type: Literal["audio/pcmu"]


class Transcription(_Strict, frozen=True):
    model: str


class Detection(_Strict, frozen=True):
    type: Literal["server_vad"]
    create_response: bool = True
    interrupt_response: bool = True
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    threshold: float = 0.5


class Input(_Strict, frozen=True):
    format: Format
    transcription: Transcription
    turn_detection: Detection


class Output(_Strict, frozen=True):
    format: Format
    voice: str


class Audio(_Strict, frozen=True):
    input: Input
    output: Output


class Tool(_Strict, frozen=True):
    type: Literal["function"]
    name: str
    description: str
    parameters: dict[str, Any]


class SessionSettings(_Strict, frozen=True):
    type: Literal["realtime"]
    audio: Audio
    model: str = ""
    output_modalities: tuple[Literal["audio"], ...] = ("audio",)
    instructions: str = ""
    tools: list[Tool] = []
    tool_choice: str = "auto"


class SessionUpdate(_Strict, frozen=True, tag="session.update"):
    session: SessionSettings
    event_id: str | None = None


class Append(_Strict, frozen=True, tag="input_audio_buffer.append"):
    audio: str
    event_id: str | None = None


class Content(_Strict, frozen=True):
    type: Literal["input_text", "output_text"]
    text: str


class Item(_Strict, frozen=True, omit_defaults=True):
    """A message, a call of a function, or its answer; `check` tells them apart."""

    type: Literal["message", "function_call", "function_call_output"]
    role: Literal["user", "assistant", "system", ""] = ""
    content: list[Content] = []
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    output: str | None = None

    @property
    def words(self) -> str:
        return " ".join(part.text for part in self.content) or self.output or self.arguments

    def check(self, calls: set[str]) -> None:
        """Raise Refusal unless the fields are those of the item's kind."""
        given = {name for name in msgspec.to_builtins(self) if name != "type"}
        wanted = {
            "message": {"role", "content"},
            "function_call": {"call_id", "name", "arguments"},
            "function_call_output": {"call_id", "output"},
        }[self.type]
        if given != wanted:
            raise Refusal("invalid_value", f"{self.type} has {wanted}, not {given}")
        if self.type == "message":
            kind = "output_text" if self.role == "assistant" else "input_text"
            if any(part.type != kind for part in self.content):
                raise Refusal("invalid_value", f"{self.role} says {kind}")
        if self.type == "function_call_output" and self.call_id not in calls:
            raise Refusal("invalid_value", f"there is no call {self.call_id}")
        if self.type == "function_call" and not isinstance(
            msgspec.json.decode(self.arguments), dict
        ):
            raise Refusal("invalid_value", "arguments are a JSON object")
        if len(self.call_id) > CALL_LETTERS_MAX:
            raise Refusal("string_above_max_length", "call_id is too long")


class ItemCreate(_Strict, frozen=True, tag="conversation.item.create"):
    item: Item
    event_id: str | None = None


class Truncate(_Strict, frozen=True, tag="conversation.item.truncate"):
    item_id: str
    content_index: int
    audio_end_ms: int
    event_id: str | None = None


class ResponseSettings(_Strict, frozen=True):
    instructions: str = ""


class ResponseCreate(_Strict, frozen=True, tag="response.create"):
    response: ResponseSettings | None = None
    event_id: str | None = None


class ResponseCancel(_Strict, frozen=True, tag="response.cancel"):
    event_id: str | None = None


ClientEvent = SessionUpdate | Append | ItemCreate | Truncate | ResponseCreate | ResponseCancel
_decoder: msgspec.json.Decoder[ClientEvent] = msgspec.json.Decoder(ClientEvent)


def read(message: str | bytes) -> ClientEvent:
    """Return the event. Raises msgspec.DecodeError for whatever the real server would not take."""
    return _decoder.decode(message)


def audio(coded: str) -> bytes:
    """Return the audio. Raises Refusal when it is no base64, or empty."""
    try:
        ulaw = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError) as trouble:
        raise Refusal("invalid_value", "audio is no base64") from trouble
    if not ulaw:
        raise Refusal("invalid_value", "there is no audio")
    return ulaw
