"""What Redis answers, turned into the journal's values; and a record turned into bytes for it."""

import struct
from collections.abc import Sequence
from typing import Final

from service.journal.redis.server import Answer
from service.journal.values import (
    Appended,
    Behind,
    Claim,
    Durability,
    Fenced,
    Full,
    Headline,
    Lease,
    Missing,
    NotDurable,
    Outcome,
    Reading,
    Record,
    Snapshot,
)

_HEAD: Final = struct.Struct(">QQ")  # epoch and at_ms, before the body of each record in the list

CALL_FIELDS: Final = (
    "incarnation",
    "epoch",
    "head",
    "expires",
    "owner",
    "owner_epoch",
    "renewed",
    "until",
    "snapshot_at",
    "snapshot",
)
HEADLINE_FIELDS: Final = CALL_FIELDS[:8]


def packed(bodies: Sequence[bytes], *, epoch: int, at_ms: int) -> list[bytes]:
    """Return the bodies as they stand in a call's list of records."""
    head = _HEAD.pack(epoch, at_ms)
    return [head + body for body in bodies]


def records_from(answer: list[bytes], *, after: int) -> tuple[Record, ...]:
    """Return the list's elements as records; the first has the position after `after`."""
    return tuple(_record(position, element) for position, element in enumerate(answer, after + 1))


def _record(position: int, element: bytes) -> Record:
    epoch, at_ms = _HEAD.unpack_from(element)
    return Record(position, epoch, at_ms, element[_HEAD.size :])


def lease_from(owner: bytes | None, *numbers: bytes | None) -> Lease | None:
    """Return the lease of four fields, None when the call was never claimed."""
    if owner is None:
        return None
    epoch, renewed_ms, until_ms = (int(number or 0) for number in numbers)
    return Lease(owner.decode(), epoch, renewed_ms, until_ms)


def lease_words(lease: Lease | None) -> tuple[str | int, ...]:
    """Return a lease as the scripts are told of it; an empty owner means none."""
    if lease is None:
        return "", 0, 0, 0
    return lease.owner, lease.epoch, lease.renewed_ms, lease.until_ms


def headline_from(call_sid: str, answer: list[Answer]) -> Headline:
    """Return a call's HEADLINE_FIELDS, which are also the answer of open.lua."""
    incarnation, epoch, head, expires_ms, *lease = answer
    return Headline(
        call_sid,
        incarnation.decode(),
        int(epoch),
        int(head),
        lease_from(*lease),
        int(expires_ms),
    )


def reading_from(
    fields: Sequence[bytes | None], elements: list[bytes], length: int, *, after: int
) -> Reading | Missing:
    """Return a call read in one step: its CALL_FIELDS, or HEADLINE_FIELDS for no snapshot, the records after `after`, and their number.

    A call whose records were evicted or have expired before it is as good as missing.
    """
    incarnation, epoch, head = fields[:3]
    position, state = fields[len(HEADLINE_FIELDS) :] or (None, None)
    if incarnation is None or int(head or 0) != length:
        return Missing()
    snapshot = None
    if position is not None and state is not None:
        snapshot = Snapshot(int(position), state)
    records = records_from(elements, after=after)
    return Reading(incarnation.decode(), int(epoch or 0), length, snapshot, records)


def outcome_from(answer: list[Answer], durability: Durability, *, is_kept: bool = True) -> Outcome:
    """Return what append.lua answered; without `is_kept` what it wrote may yet be lost."""
    word, number = answer
    match word:
        case b"appended" | b"repeated" if not is_kept:
            return NotDurable(number)
        case b"appended":
            return Appended(number, durability)
        case b"repeated":
            return Appended(number, durability, repeated=True)
        case b"fenced":
            return Fenced(number)
        case b"behind":
            return Behind(number)
        case b"full":
            return Full()
        case _:
            return Missing()


def claim_from(epoch: int, taken: list[Answer], reading: Reading, since: int) -> Claim:
    """Return the claim that claim.lua answered, with what was then read after `since`."""
    _, is_new, _, _, *lease = taken
    return Claim(
        epoch,
        reading.incarnation,
        bool(is_new),
        reading.snapshot,
        records_past_snapshot(reading),
        lease_from(*lease),
        since,
    )


def is_of(reading: Reading, epoch: int, taken: list[Answer]) -> bool:
    """Say whether the call was read as it was claimed, and not erased since, or elsewhere before.

    The connection that reads may still lead to a server that was the primary before.
    """
    incarnation: str = taken[0].decode()
    return reading.incarnation == incarnation and reading.epoch >= epoch


def records_past_snapshot(reading: Reading) -> tuple[Record, ...]:
    """Return the records after the snapshot, which may be newer than the position that was asked."""
    if reading.snapshot is None:
        return reading.records
    kept = reading.snapshot.position
    return tuple(record for record in reading.records if record.position > kept)


def by_age(found: tuple[int, Headline]) -> tuple[int, str]:
    """Order calls, each behind the time it was opened, oldest first."""
    opened_ms, headline = found
    return opened_ms, headline.call_sid
