"""What is known of a call: the fold of its facts, and nothing else.

    state = fold(fold(fold(None, record 1), record 2), record 3) …

Pure and deterministic: the same journal gives the same state on any process and any backend.
The folding itself is in folds; here stand the nouns.
"""

from typing import Any, Literal

import msgspec

from service.call.afterwards import Afterwards
from service.call.callback import Callback
from service.call.earlier import Earlier
from service.call.events import Cause, Status, Voice, Who
from service.call.privacy import Privacy
from service.call.seat import Seat

LEFT = "left"  # why a stream is gone whose page was: a reload, a closed tab, another address
NO_DROPS = ("restart", "shutdown", LEFT)  # ends of a stream that say nothing against the line
FROM_PAGE = "browser"  # the direction of a call that came by no phone line

Phase = Literal["ringing", "live", "detached", "ended"]
Reason = Literal["opening", "speech", "keys", "silence", "operation", "cut", "context_lost", "earlier", "collected"]  # fmt: skip


class Field(msgspec.Struct, frozen=True):
    """One answer of the caller."""

    value: str
    confirmed: bool = False
    source: str = ""
    confidence_milli: int = 1000
    at_ms: int = 0


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line of the transcript. For our own lines `heard` is what the caller really heard."""

    position: int
    who: Who
    text: str
    heard: str
    cut: bool
    at_ms: int


class StreamEntry(msgspec.Struct, frozen=True):
    """One media stream in the life of the call."""

    stream_sid: str
    epoch: int
    cause: Cause
    gap_ms: int
    attached_ms: int
    detached_ms: int | None = None
    reason: str = ""
    last_media_ms: int = 0
    is_broken: bool = False  # as the carrier says, while we did not know that it is gone
    gap_heard_ms: int = 0
    pulled_ms: int = 0  # when the carrier was last asked to come back after it, 0 for never


class Prompt(msgspec.Struct, frozen=True):
    """A prompt that is not done with: `clauses_heard` of its clauses were heard to their end.

    They lasted `done_samples`; with the heard part of the next clause it is `heard_samples`. More
    clauses may follow while it is open.
    """

    prompt: str
    position: int
    clauses: tuple[str, ...]
    clauses_heard: int = 0
    heard_samples: int = 0
    done_samples: int = 0
    asks: str = ""
    turn: int = 0
    voice: Voice = "ours"
    is_open: bool = False


class Playback(msgspec.Struct, frozen=True):
    """The last known pointers of the last prompt, in samples."""

    prompt: str = ""
    generated_samples: int = 0
    synthesised_samples: int = 0
    sent_samples: int = 0
    heard_samples: int = 0


class Turn(msgspec.Struct, frozen=True):
    """Something the agent owes an answer to. `earlier` is a half utterance that a drop cut off.

    "cut": a model's speech was lost with its process, and it is to go on from what was heard.
    "earlier": an earlier call was found that the caller may want to go on with, or is gone on with.
    "collected": a number was passed on under seal, or could not be; `call.privacy.collected` tells.
    `said` is what was generated for it, `operations` are those whose end nobody told the caller yet.
    """

    number: int
    reason: Reason
    text: str = ""
    earlier: str = ""
    said: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    position: int = 0


class Operation(msgspec.Struct, frozen=True):
    """A tool at work for this call, or done. All `_ms` are moments, 0 for none.

    `approval` is "asked" while a person is to decide. `is_running` from dispatch to answer.
    `result` is JSON. `told_turn` is the turn in whose answer the end could be told, 0 for none yet;
    `turn` is the turn that asked for it, 0 when our own rules did.
    """

    operation: str
    tool: str
    arguments: dict[str, Any]
    turn: int
    is_idempotent: bool
    attempts_max: int
    deadline_ms: int
    status: Status = "pending"
    attempts: int = 0
    approval: Literal["", "asked", "granted"] = ""
    approval_ms: int = 0
    is_running: bool = False
    retry_ms: int = 0
    result: str = ""
    detail: str = ""
    told_turn: int = 0
    requested_ms: int = 0
    ended_position: int = 0


class Request(msgspec.Struct, frozen=True):
    """Something a person asked for that is not done yet."""

    request: str
    kind: Literal["digits", "say", "transfer", "hangup"]
    value: str = ""
    is_started: bool = False


class Note(msgspec.Struct, frozen=True):
    """A person's note."""

    position: int
    text: str
    by: str
    at_ms: int


