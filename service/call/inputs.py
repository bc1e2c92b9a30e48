"""What can happen to a call, as `decide` is told it; and what `decide` wants done about it.

Inputs come from the stream, the speech engines, the agent, the carrier's REST API and the clock.
Effects are done by the session only after the facts beside them are written. What is to be said, and
which turn the agent owes an answer to, are no effects: they stand in the state itself.
"""

from typing import Any, Literal

import msgspec

from service.call.acts import Act
from service.call.events import EarlierCarried, Known, Played
from service.call.person_inputs import PersonBegan, PersonMissed
from service.call.private_inputs import AskPay, Collected, PassOn, PayAsked, Sealed

Door = Literal["voice", "resume", "redial"]


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """A stream took the call. `door` is where its token was issued.

    `gap_heard_ms` of the gap were heard on another stream.
    `running` names the requests and operations that are still under way in this process.
    `is_held_here` tells that this process held the call before, with its ear. Until `lease_ms` an
    earlier holder may still be at work. `lost` is set when a token proves a known call whose journal
    isn't there.
    """

    stream_sid: str
    door: Door
    server: str
    gap_ms: int
    gap_heard_ms: int = 0
    is_live_here: bool = False
    parameters: dict[str, str] = {}
    running: tuple[str, ...] = ()
    is_held_here: bool = False
    lease_ms: int = 0
    lost: str = ""


IDLE = "idle"  # why a stream is gone of which nothing came any more


class Detached(msgspec.Struct, frozen=True):
    """The stream is gone. `played` is how far each prompt got."""

    stream_sid: str
    reason: str
    last_media_ms: int
    played: tuple[Played, ...] = ()


class Progress(msgspec.Struct, frozen=True):
    """The caller heard something to its end."""

    played: tuple[Played, ...]


class SpeechBegan(msgspec.Struct, frozen=True):
    """The caller began to speak."""


class BargedIn(msgspec.Struct, frozen=True):
    """The caller speaks over us, and means it."""

    played: tuple[Played, ...] = ()


class PartlyHeard(msgspec.Struct, frozen=True):
    """The caller has said so much; the utterance goes on."""

    text: str


class Utterance(msgspec.Struct, frozen=True):
    """The caller said something; `text` is empty when it was not understood.

    `played` is how far our own words had got by then. What `is_sealed` may decide, and is not written.
    """

    text: str
    confidence_milli: int = 1000
    duration_ms: int = 0
    is_partial: bool = False
    played: tuple[Played, ...] = ()
    is_sealed: bool = False


class Measured(msgspec.Struct, frozen=True):
    """How loud both sides were; see LevelsMeasured."""

    at_ms: int
    caller: str
    ours: str


class Key(msgspec.Struct, frozen=True):
    """The caller pressed a key."""

    digit: str
    played: tuple[Played, ...] = ()


class Answered(msgspec.Struct, frozen=True):
    """The agent answered a turn, wholly or (`is_last` unset) with words that more will follow."""

    turn: int
    acts: tuple[Act, ...]
    is_last: bool = True


class OperationDone(msgspec.Struct, frozen=True):
    """How one attempt of an operation went. "unanswered": nobody can know whether it acted.

    `retry_after_ms` is how long the tool asked us to wait, 0 when it didn't.
    """

    operation: str
    attempt: int
    outcome: Literal["succeeded", "failed", "unanswered"]
    result: str = ""
    detail: str = ""
    may_retry: bool = False
    retry_after_ms: int = 0


class ModelSpoke(msgspec.Struct, frozen=True):
    """A speech-to-speech model begins to answer: its first audio is here, with `text` as far as known."""

    prompt: str
    text: str


class ModelContinued(msgspec.Struct, frozen=True):
    """So much is known of what the model is saying."""

    prompt: str
    text: str
    is_last: bool


class ModelLost(msgspec.Struct, frozen=True):
    """The audio of a model's prompt is not here: it went with the process that had it."""

    prompt: str


class ModelCalled(msgspec.Struct, frozen=True):
    """The model wants a tool to work; `operation` is its own name for the call."""

    operation: str
    tool: str
    arguments: dict[str, Any]


