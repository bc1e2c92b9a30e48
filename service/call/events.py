"""The facts of a call, in the past tense: what the journal holds, one JSON object each.

Every fact is written before anything is done about it. Facts marked *outside* may be written by a
process that doesn't hold the call (the API, a webhook); all others only by the holder of the epoch.

Old and new servers share calls, so a journal may hold what this code doesn't know, at any place:

1.  A kind that is not known reads as `Unknown`: it is kept byte for byte, shown and skipped. So does a
    known kind that can't be read, and one whose `v` is above SCHEMA_VERSION.
2.  A newer version may add a kind. It may add a field with a default, if the default says what was
    meant while there was no such field; an older reader passes over it.
3.  It never renames, removes or retypes a field, and never gives a kind another meaning: old journals
    are read for as long as they live. What has to change gets a new kind. Where an older server would
    do harm by reading the fact as it knows it, SCHEMA_VERSION is raised: then it is skipped there.
4.  What is skipped must not be what an older server needs to hold the call: streams, ends and fences
    stay kinds of version 1.
"""

from typing import Literal

import msgspec

from service.call.facts.fact import SCHEMA_VERSION, Cause, Fact, Status, Unknown, Voice, Who
from service.call.facts.fleet import MovePlanned
from service.call.facts.people import (
    DigitsRequested,
    DigitsSent,
    HandbackRequested,
    HandedBack,
    HangupRequested,
    NoteAdded,
    RestartMissed,
    RestartPlanned,
    SayRequested,
    TakenOver,
    TakeoverRequested,
    TransferRequested,
)
from service.call.facts.private import (
    CollectionBegan,
    CollectionEnded,
    CollectionPassed,
    CollectionRestarted,
    ConsentAsked,
    ConsentDeclined,
    ConsentGiven,
    KeysMasked,
    PayPlanned,
    PrivateFact,
)
from service.call.facts.ring import (
    CallbackDialled,
    CallbackEnded,
    CallbackPlaced,
    CallbackRequested,
    CarriedOn,
    EarlierCarried,
    EarlierDeclined,
    EarlierTaken,
    Proof,
    RingFact,
)
from service.call.facts.talk import (
    LEVEL_STEP_MS,
    AgentContinued,
    AgentSpoke,
    CallerBegan,
    CallerPartlyHeard,
    CallerSilent,
    CallerSpoke,
    DigitPressed,
    DigitsEntered,
    Greeted,
    LevelsMeasured,
    Played,
    SpeechCut,
)
from service.call.facts.tool import (
    OperationApproved,
    OperationDelayed,
    OperationDenied,
    OperationDispatched,
    OperationEnded,
    OperationRequested,
)
from service.call.facts.watch import BranchOrphaned, CallAdopted, StateDiffered, StreamError

__all__ = [  # what is told of elsewhere is read from here, too
    "LEVEL_STEP_MS", "SCHEMA_VERSION", "AgentContinued", "AgentSpoke", "BranchOrphaned", "CallAdopted",
    "CallbackDialled", "CallbackEnded", "CallbackPlaced", "CallbackRequested", "CallerBegan",
    "CallerPartlyHeard", "CallerSilent", "CallerSpoke", "CarriedOn", "Cause", "CollectionBegan",
    "CollectionEnded", "CollectionPassed", "CollectionRestarted", "ConsentAsked", "ConsentDeclined",
    "ConsentGiven", "DigitPressed", "DigitsEntered", "DigitsRequested", "DigitsSent", "EarlierCarried",
    "EarlierDeclined", "EarlierTaken", "Fact", "Greeted", "HandbackRequested", "HandedBack", "HangupRequested",
    "KeysMasked", "LevelsMeasured", "MovePlanned", "NoteAdded", "OperationApproved", "OperationDelayed",
    "OperationDenied", "OperationDispatched", "OperationEnded", "OperationRequested", "PayPlanned", "Played",
    "PrivateFact", "Proof", "RestartMissed", "RestartPlanned", "RingFact", "SayRequested", "SpeechCut", "StateDiffered", "Status",
    "StreamError", "TakenOver", "TakeoverRequested", "TransferRequested", "Unknown", "Voice", "Who",
]  # fmt: skip


class CallOpened(Fact, frozen=True):
    """The phone rang. `parameters` are client_name, company and ticket_id: the server's own copy.

    `continues` names an earlier call of the same matter that was cut off.
    """

    call_sid: str
    from_number: str = ""
    to_number: str = ""
    direction: str = "inbound"
    account_sid: str = ""
    tenant: str = "default"
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
    continues: str = ""


class ParameterRefused(Fact, frozen=True):
    """A stream came back with another value for a parameter; the server's copy stands."""

    name: str
    offered: str


class StreamAttached(Fact, frozen=True):
    """detached -> live. `gap_ms` is the time without inbound media before this stream.

    Of it, `gap_heard_ms` were heard all the same, on a stream that only listens.
    """

    stream_sid: str
    cause: Cause
    gap_ms: int
    server: str
    gap_heard_ms: int = 0


class StreamDetached(Fact, frozen=True):
    """live -> detached. `reason`: stop, closed, idle, left, replaced, restart, shutdown and more."""

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
    """Once all that is to be said has been heard: hang up, or transfer to `to_number`.

    `is_last_resort`: where a transfer can't be done, there is nothing that could be gone on with.
    """

    ending: Literal["hangup", "transfer"]
    to_number: str = ""
    is_last_resort: bool = False


class EndingStarted(Fact, frozen=True):
    """The farewell was heard; the carrier is being asked to end or transfer the call."""


class EndingRefused(Fact, frozen=True):
    """Nobody can be dialled on this line, so the ending that was planned is none; `detail` says why."""

    detail: str


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
    BranchOrphaned | CallAdopted | CallOpened | ParameterRefused | StreamAttached | StreamDetached | StreamError | ContextLost
    | DropLimitReached | PulledBack | Greeted | AgentSpoke | AgentContinued | Played | SpeechCut
    | CallerBegan | CallerPartlyHeard | CallerSpoke | CallerSilent | DigitPressed | DigitsEntered
    | FieldFilled | FieldConfirmed | FieldCleared | StageChanged | TurnAnswered | ResumeTokenKept | OperationRequested
    | OperationApproved | OperationDenied | OperationDispatched | OperationDelayed | OperationEnded
    | DigitsRequested | RestartPlanned | RestartMissed | DigitsSent | SayRequested
    | TransferRequested | HangupRequested | NoteAdded | EndingPlanned | EndingStarted | DialEnded
    | EndingRefused | VoicemailLeft | CallEnded | MovePlanned | RingFact | TakeoverRequested | HandbackRequested
    | TakenOver | HandedBack | LevelsMeasured | PrivateFact | StateDiffered
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
