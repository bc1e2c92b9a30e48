"""The facts of calls that belong together: one that was cut off, and the one that goes on with it.

the earlier call:  … callback requested ──> dialled ──> placed ──> ended        carried on
the later call:    opened (continues) + earlier carried ──> taken | declined
"""

from typing import Any, Literal

import msgspec

from service.call.facts.fact import Fact, Status, Who

Proof = Literal["number", "ticket", "callback"]


class CarriedField(msgspec.Struct, frozen=True):
    """An answer as it stood in the earlier call."""

    value: str
    confirmed: bool = False
    source: str = ""
    confidence_milli: int = 1000
    at_ms: int = 0


class CarriedLine(msgspec.Struct, frozen=True):
    """A line of the earlier talk; of our own, what was heard."""

    who: Who
    text: str


class CarriedTool(msgspec.Struct, frozen=True):
    """What a tool was asked in the earlier call, and how that stood at its end. `result` is JSON."""

    tool: str
    arguments: dict[str, Any]
    status: Status
    result: str = ""
    detail: str = ""


class EarlierCarried(Fact, frozen=True):
    """An earlier call was cut off, and this one may go on with it; the caller has not been asked yet.

    `by` says what speaks for its being the same matter: the caller's number, their ticket, or that we
    rang them back. `fields`, `asked` and the rest are how the earlier call stood at its end.
    """

    call_sid: str
    by: Proof
    ended_ms: int
    fields: dict[str, CarriedField] = msgspec.field(default_factory=dict)
    stage: str = ""
    asked: str = ""
    transcript: tuple[CarriedLine, ...] = ()
    tools: tuple[CarriedTool, ...] = ()


class EarlierTaken(Fact, frozen=True):
    """The caller goes on with the earlier call. `is_stale`: so long after that all is confirmed again."""

    is_stale: bool = False


class EarlierDeclined(Fact, frozen=True):
    """The caller begins afresh; nothing of the earlier call is told any more."""


class CarriedOn(Fact, frozen=True):
    """Another call goes on with this one, which was cut off. The first of them only. *Outside*."""

    call_sid: str


class CallbackRequested(Fact, frozen=True):
    """The caller is to be rung back: as the last resort's rule says, or a person. *Outside*, too."""

    by: Literal["rule", "person"]


class CallbackDialled(Fact, frozen=True):
    """The carrier is about to be asked to ring the caller, for the `attempt`-th time. *Outside*."""

    attempt: int


class CallbackPlaced(Fact, frozen=True):
    """The carrier rings the caller, in a call of this name. *Outside*."""

    attempt: int
    call_sid: str


class CallbackEnded(Fact, frozen=True):
    """An attempt reached nobody: the carrier's word for it. *Outside*."""

    attempt: int
    outcome: str


RingFact = (
    EarlierCarried | EarlierTaken | EarlierDeclined | CarriedOn | CallbackRequested | CallbackDialled
    | CallbackPlaced | CallbackEnded
)  # fmt: skip
