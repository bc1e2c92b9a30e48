"""A person in the agent's place: they talk to the caller, and the agent owes no answers. Pure.

    free ──asked for──> asked ──the agent fell silent──> taken ──handed back, or unseen for a minute──> free
                          └────── another takes it from whom they see there ──────┘

Who asks first has it: the order of the journal decides, for every reader alike.
"""

import msgspec
from msgspec.structs import replace

UNSEEN_MS_MAX = 60_000  # a console renews every 20 s; three that failed mean that nobody is there


class Seat(msgspec.Struct, frozen=True):
    """Who has the agent's place. `seat` is the random name of their console's tab, `by` their own.

    `is_named` when `by` is the name that their token is of; else it is what they typed.

    `since_ms` is when they asked for it, `seen_ms` when they last showed a sign of life. `is_taken` once
    the agent has fallen silent; `is_leaving` once they asked to hand back.
    """

    by: str
    seat: str
    since_ms: int
    seen_ms: int
    is_taken: bool = False
    is_leaving: bool = False
    is_named: bool = False

    @property
    def unseen_ms(self) -> int:
        """The moment from which on they count as gone."""
        return self.seen_ms + UNSEEN_MS_MAX

    def is_free(self, at_ms: int) -> bool:
        """Whether anybody may take the place at this moment."""
        return self.is_leaving or at_ms >= self.unseen_ms


def asked_for(
    held: Seat | None, *, by: str, seat: str, from_seat: str, at_ms: int, is_named: bool = False
) -> Seat:
    """Return who has the place after somebody asked for it: they, or whoever had it.

    It is theirs when it was free, theirs before, or that of `from_seat`, whom they saw there.
    """
    if held is not None and held.seat == seat:
        return replace(held, seen_ms=max(at_ms, held.seen_ms), is_leaving=False)
    if held is None or held.seat == from_seat or held.is_free(at_ms):
        return Seat(by, seat, at_ms, at_ms, is_named=is_named)
    return held


def seen(held: Seat, at_ms: int) -> Seat:
    """Return the seat after a sign of life of whoever has it."""
    return replace(held, seen_ms=max(at_ms, held.seen_ms))
