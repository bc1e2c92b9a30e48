"""What happens under seal, as `decide` is told it: that keys came, never which."""

from typing import Literal

import msgspec

from service.call.events import Played
from service.call.privacy import Outcome


class Sealed(msgspec.Struct, frozen=True):
    """`count` digits came, by key or by voice. `fits`: with them it may be the whole number.

    After what `is_spoken` the caller has fallen silent.

    `mark`: "end" for the hash key, "star" when the caller begins again, "drop" when the digits before
    these are not in this process any more.
    """

    count: int
    fits: bool = False
    mark: Literal["", "end", "star", "drop"] = ""
    played: tuple[Played, ...] = ()
    is_spoken: bool = False


class Collected(msgspec.Struct, frozen=True):
    """The sink's answer to the number of one round."""

    collection: str
    round: int
    outcome: Outcome
    reference: str = ""
    detail: str = ""


class PayAsked(msgspec.Struct, frozen=True):
    """The carrier's answer to our asking it to collect the number of one round."""

    collection: str
    round: int
    outcome: Literal["asked", "failed", "call_gone"]
    detail: str = ""


class AskPay(msgspec.Struct, frozen=True):
    """Have the carrier collect the number of this round itself, while it has the call."""

    collection: str
    round: int


class PassOn(msgspec.Struct, frozen=True):
    """Pass the number of this round to the sink, and forget it."""

    collection: str
    field: str
    round: int
