"""What the journal's promise means in SQL: one function a promise, each inside a transaction.

Nothing here waits, retries or knows of threads. The transaction that the lane began makes the check of
the fence and the write one step. A call past its time to live counts as missing for every write, so
that it makes no difference whether it was swept already.
"""

import secrets
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from service.journal.limits import TOKEN_TTL_MS, TOKENS_MAX
from service.journal.sqlite.readings import Row, find, told_to
from service.journal.sqlite.storefile import SQL
from service.journal.tokens import TOO_MANY, refusal
from service.journal.values import (
    CALL_BYTES_MAX,
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
    Spent,
    Unspendable,
)

SHORT = 256  # records that are read with a claim: 0.1 ms, and one thread less to wait for
SWEEP_MAX = 256  # calls in one transaction; the next one takes the rest
PULSE_TTL_MS = 3_600_000  # of the rows that `check` leaves behind


class Taken(NamedTuple):
    """A claim, before the records are read."""

    epoch: int
    incarnation: str
    is_new: bool
    lease: Lease | None

    def claim(self, reading: Reading, since: int) -> Claim:
        """Return the claim with what was read of the call, after the position `since`."""
        return Claim(
            self.epoch,
            self.incarnation,
            self.is_new,
            reading.snapshot,
            reading.records,
            self.lease,
            since,
        )


