"""What waits for the store, one entry a write, as it is kept on the shelf.

An entry holds all that is needed to do it again, by this process or by the one that finds its file:
the key that makes a repetition harmless, and the time at which it really happened.
"""

from typing import TypeAlias

import msgspec
from msgspec.structs import replace

ENTRY_BYTES = 160  # what an entry weighs beside its bodies: names, numbers, frame


class Opening(msgspec.Struct, frozen=True, tag="open"):
    """The call rang."""

    bodies: tuple[bytes, ...]
    at_ms: int


class Taking(msgspec.Struct, frozen=True, tag="take"):
    """A stream took the call: its fence went from `epoch` - 1 to `epoch`, if nobody else was first."""

    bodies: tuple[bytes, ...]
    owner: str
    epoch: int
    until_ms: int
    at_ms: int


class Writing(msgspec.Struct, frozen=True, tag="write"):
    """Facts were appended; `position` is where the last one stands for those who read them here."""

    bodies: tuple[bytes, ...]
    epoch: int | None
    key: str
    at_ms: int
    position: int

    @property
    def first(self) -> int:
        """Where the first one stands."""
        return self.position - len(self.bodies) + 1

    def at(self, position: int) -> "Writing":
        """Return the same write, standing elsewhere."""
        return replace(self, position=position)


class Leaving(msgspec.Struct, frozen=True, tag="leave"):
    """Nobody needs to look after the call any more."""

    epoch: int
    at_ms: int


class Minding(msgspec.Struct, frozen=True, tag="mind"):
    """Somebody needs to look after the call, though it may have been released: who wrote all this is gone.

    It stands behind all that a process before us left, the last of which happened at `at_ms`.
    """

    at_ms: int


Entry: TypeAlias = Opening | Taking | Writing | Leaving | Minding


class Shelved(msgspec.Struct, frozen=True):
    """One entry on the shelf: of which branch, and from where that branch grew.

    No entry means that the branch reached the store: nothing of it is to be done again.
    """

    branch: str
    call_sid: str
    incarnation: str
    epoch: int
    head: int
    entry: Entry | None = None


# All that msgspec raises for bytes that are none of ours: wrong shape, bad UTF-8, too deep a nesting.
UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)

_decoder = msgspec.msgpack.Decoder(Shelved)
_encoder = msgspec.msgpack.Encoder()


def encode(shelved: Shelved) -> bytes:
    """Return the bytes of one entry."""
    return _encoder.encode(shelved)


def decode(payload: bytes) -> Shelved | None:
    """Read one entry back; None for one that this version does not understand."""
    try:
        return _decoder.decode(payload)
    except UNREADABLE:
        return None


def bodies(entry: Entry) -> tuple[bytes, ...]:
    """Return the facts in an entry."""
    return () if isinstance(entry, Leaving | Minding) else entry.bodies


def weight(entry: Entry) -> int:
    """Return about how many bytes an entry takes."""
    return ENTRY_BYTES + sum(map(len, bodies(entry)))
