"""What can happen to a call, as `decide` is told it; and what `decide` wants done about it.

Inputs come from the stream, the speech engines, the agent, the carrier's REST API and the clock.
Effects are done by the session only after the facts beside them are written. What is to be said, and
which turn the agent owes an answer to, are no effects: they stand in the state itself.
"""

from typing import Literal

import msgspec

from service.call.acts import Act
from service.call.events import Known, Played

Door = Literal["voice", "resume", "redial"]


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """A stream took the call. `door` is where its token was issued.

    `running` names the requests whose REST call is still under way in this process. `lost` is set
    when a token proves a known call whose journal isn't there.
    """

    stream_sid: str
    door: Door
    server: str
    gap_ms: int
    is_live_here: bool = False
    parameters: dict[str, str] = {}
    running: tuple[str, ...] = ()
    lost: str = ""


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


class Utterance(msgspec.Struct, frozen=True):
    """The caller said something; `text` is empty when it was not understood."""

    text: str
    confidence_milli: int = 1000
    duration_ms: int = 0
    is_partial: bool = False


class Key(msgspec.Struct, frozen=True):
    """The caller pressed a key."""

    digit: str
    played: tuple[Played, ...] = ()


class Answered(msgspec.Struct, frozen=True):
    """The agent answered a turn."""

    turn: int
    acts: tuple[Act, ...]


class DigitsDone(msgspec.Struct, frozen=True):
    """The carrier's answer to our sending DTMF."""

    request: str
    outcome: Literal["sent", "failed", "call_gone"]
    detail: str = ""


class EndingDone(msgspec.Struct, frozen=True):
    """The carrier's answer to our ending or transferring the call."""

    is_gone: bool
    detail: str = ""


class CarrierSays(msgspec.Struct, frozen=True):
    """What the carrier answered when asked about a detached call: over, or pulled back."""

    is_over: bool
    outcome: str


class Woke(msgspec.Struct, frozen=True):
    """The deadline that `deadline_ms` named has come."""


class Settle(msgspec.Struct, frozen=True):
    """Facts were folded, ours or others': see what follows from the state."""


Input = (
    Attached | Detached | Progress | SpeechBegan | BargedIn | Utterance | Key | Answered
    | DigitsDone | EndingDone | CarrierSays | Woke | Settle
)  # fmt: skip


class PlayDigits(msgspec.Struct, frozen=True):
    """Restart the stream with DTMF in between."""

    request: str
    digits: str


class EndCall(msgspec.Struct, frozen=True):
    """Hang up through the carrier's REST API, before any socket is closed."""


class TransferCall(msgspec.Struct, frozen=True):
    """Let the carrier dial a human."""

    to_number: str


class AskCarrier(msgspec.Struct, frozen=True):
    """Ask whether the call lives; if it does, have it come back to us."""


class LastResort(msgspec.Struct, frozen=True):
    """Too many drops: apologise through the carrier itself, then a human or the end."""


Effect = PlayDigits | EndCall | TransferCall | AskCarrier | LastResort


class Decision(msgspec.Struct, frozen=True):
    """What to write, then what to do."""

    facts: tuple[Known, ...] = ()
    effects: tuple[Effect, ...] = ()