class Ledger:
    """The calls in one SQLite store. A call lives `ttl_ms` after its last write or lease."""

    def __init__(self, *, ttl_ms: int, durability: Durability) -> None:
        self._ttl_ms = ttl_ms
        self._durability = durability

    def open(
        self, connection: sqlite3.Connection, call_sid: str, opening: Sequence[bytes], now_ms: int
    ) -> Headline:
        """See Journal.open."""
        row, _ = self._stand(connection, call_sid, opening, now_ms)
        return Headline(call_sid, row.incarnation, row.epoch, row.head, row.lease(), row.expires_ms)

    def claim(
        self,
        connection: sqlite3.Connection,
        call_sid: str,
        opening: Sequence[bytes],
        *,
        owner: str,
        until_ms: int,
        now_ms: int,
        known: Known | None = None,
        expected: int | None = None,
    ) -> Claim | Taken | Fenced:
        """See Journal.claim. Of a long call nothing is read here: that must not hold up everybody's appends."""
        if expected is not None:
            found = find(connection, call_sid)
            epoch = 0 if found is None or found.expires_ms <= now_ms else found.epoch
            if epoch != expected:
                return Fenced(epoch)
        row, is_new = self._stand(connection, call_sid, opening, now_ms)
        taken = connection.execute(
            SQL["claim"], (now_ms + self._ttl_ms, owner, now_ms, until_ms, row.call_id)
        )
        (epoch,) = taken.fetchone()
        claimed = Taken(epoch, row.incarnation, is_new, row.lease())
        stands = known if known and known.stands_in(row.incarnation, row.head) else None
        if row.head - (stands.position if stands else 0) > SHORT:
            return claimed
        return claimed.claim(*told_to(connection, row, stands))

    def append(
        self,
        connection: sqlite3.Connection,
        call_sid: str,
        bodies: Sequence[bytes],
        *,
        epoch: int | None,
        after: int | None,
        key: str,
        now_ms: int,
    ) -> Outcome:
        """See Journal.append."""
        row = find(connection, call_sid)
        if row is None or row.expires_ms <= now_ms:
            return Missing()
        first = connection.execute(SQL["position_of_key"], (row.call_id, key)).fetchone()
        if first is not None:
            (position,) = first
            return Appended(position, self._durability, repeated=True)
        if epoch is not None and epoch != row.epoch:
            return Fenced(row.epoch)
        if after is not None and after != row.head:
            return Behind(row.head)
        weight = sum(map(len, bodies))
        if row.head + len(bodies) > RECORDS_MAX or row.bytes + weight > CALL_BYTES_MAX:
            return Full()
        head = _write(connection, row, bodies, epoch=epoch or 0, key=key, now_ms=now_ms)
        connection.execute(SQL["advance"], (head, now_ms + self._ttl_ms, weight, row.call_id))
        return Appended(head, self._durability)

    def snapshot(
        self,
        connection: sqlite3.Connection,
        call_sid: str,
        *,
        epoch: int,
        position: int,
        body: bytes,
    ) -> bool:
        """See Journal.snapshot."""
        row = find(connection, call_sid)
        if row is None or row.epoch != epoch or position > row.head:
            return False
        connection.execute(SQL["keep_snapshot"], (row.call_id, position, body))
        return True

    def spend(
        self,
        connection: sqlite3.Connection,
        call_sid: str,
        nonce: str,
        *,
        stream_sid: str,
        window_ms: int,
        uses_max: int,
        now_ms: int,
    ) -> Spent | Unspendable:
        """See Journal.spend."""
        token = connection.execute(SQL["find_token"], (call_sid, nonce)).fetchone()
        if token is None:
            (count,) = connection.execute(SQL["count_tokens"], (call_sid,)).fetchone()
            if count >= TOKENS_MAX:
                return Unspendable(TOO_MANY)
            uses = 0
        else:
            holder, uses, used_ms = token
            reason = refusal(
                is_same_stream=holder == stream_sid,
                uses=uses,
                uses_max=uses_max,
                idle_ms=now_ms - used_ms,
                window_ms=window_ms,
            )
            if reason:
                return Unspendable(reason)
        connection.execute(SQL["spend"], (call_sid, nonce, stream_sid, uses + 1, now_ms))
        return Spent(uses + 1)

    def erase(self, connection: sqlite3.Connection, call_sid: str) -> bool:
        """See Journal.erase."""
        was_there = _remove(connection, call_sid)
        names = connection.execute(SQL["erase_names"], (call_sid,))
        return was_there or names.rowcount > 0

    def prune(self, connection: sqlite3.Connection, call_sid: str) -> bool:
        """See Journal.prune."""
        row = find(connection, call_sid)
        if row is None or not row.is_released:
            return False
        _clear(connection, row)
        connection.execute(SQL["erase_names"], (call_sid,))
        return True

    def sweep(self, connection: sqlite3.Connection, now_ms: int) -> tuple[str, ...]:
        """Erase at most SWEEP_MAX calls past their time, and return them.

        Their names have a time to live of their own.
        """
        found = connection.execute(SQL["expired"], (now_ms, SWEEP_MAX)).fetchall()
        expired = tuple(call_sid for (call_sid,) in found)
        for call_sid in expired:
            _remove(connection, call_sid)
        connection.execute(SQL["forget_tokens"], (now_ms - TOKEN_TTL_MS,))
        connection.execute(SQL["forget_names"], (now_ms,))
        connection.execute(SQL["forget_pulses"], (now_ms - PULSE_TTL_MS,))
        return expired

    def _stand(
        self, connection: sqlite3.Connection, call_sid: str, opening: Sequence[bytes], now_ms: int
    ) -> tuple[Row, bool]:
        """Find the call, or open it. True when it was opened now."""
        row = find(connection, call_sid)
        if row is not None:
            if row.expires_ms > now_ms:
                return row, False
            _clear(connection, row)  # and not its tokens: one was spent for this very claim
        expires_ms, weight = now_ms + self._ttl_ms, sum(map(len, opening))
        begun = (call_sid, secrets.token_hex(8), len(opening), now_ms, expires_ms, weight)
        connection.execute(SQL["open"], begun).fetchone()
        row = find(connection, call_sid)
        assert row is not None
        _write(connection, row._replace(head=0), opening, epoch=0, key=None, now_ms=now_ms)
        return row, True


def _remove(connection: sqlite3.Connection, call_sid: str) -> bool:
    """Delete the call and its tokens. False when neither was there."""
    row = find(connection, call_sid)
    if row is not None:
        _clear(connection, row)
    tokens = connection.execute(SQL["erase_tokens"], (call_sid,))
    return row is not None or tokens.rowcount > 0


def _clear(connection: sqlite3.Connection, row: Row) -> None:
    for statement in ("erase_records", "erase_snapshot", "erase_call"):
        connection.execute(SQL[statement], (row.call_id,))


def _write(
    connection: sqlite3.Connection,
    row: Row,
    bodies: Sequence[bytes],
    *,
    epoch: int,
    key: str | None,
    now_ms: int,
) -> int:
    """Write the bodies after the row's head, the key on the last, and return the new head."""
    head = row.head + len(bodies)
    connection.executemany(
        SQL["write"],
        (
            (row.call_id, position, epoch, now_ms, key if position == head else None, body)
            for position, body in enumerate(bodies, row.head + 1)
        ),
    )
    return head


def pulse(connection: sqlite3.Connection, journal: str, now_ms: int) -> None:
    """Write what `feel_pulse` must find."""
    connection.execute(SQL["pulse"], (journal, now_ms))
