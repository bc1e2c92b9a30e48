"""The facts of a call, in the past tense: what the journal holds, one JSON object each.

Every fact is written before anything is done about it. Facts marked *outside* may be written by a
process that doesn't hold the call (the API, a webhook); all others only by the holder of the epoch.

Facts are versioned by `v`. A kind that this code doesn't know reads as `Unknown`: it is kept, shown
and skipped, so that old and new servers can share calls.
"""

from typing import Literal

import msgspec

from service.call.fact import SCHEMA_VERSION, Cause, Fact, Status, Unknown, Voice, Who
from service.call.people_events import (
    DigitsRequested,
    DigitsSent,
    HangupRequested,
    NoteAdded,
    RestartMissed,
    RestartPlanned,
    SayRequested,
    TransferRequested,
)
from service.call.tool_events import (
    OperationApproved,
    OperationDelayed,
    OperationDenied,
    OperationDispatched,
    OperationEnded,
    OperationRequested,
)

__all__ = [  # what is told of elsewhere is read from here, too
    "SCHEMA_VERSION", "Cause", "DigitsRequested", "DigitsSent", "Fact", "HangupRequested",
    "NoteAdded", "OperationApproved", "OperationDelayed", "OperationDenied",
    "OperationDispatched", "OperationEnded", "OperationRequested", "RestartMissed",
    "RestartPlanned", "SayRequested", "Status", "TransferRequested", "Unknown", "Voice", "Who",
]  # fmt: skip


class CallOpened(Fact, frozen=True):
    """The phone rang. `parameters` are client_name, company and ticket_id: the server's own copy."""

    call_sid: str
    from_number: str = ""
    to_number: str = ""
    direction: str = "inbound"
    account_sid: str = ""
    tenant: str = "default"
    parameters: dict[str, str] = msgspec.field(default_factory=dict)


class ParameterRefused(Fact, frozen=True):
    """A stream came back with another value for a parameter; the server's copy stands."""

    name: str
    offered: str


class StreamAttached(Fact, frozen=True):
    """detached -> live. `gap_ms` is the time without inbound media before this stream."""

    stream_sid: str
    cause: Cause
    gap_ms: int
    server: str


class StreamDetached(Fact, frozen=True):
    """live -> detached. `reason`: stop, closed, idle, replaced, restart, shutdown and more."""

    stream_sid: str
    reason: str
    last_media_ms: int


class ContextLost(Fact, frozen=True):
    """A token proved a known call, but its journal was gone or shorter than it should be."""

    reason: str


class DropLimitReached(Fact, frozen=True):
    """Too many drops in a short time; the caller was told so. *Outside*."""

    drops: int


class PulledBack(Fact, frozen=True):
    """The carrier had not come back by itself, so it was asked to, through its REST API."""

    outcome: str


class Greeted(Fact, frozen=True):
    """The greeting was decided on. At most once in a call's life."""

    prompt: str


class AgentSpoke(Fact, frozen=True):
    """A prompt: what we mean to say, in clauses. Heard is another matter (`Played`).

    `asks` names the field the prompt asks for. `who` is "human" for lines that a person typed, and
    `request` then names what they asked. `turn` is the turn it answers, 0 for none. `voice` is
    "model" when a speech-to-speech model says it itself; its words may become known while it is
    heard, and until then the prompt is open.
    """

    prompt: str
    clauses: tuple[str, ...]
    asks: str = ""
    who: Who = "agent"
    request: str = ""
    turn: int = 0
    voice: Voice = "ours"
    is_open: bool = False


class AgentContinued(Fact, frozen=True):
    """More is known of an open prompt: these clauses take the place of those it had."""

    prompt: str
    clauses: tuple[str, ...]
    is_last: bool = False


class Played(Fact, frozen=True):
    """How far a prompt got. All counts in samples of the whole prompt; never claims the unheard.

    `clauses` were heard to their end; of the next one, `part_samples` out of `part_of_samples`, and
    `part_words` whole words of it, or -1 when nobody knows.
    """

    prompt: str
    clauses: int
    part_samples: int = 0
    part_of_samples: int = 0
    part_words: int = -1
    synthesised_samples: int = 0
    sent_samples: int = 0
    heard_samples: int = 0


