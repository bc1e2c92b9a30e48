"""The key of one call: seals its records and snapshots, and opens them again. Pure, but for the nonces.

    ┌──────┬────────────┬──────────────────┐
    │ mark │ nonce 12 B │ AES-256-GCM …    │   bound: format, tenant, call · kind, position, epoch, at_ms
    └──────┴────────────┴──────────────────┘

1.  A record stands sealed for the one place, fence and time at which it was written. Moved, copied into
    another call or tenant, or changed in any bit, it does not open.
2.  A writer outside who was overtaken again and again seals for no place (`seal_loose`, another mark):
    bound to call, fence and time, with a nonce of its own. Only such records could change places with
    each other, their times with them.
3.  A record without the mark is taken only where the call's key says that nothing was sealed yet.
4.  A nonce is eight random bytes of this object and a count of four: whoever else has the key, another
    process or this one later, has other random bytes, but for a chance under 2**-50 in a call's life.

5.  A call that could not be opened and goes on has a key of its own from there on, and beside it the
    earlier one if that opens here. What none of them opens is read as UNREADABLE, and stays as it is.

What is not noticed: that a store leaves out the newest records, or brings back a whole older state of
itself with the key of that time. The incarnation and the tide mark are for that.
"""

import os
import struct
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.errors import SealBroken
from service.journal.limits import SEALED_MARKS
from service.journal.seal.masters import NONCE_BYTES, WrappedKey
from service.journal.seal.tip import Tip
from service.journal.values import Record, Snapshot

_RECORD, _SNAPSHOT, _LOOSE = 1, 2, 3
_PLACED, _UNPLACED = SEALED_MARKS
_PLACE: Final = struct.Struct(">BQQQ")  # kind, position, epoch, at_ms
_PREFIX_BYTES: Final = 8  # of a nonce; the rest is the count
_COUNT: Final = struct.Struct(">I")
_HEAD: Final = 1 + NONCE_BYTES

UNREADABLE: Final = b'{"kind":"unreadable"}'  # what stands for a record that can't be opened


def _place(kind: int, position: int, epoch: int, at_ms: int) -> bytes:
    """Return what a body is bound to beside its call. Raises ValueError for what no journal has."""
    try:
        return _PLACE.pack(kind, position, epoch, at_ms)
    except struct.error as trouble:
        raise ValueError("A position, an epoch or a time is out of range.") from trouble


