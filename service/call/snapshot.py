"""The state of a call as it is kept, so that a long journal need not be folded from its first record.

A snapshot is good only for the code that folded it, because an older server skips facts that a newer one
knows: each bears the mark of its code, and one with another mark is not read.
"""

import json
from functools import cache
from zlib import crc32

import msgspec

from service.call.events import Known
from service.call.state import Call

FOLDING = 3  # raised when known facts fold to another state than before, whatever its shape


class Kept(msgspec.Struct, frozen=True):
    """A snapshot: the state, and the mark of the code that folded it."""

    mark: int
    call: Call


@cache
def mark() -> int:
    """Return a number that changes with the facts this code knows, and with the shape of its state."""
    shapes = msgspec.json.schema_components([Known, Call])
    return crc32(json.dumps([FOLDING, shapes], sort_keys=True).encode())


def packed(call: Call) -> bytes:
    """Return the state as JSON, for a snapshot."""
    return msgspec.json.encode(Kept(mark(), call))


def unpacked(body: bytes) -> Call:
    """Read a snapshot. Raises msgspec.ValidationError when other code than this has folded it."""
    kept = msgspec.json.decode(body, type=Kept)
    if kept.mark != mark():
        raise msgspec.ValidationError("another version of the code has folded this")
    return kept.call