class SpeechCut(Fact, frozen=True):
    """The rest of a prompt was given up. `reason`: barge_in, key, replaced, lost.

    "lost" is a model's own speech whose audio went with its process: the model is asked to go on.
    """

    prompt: str
    reason: str


class CallerBegan(Fact, frozen=True):
    """The caller began to speak."""


class CallerPartlyHeard(Fact, frozen=True):
    """What the caller has said so far; the utterance goes on."""

    text: str


class CallerSpoke(Fact, frozen=True):
    """The caller said something.

    `partial`: the stream went before the utterance ended. `backchannel`: an "mm-hm" over our words,
    which asks for no answer. `before` names the prompt that already answers it: a speech-to-speech
    model may write down what it heard after it answered.
    """

    text: str
    confidence_milli: int = 1000
    duration_ms: int = 0
    partial: bool = False
    backchannel: bool = False
    before: str = ""


class CallerSilent(Fact, frozen=True):
    """We asked, and nobody answered for a while."""


class DigitPressed(Fact, frozen=True):
    """The caller pressed one key."""

    digit: str


class DigitsEntered(Fact, frozen=True):
    """A row of keys is complete: by `#`, or by a pause."""

    digits: str
    ended_by: str


class FieldFilled(Fact, frozen=True):
    """An answer was understood. `source`: directory, speech, keys, tool or human.

    `confidence_milli` is how sure the agent is, 0 to 1,000.
    """

    name: str
    value: str
    source: str
    confidence_milli: int = 1000


class FieldConfirmed(Fact, frozen=True):
    """The caller said that the value is right."""

    name: str


class FieldCleared(Fact, frozen=True):
    """The caller said that the value is wrong."""

    name: str


class StageChanged(Fact, frozen=True):
    """The conversation entered another stage."""

    stage: str


class TurnAnswered(Fact, frozen=True):
    """The agent has answered this turn; its acts stand in the same write."""

    turn: int


class ResumeTokenKept(Fact, frozen=True):
    """A speech-to-speech model's own handle of the conversation; only the model can read it."""

    token: bytes


class EndingPlanned(Fact, frozen=True):
    """Once all that is to be said has been heard: hang up, or transfer to `to_number`."""

    ending: Literal["hangup", "transfer"]
    to_number: str = ""


class EndingStarted(Fact, frozen=True):
    """The farewell was heard; the carrier is being asked to end or transfer the call."""


class DialEnded(Fact, frozen=True):
    """How the dialling of a human ended: the carrier's word for it. *Outside*."""

    outcome: str


class VoicemailLeft(Fact, frozen=True):
    """The caller left a message because nobody answered. `url` is the carrier's recording. *Outside*."""

    url: str
    duration_ms: int = 0


class CallEnded(Fact, frozen=True):
    """live, detached or ringing -> ended. *Outside* when a status callback says so."""

    reason: str


Known = (
    CallOpened | ParameterRefused | StreamAttached | StreamDetached | ContextLost
    | DropLimitReached | PulledBack | Greeted | AgentSpoke | AgentContinued | Played | SpeechCut
    | CallerBegan | CallerPartlyHeard | CallerSpoke | CallerSilent | DigitPressed | DigitsEntered
    | FieldFilled | FieldConfirmed | FieldCleared | StageChanged | TurnAnswered | ResumeTokenKept | OperationRequested
    | OperationApproved | OperationDenied | OperationDispatched | OperationDelayed | OperationEnded
    | DigitsRequested | RestartPlanned | RestartMissed | DigitsSent | SayRequested
    | TransferRequested | HangupRequested | NoteAdded | EndingPlanned | EndingStarted | DialEnded
    | VoicemailLeft | CallEnded
)  # fmt: skip
AnyFact = Known | Unknown

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Known] = msgspec.json.Decoder(Known)


def encode(fact: AnyFact) -> bytes:
    """Return the fact's JSON."""
    return fact.body if isinstance(fact, Unknown) else _encoder.encode(fact)


def decode(body: bytes) -> AnyFact:
    """Read one fact. Whatever this code can't read is `Unknown`; nothing raises but broken JSON."""
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError:
        parsed = msgspec.json.decode(body)
        kind = parsed.get("kind", "") if isinstance(parsed, dict) else ""
        return Unknown(kind=str(kind), body=body)