class ModelActed(msgspec.Struct, frozen=True):
    """The model did something else; `is_answer` when that was all its answer."""

    acts: tuple[Act, ...]
    is_answer: bool = False


class ModelAway(msgspec.Struct, frozen=True):
    """The model can't be reached; meanwhile our own voice says `text`."""

    text: str


class Transcribed(msgspec.Struct, frozen=True):
    """What the model heard the caller say. `before` names the prompt that already answers it."""

    text: str
    duration_ms: int = 0
    before: str = ""


class TokenGiven(msgspec.Struct, frozen=True):
    """The model gave a handle to come back with."""

    token: bytes


class DigitsDone(msgspec.Struct, frozen=True):
    """The carrier's answer to our sending DTMF."""

    request: str
    outcome: Literal["sent", "failed", "call_gone"]
    detail: str = ""


class EndingDone(msgspec.Struct, frozen=True):
    """The carrier's answer to our ending or transferring the call."""

    is_gone: bool
    detail: str = ""


class EndingImpossible(msgspec.Struct, frozen=True):
    """On this line nobody can be dialled, and no message be left; nothing was done."""

    detail: str


class CarrierSays(msgspec.Struct, frozen=True):
    """What the carrier answered when asked about a detached call: over, or pulled back."""

    is_over: bool
    outcome: str


class Move(msgspec.Struct, frozen=True):
    """This server is going down: another one is to take the call.

    `is_alone`: no other server answers, so the carrier is to wait until this one is back.
    """

    is_alone: bool = False


class EarlierFound(msgspec.Struct, frozen=True):
    """A call about the ticket that the caller named was cut off, and may be gone on with."""

    carried: EarlierCarried


class Woke(msgspec.Struct, frozen=True):
    """The deadline that `deadline_ms` named has come."""


class Settle(msgspec.Struct, frozen=True, omit_defaults=True):
    """Facts were folded, ours or others': see what follows from the state.

    `played` is how far our own words had got by then, for a person who asks for the agent's place.
    """

    played: tuple[Played, ...] = ()


FromModel = ModelSpoke | ModelContinued | ModelLost | ModelCalled | ModelActed | ModelAway | Transcribed | TokenGiven  # fmt: skip
Input = (
    Attached | Detached | Progress | Measured | SpeechBegan | PartlyHeard | BargedIn | Utterance | Key | Answered
    | OperationDone | FromModel | DigitsDone | EndingDone | EndingImpossible | CarrierSays | EarlierFound
    | PersonBegan | PersonMissed | Sealed | Collected | PayAsked | Move | Woke | Settle
)  # fmt: skip


class PlayDigits(msgspec.Struct, frozen=True):
    """Restart the stream with DTMF in between."""

    request: str
    digits: str


class Operate(msgspec.Struct, frozen=True):
    """Have a tool work. `key` is the same for each attempt of an operation."""

    operation: str
    attempt: int
    tool: str
    arguments: dict[str, Any]
    key: str
    deadline_ms: int
    is_idempotent: bool


class EndCall(msgspec.Struct, frozen=True):
    """Hang up through the carrier's REST API, before any socket is closed."""


class TransferCall(msgspec.Struct, frozen=True):
    """Let the carrier dial a human."""

    to_number: str


class MoveCall(msgspec.Struct, frozen=True):
    """Have the carrier lead the call to another server, or wait for this one when it `is_alone`."""

    is_alone: bool


class AskCarrier(msgspec.Struct, frozen=True):
    """Ask whether the call lives; if it does, have it come back to us."""


class LastResort(msgspec.Struct, frozen=True):
    """Too many drops: apologise through the carrier itself, then a human or the end."""


CarrierEffect = PlayDigits | AskPay | EndCall | TransferCall | MoveCall | AskCarrier | LastResort
Effect = CarrierEffect | Operate | PassOn


class Decision(msgspec.Struct, frozen=True):
    """What to write, then what to do."""

    facts: tuple[Known, ...] = ()
    effects: tuple[Effect, ...] = ()