class CallKey:
    """What `kept` says, the data key `secret` itself, and the key `earlier` of a call begun anew."""

    def __init__(
        self,
        kept: WrappedKey,
        secret: bytes,
        wrapped: bytes,
        earlier: "CallKey | None" = None,
    ) -> None:
        self.call_sid = kept.call_sid
        self.since = kept.since
        self.wrapped = wrapped
        self.touched_ms = kept.made_ms
        self.tip = Tip()
        self._is_anew = bool(kept.before)
        self._earlier = earlier
        self.secret = secret
        cipher = AESGCM(secret)
        self._encrypt, self._decrypt = cipher.encrypt, cipher.decrypt
        self._prefix = os.urandom(_PREFIX_BYTES)
        self._count = 0
        self._bound = msgspec.msgpack.encode((1, kept.tenant, kept.call_sid))

    def is_of(self, other: "CallKey | None") -> bool:
        """Say whether these are one key, wrapped alike or not."""
        return other is not None and self.secret == other.secret

    def seal(
        self, bodies: Sequence[bytes], *, first: int, epoch: int, at_ms: int
    ) -> tuple[bytes, ...]:
        """Seal bodies that are to stand at `first` and the positions after it."""
        bound, sealed = self._bound, []
        for position, body in enumerate(bodies, first):
            nonce = self._nonce()
            place = _place(_RECORD, position, epoch, at_ms)
            sealed.append(_PLACED + nonce + self._encrypt(nonce, body, bound + place))
        return tuple(sealed)

    def seal_loose(self, bodies: Sequence[bytes], *, epoch: int, at_ms: int) -> tuple[bytes, ...]:
        """Seal bodies that are to stand wherever the call ends."""
        bound = self._bound + _place(_LOOSE, 0, epoch, at_ms)
        sealed: list[bytes] = []
        for body in bodies:
            nonce = self._nonce()
            sealed.append(_UNPLACED + nonce + self._encrypt(nonce, body, bound))
        return tuple(sealed)

    def open(self, records: Iterable[Record]) -> tuple[Record, ...]:
        """Open records, each where it stands. Raises SealBroken for the first that does not open."""
        return tuple(map(self.open_one, records))

    def open_one(self, record: Record) -> Record:
        """Open one record. Raises SealBroken."""
        if not self._is_anew:
            return self._opened(record)
        if record.position < self.since:
            return self._of_old(record)
        try:
            return self._opened(record)
        except SealBroken:
            # Whoever held the call under the earlier key may have written once more.
            if self._earlier is None:
                raise
            return self._earlier.open_one(record)

    def _of_old(self, record: Record) -> Record:
        """Open a record of before the call began anew, if that can be done."""
        try:
            if self._earlier is not None:
                return self._earlier.open_one(record)
        except SealBroken:
            pass
        return Record(record.position, record.epoch, record.at_ms, UNREADABLE)

    def _opened(self, record: Record) -> Record:
        position, epoch, at_ms, body = record.position, record.epoch, record.at_ms, record.body
        if body.startswith(_PLACED):
            place = _place(_RECORD, position, epoch, at_ms)
        elif body.startswith(_UNPLACED):
            place = _place(_LOOSE, 0, epoch, at_ms)
        elif position < self.since:
            return record
        else:
            raise self._broken(f"record {position} is not sealed, though it must be")
        try:
            plain = self._decrypt(body[1:_HEAD], body[_HEAD:], self._bound + place)
        except (InvalidTag, ValueError):
            raise self._broken(f"record {position} does not fit its place or its key") from None
        return Record(position, epoch, at_ms, plain)

    def seal_snapshot(self, position: int, body: bytes) -> bytes:
        """Seal the folded state as of `position`."""
        nonce = self._nonce()
        bound = self._bound + _place(_SNAPSHOT, position, 0, 0)
        return _PLACED + nonce + self._encrypt(nonce, body, bound)

    def open_snapshot(self, snapshot: Snapshot | None) -> Snapshot | None:
        """Open a snapshot. Raises SealBroken."""
        if snapshot is None:
            return None
        position, body = snapshot.position, snapshot.body
        if self._is_anew and position < self.since:
            return self._snapshot_of_old(snapshot)
        if not body.startswith(_PLACED):
            if position < self.since:
                return snapshot
            raise self._broken("its snapshot is not sealed, though it must be")
        bound = self._bound + _place(_SNAPSHOT, position, 0, 0)
        try:
            plain = self._decrypt(body[1:_HEAD], body[_HEAD:], bound)
        except (InvalidTag, ValueError):
            raise self._broken("its snapshot does not fit its place or its key") from None
        return Snapshot(position, plain)

    def _nonce(self) -> bytes:
        """Return one that was never used. Raises struct.error after 2**32 of them, which no call reaches."""
        count = self._count
        self._count = count + 1
        return self._prefix + _COUNT.pack(count)

    def _snapshot_of_old(self, snapshot: Snapshot) -> Snapshot | None:
        try:
            return self._earlier.open_snapshot(snapshot) if self._earlier is not None else None
        except SealBroken:
            return None

    def _broken(self, what: str) -> SealBroken:
        return SealBroken(f"Call {self.call_sid} can't be opened: {what}.")


def is_sealed(body: bytes) -> bool:
    """Say whether a body, of a record or a snapshot, is sealed."""
    return body.startswith(SEALED_MARKS)
