"""What a journal gives and takes: records, claims, leases, and how a write ended.

Losing a race is a value here, not an exception.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

RECORD_BYTES_MAX = 262_144  # one fact; a turn of speech is under 2 KiB, so this is an attack
CALL_BYTES_MAX = (
    67_108_864  # of all bodies of a call; RECORDS_MAX facts of 1.3 KiB, and few have that
)
RECORDS_MAX = 51_200  # per call; the figure where comparable event-sourced systems stop
BOUNDS = (RECORDS_MAX, CALL_BYTES_MAX)


class Durability(StrEnum):
    """What an acknowledgement means."""

    MEMORY = "memory"  # gone with the process that holds it: a test's store, a Redis without AOF
    BUFFERED = (
        "buffered"  # survives that process; power loss may cost the last second (AOF everysec)
    )
    LOCAL = "local"  # on this machine's disk, fsynced
    REPLICA = "replica"  # held by at least one replica (Redis WAIT)


class Record(msgspec.Struct, frozen=True, gc=False):
    """One fact at its place. `body` is the fact's JSON; `epoch` is 0 for writers that hold no stream."""

    position: int
    epoch: int
    at_ms: int
    body: bytes


class Snapshot(msgspec.Struct, frozen=True):
    """The folded state as of `position`, so that a long call resumes without reading it all."""

    position: int
    body: bytes


class Known(msgspec.Struct, frozen=True):
    """How much of a call its claimer has folded already, so that a claim need not bring it again."""

    incarnation: str
    position: int

    def stands_in(self, incarnation: str, head: int) -> bool:
        """Say whether this is still the beginning of a journal of that incarnation, so long."""
        return self.incarnation == incarnation and 0 < self.position <= head


class Claim(msgspec.Struct, frozen=True):
    """A call taken: the new fence, and all that is known. `records` follow the snapshot.

    `since` is the position that the claimer knew: the records follow that, and there is no snapshot.
    When it is 0, the claimer knew nothing that still stands, and snapshot and records are all.

    `is_new` says that this very claim opened the journal: nothing was there. A call that a webhook
    opened before is not new; that it was never claimed yet shows in `epoch` 1.
    """

    epoch: int
    incarnation: str
    is_new: bool
    snapshot: Snapshot | None
    records: tuple[Record, ...]
    lease: "Lease | None" = None  # the hold of the owner before, if one was ever taken
    since: int = 0

    @property
    def head(self) -> int:
        """The position up to which everything is known to the claimer now."""
        if self.records:
            return self.records[-1].position
        return self.snapshot.position if self.snapshot else self.since


class Lease(msgspec.Struct, frozen=True):
    """Who holds the call, and until when if nothing renews it."""

    owner: str
    epoch: int
    renewed_ms: int
    until_ms: int


class Appended(msgspec.Struct, frozen=True):
    """The write is acknowledged; `position` is that of its last record."""

    position: int
    durability: Durability
    repeated: bool = False  # the key was used before: this is the first write's answer


class Fenced(msgspec.Struct, frozen=True):
    """A newer owner holds the call; nothing was written."""

    epoch: int


class Behind(msgspec.Struct, frozen=True):
    """Somebody outside (a note, a callback) wrote meanwhile; nothing was written. Read on, try again."""

    head: int


class Missing(msgspec.Struct, frozen=True):
    """The journal holds no such call: never opened, erased, or expired."""


class NotDurable(msgspec.Struct, frozen=True):
    """Written, but not as safely as asked. Repeat with the same key until it is."""

    position: int


class Full(msgspec.Struct, frozen=True):
    """The call has RECORDS_MAX records or CALL_BYTES_MAX bytes; nothing was written."""


class Rebased(msgspec.Struct, frozen=True):
    """Your records stand at other positions now: fold anew from the first."""


class Reset(msgspec.Struct, frozen=True):
    """To a tail: your position means nothing any more; start again from 0 of this incarnation."""

    incarnation: str


class Gone(msgspec.Struct, frozen=True):
    """To a tail: the call was erased or has expired."""


class Headline(msgspec.Struct, frozen=True):
    """A call in a list: how far it got and who holds it."""

    call_sid: str
    incarnation: str
    epoch: int
    head: int
    lease: Lease | None
    expires_ms: int


class Room(msgspec.Struct, frozen=True):
    """How many bytes the calls take in the store; those that are over, the oldest first, with their bodies' bytes."""

    used: int
    over: tuple[tuple[str, int], ...]


class Reading(msgspec.Struct, frozen=True):
    """What `read` found: records after the asked position, in order.

    `branch` names what the last of them stand on while the store does not have them: they may come to
    stand at other positions. It is empty when every position is final.
    """

    incarnation: str
    epoch: int
    head: int
    snapshot: Snapshot | None
    records: tuple[Record, ...]
    branch: str = ""


class Spent(msgspec.Struct, frozen=True):
    """A stream token was accepted: its first use (`uses` 1) or a bounded redial (2 and up)."""

    uses: int


class Unspendable(msgspec.Struct, frozen=True):
    """A stream token was used before by another stream, too often, or too long ago."""

    reason: str


# Told of news of a call: how far it goes at least, if that is known.
Ear = Callable[[int | None], None]
Outcome = Appended | Fenced | Behind | Missing | NotDurable | Full | Rebased