class Folded(msgspec.Struct):
    """Everything that is known of one phone call: a Call, which stands, or a Draft, which is being folded."""

    call_sid: str = ""
    tenant: str = "default"
    phase: Phase = "ringing"
    stage: str = ""
    epoch: int = 0
    position: int = 0
    from_number: str = ""
    to_number: str = ""
    direction: str = "inbound"
    account_sid: str = ""
    parameters: dict[str, str] = {}
    opened_ms: int = 0
    updated_ms: int = 0
    ended_ms: int | None = None
    end_reason: str = ""

    is_greeted: bool = False
    is_context_lost: bool = False
    fields: dict[str, Field] = {}
    asked: str = ""
    asks: int = 0
    silences: int = 0
    digits_pending: str = ""
    digit_ms: int = 0
    is_caller_speaking: bool = False
    half_text: str = ""
    partial_text: str = ""
    turn: Turn | None = None
    turns: int = 0
    heard_turn: int = 0

    prompts: tuple[Prompt, ...] = ()
    prompts_made: int = 0
    playback: Playback = Playback()
    transcript: tuple[Line, ...] = ()
    streams: tuple[StreamEntry, ...] = ()
    planned_cause: Cause | None = None
    planned_ms: int = 0
    requests: tuple[Request, ...] = ()
    operations: tuple[Operation, ...] = ()
    notes: tuple[Note, ...] = ()
    taken_over: Seat | None = None
    resume_token: bytes = b""
    ending: Literal["", "hangup", "transfer"] = ""
    ending_to: str = ""
    is_ending_started: bool = False
    is_last_resort: bool = False  # where the ending can't be had, the call ends all the same
    afterwards: Afterwards = Afterwards()

    continues: str = ""
    earlier: Earlier | None = None
    carried_on: str = ""
    callback: Callback | None = None
    is_drop_limited: bool = False
    privacy: Privacy = Privacy()
    orphaned: int = 0  # facts that another owner's claim kept out of this journal
    is_greeted_apart: bool = False  # by one of those facts: the caller heard it all the same

    @property
    def customer_number(self) -> str:
        """The other side's number: who called us, or whom we called."""
        return self.to_number if self.direction.startswith("outbound") else self.from_number

    @property
    def our_number(self) -> str:
        """Our side's number."""
        return self.from_number if self.direction.startswith("outbound") else self.to_number

    @property
    def is_from_page(self) -> bool:
        """Whether a page made the call: it has no number, and nobody can be dialled from it."""
        return self.direction == FROM_PAGE

    def is_known(self) -> bool:
        """Whether anything was ever said or attached: a known call resumes, a new one is greeted."""
        return bool(self.streams) or self.is_greeted

    def is_opened_apart(self) -> bool:
        """Whether the caller was greeted, and only in a branch that is lost: nobody knows what was said."""
        return self.is_greeted_apart and not self.is_greeted

    def pending(self) -> tuple[Operation, ...]:
        """Return the operations without a final state."""
        return tuple(one for one in self.operations if one.status == "pending")

    def is_broken(self) -> bool:
        """Whether the carrier says of the last stream that it broke, and its holder did not write so yet."""
        last = self.streams[-1] if self.streams else None
        return last is not None and last.is_broken and last.detached_ms is None

    def drops_since(self, since_ms: int) -> int:
        """Count the streams that were lost (not restarted on purpose, or left) at or after `since_ms`.

        One that was replaced was lost if its successor says so: nobody noticed before.
        """
        causes: list[Cause | None] = [stream.cause for stream in self.streams[1:]]
        return sum(
            1
            for stream, cause in zip(self.streams, [*causes, None], strict=False)
            if stream.detached_ms is not None
            and stream.detached_ms >= since_ms
            and stream.reason not in NO_DROPS
            and (stream.reason != "replaced" or cause in ("drop", "crash"))
        )


class Call(Folded, frozen=True):  # type: ignore[misc] # what is folded changes; what stands doesn't
    """Everything that is known of one phone call, at one position of its journal."""
