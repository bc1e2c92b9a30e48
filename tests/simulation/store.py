"""The store of the simulated fleet: the journal's promise in plain values, so that it can be put back.

Each state is a value that is never changed: a write makes the next one. So a fail-over that loses a
suffix is a step back to an older state, and two seeds never meet. Nothing here waits; see `Outlet`.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from service.journal.limits import OVER_MAX, UNCLAIMED_MS
from service.journal.tailing import Page
from service.journal.tokens import refusal
from service.journal.values import (
    RECORDS_MAX,
    Appended,
    Behind,
    Claim,
    Durability,
    Fenced,
    Full,
    Headline,
    Known,
    Lease,
    Missing,
    Outcome,
    Reading,
    Record,
    Room,
    Snapshot,
    Spent,
    Unspendable,
)

TTL_MS = 1_800_000


class Row(msgspec.Struct, frozen=True):
    """One call."""

    call_sid: str
    incarnation: str
    opened_ms: int
    expires_ms: int
    epoch: int = 0
    records: tuple[Record, ...] = ()
    keys: dict[str, int] = {}
    lease: Lease | None = None
    is_released: bool = False
    snapshot: Snapshot | None = None

    @property
    def head(self) -> int:
        return len(self.records)

    def headline(self) -> Headline:
        return Headline(
            self.call_sid, self.incarnation, self.epoch, self.head, self.lease, self.expires_ms
        )

    @property
    def due_ms(self) -> int:
        """When somebody should look after it."""
        return self.lease.until_ms if self.lease else self.opened_ms + UNCLAIMED_MS


class State(NamedTuple):
    """All that the store knows at a moment."""

    rows: dict[str, Row]
    tokens: dict[tuple[str, str], tuple[str, int, int]]
    names: dict[str, tuple[str, int]]


class Cabinet:
    """The store itself: every method is one atomic step."""

    def __init__(self) -> None:
        self.state = State({}, {}, {})
        self.writes = 0
        self._born = itertools.count(1)
        self._versions: list[tuple[int, State]] = []
        self._safe = 0
        self.watch: Callable[[Row, tuple[Record, ...]], None] = _nothing

    # What was written and not copied yet may be lost.

    def confirm(self, write: int) -> None:
        """A replica has everything up to this write."""
        self._safe = max(self._safe, write)
        self._versions = [one for one in self._versions if one[0] > self._safe]

    def fail_over(self) -> int:
        """Go on from the replica; return how many writes are lost."""
        lost = len(self._versions)
        if lost:
            self.state = self._versions[0][1]
        self._versions = []
        return lost

    def _turn(self, state: State) -> None:
        self.writes += 1
        self._versions.append((self.writes, self.state))
        self.state = state

    def _put(self, row: Row) -> Row:
        self._turn(self.state._replace(rows={**self.state.rows, row.call_sid: row}))
        return row

    def _found(self, call_sid: str, now_ms: int) -> Row | None:
        row = self.state.rows.get(call_sid)
        return row if row is not None and row.expires_ms > now_ms else None

    def _stand(self, call_sid: str, opening: Sequence[bytes], now_ms: int) -> tuple[Row, bool]:
        row = self._found(call_sid, now_ms)
        if row is not None:
            return row, False
        records = tuple(Record(place, 0, now_ms, body) for place, body in enumerate(opening, 1))
        name = f"inc{next(self._born)}"
        return Row(call_sid, name, now_ms, now_ms + TTL_MS, records=records), True

    # The promise.

    def open(self, call_sid: str, opening: Sequence[bytes], now_ms: int) -> Headline:
        row, is_new = self._stand(call_sid, opening, now_ms)
        if is_new:
            self._put(row)
            self.watch(row, row.records)
        return row.headline()

    def claim(
        self,
        call_sid: str,
        opening: Sequence[bytes],
        owner: str,
        until_ms: int,
        now_ms: int,
        known: Known | None,
        expected: int | None,
    ) -> Claim | Fenced:
        found = self._found(call_sid, now_ms)
        epoch = found.epoch if found else 0
        if expected is not None and epoch != expected:
            return Fenced(epoch)
        row, is_new = self._stand(call_sid, opening, now_ms)
        before = row.lease
        row = self._put(
            replace(
                row,
                epoch=row.epoch + 1,
                lease=Lease(owner, row.epoch + 1, now_ms, until_ms),
                is_released=False,
                expires_ms=now_ms + TTL_MS,
            )
        )
        if is_new:
            self.watch(row, row.records)
        stands = known is not None and known.stands_in(row.incarnation, row.head)
        since = known.position if known is not None and stands else 0
        snapshot = None if since else row.snapshot
        after = snapshot.position if snapshot else since
        return Claim(
            row.epoch, row.incarnation, is_new, snapshot, row.records[after:], before, since
        )

    def append(
        self,
        call_sid: str,
        bodies: Sequence[bytes],
        epoch: int | None,
        after: int | None,
        key: str,
        now_ms: int,
    ) -> Outcome:
        row = self._found(call_sid, now_ms)
        if row is None:
            return Missing()
        if key in row.keys:
            return Appended(row.keys[key], Durability.REPLICA, repeated=True)
        if epoch is not None and epoch != row.epoch:
            return Fenced(row.epoch)
        if after is not None and after != row.head:
            return Behind(row.head)
        if row.head + len(bodies) > RECORDS_MAX:
            return Full()
        new = tuple(
            Record(place, epoch or 0, now_ms, body)
            for place, body in enumerate(bodies, row.head + 1)
        )
        head = row.head + len(new)
        row = self._put(
            replace(
                row,
                records=row.records + new,
                keys={**row.keys, key: head},
                expires_ms=now_ms + TTL_MS,
            )
        )
        self.watch(row, new)
        return Appended(head, Durability.REPLICA)

    def read(self, call_sid: str, after: int) -> Reading | Missing:
        row = self.state.rows.get(call_sid)
        if row is None:
            return Missing()
        return Reading(row.incarnation, row.epoch, row.head, row.snapshot, row.records[after:])

    def page(self, call_sid: str, after: int, count: int) -> Page | None:
        row = self.state.rows.get(call_sid)
        if row is None:
            return None
        return Page(row.incarnation, row.head, row.records[after : after + count])

    def snapshot(self, call_sid: str, epoch: int, position: int, body: bytes) -> bool:
        row = self.state.rows.get(call_sid)
        if row is None or row.epoch != epoch or position > row.head:
            return False
        if row.snapshot is None or row.snapshot.position < position:
            self._put(replace(row, snapshot=Snapshot(position, body)))
        return True

    def lease(self, call_sid: str, epoch: int, owner: str, until_ms: int, now_ms: int) -> bool:
        row = self._found(call_sid, now_ms)
        if row is None or row.epoch != epoch:
            return False
        held = Lease(owner, epoch, now_ms, until_ms)
        self._put(replace(row, lease=held, is_released=False, expires_ms=now_ms + TTL_MS))
        return True

    def adopt(
        self, call_sid: str, lapsed: Lease | None, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        row = self._found(call_sid, now_ms)
        if row is None or row.is_released or row.lease != lapsed or row.due_ms > now_ms:
            return False
        self._put(replace(row, lease=Lease(owner, row.epoch, now_ms, until_ms)))
        return True

    def release(self, call_sid: str, epoch: int) -> bool:
        row = self.state.rows.get(call_sid)
        if row is None or row.epoch != epoch:
            return False
        self._put(replace(row, is_released=True))
        return True

    def lapsed(self, now_ms: int, limit: int) -> tuple[Headline, ...]:
        rows = (one for one in self.state.rows.values() if not one.is_released)
        due = sorted(
            (one for one in rows if one.due_ms <= now_ms < one.expires_ms),
            key=lambda one: one.due_ms,
        )
        return tuple(one.headline() for one in due[:limit])

    def remember(self, name: str, call_sid: str, ttl_ms: int, now_ms: int) -> None:
        names = {**self.state.names, name: (call_sid, now_ms + ttl_ms)}
        self._turn(self.state._replace(names=names))

    def recall(self, name: str, now_ms: int) -> str | None:
        call_sid, until_ms = self.state.names.get(name, ("", 0))
        return call_sid if until_ms > now_ms else None

    def spend(
        self, call_sid: str, nonce: str, stream_sid: str, window_ms: int, uses_max: int, now_ms: int
    ) -> Spent | Unspendable:
        holder, uses, used_ms = self.state.tokens.get((call_sid, nonce), (stream_sid, 0, now_ms))
        if uses:
            reason = refusal(
                is_same_stream=holder == stream_sid,
                uses=uses,
                uses_max=uses_max,
                idle_ms=now_ms - used_ms,
                window_ms=window_ms,
            )
            if reason:
                return Unspendable(reason)
        spent = {**self.state.tokens, (call_sid, nonce): (stream_sid, uses + 1, now_ms)}
        self._turn(self.state._replace(tokens=spent))
        return Spent(uses + 1)

    def headlines(self) -> tuple[Headline, ...]:
        return tuple(row.headline() for row in self.state.rows.values())

    def room(self) -> Room:
        rows = self.state.rows.values()
        used = sum(map(_weight, rows))
        over = sorted((row for row in rows if row.is_released), key=lambda row: row.expires_ms)
        return Room(used, tuple((row.call_sid, _weight(row)) for row in over[:OVER_MAX]))

    def erase(self, call_sid: str) -> bool:
        rows, tokens, names = self.state
        kept = State(
            {sid: row for sid, row in rows.items() if sid != call_sid},
            {name: one for name, one in tokens.items() if name[0] != call_sid},
            {name: one for name, one in names.items() if one[0] != call_sid},
        )
        was_there = call_sid in rows or len(kept.names) < len(names)
        self._turn(kept)
        return was_there

    def prune(self, call_sid: str) -> bool:
        rows, tokens, names = self.state
        if call_sid not in rows or not rows[call_sid].is_released:
            return False
        kept = {sid: row for sid, row in rows.items() if sid != call_sid}
        self._turn(
            State(kept, tokens, {name: one for name, one in names.items() if one[0] != call_sid})
        )
        return True

    def sweep(self, now_ms: int) -> int:
        over = [sid for sid, row in self.state.rows.items() if row.expires_ms <= now_ms]
        for call_sid in over:
            self.erase(call_sid)
        return len(over)


def _weight(row: Row) -> int:
    return sum(len(one.body) for one in row.records)


def _nothing(_row: Row, _new: tuple[Record, ...]) -> None:
    return
