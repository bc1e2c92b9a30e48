"""Who looks after which call, and which names mean it: the journal's promise about both, in SQL.

Each function is one promise and runs inside a transaction, as those of `ledger.py` do.
"""

import sqlite3

from service.journal.limits import UNCLAIMED_MS
from service.journal.sqlite.readings import Row, find
from service.journal.sqlite.storefile import SQL
from service.journal.values import Lease


def lease(
    connection: sqlite3.Connection,
    call_sid: str,
    *,
    epoch: int,
    owner: str,
    until_ms: int,
    now_ms: int,
    expires_ms: int,
) -> bool:
    """See Journal.lease. The call then lives until `expires_ms` at least."""
    renewed = connection.execute(
        SQL["lease"], (expires_ms, owner, now_ms, until_ms, call_sid, epoch, now_ms)
    )
    return renewed.rowcount == 1


def adopt(
    connection: sqlite3.Connection,
    call_sid: str,
    *,
    lapsed: Lease | None,
    owner: str,
    until_ms: int,
    now_ms: int,
) -> bool:
    """See Journal.adopt."""
    row = find(connection, call_sid)
    if row is None or row.is_released or row.expires_ms <= now_ms:
        return False
    if row.lease() != lapsed or due_ms(row) > now_ms:
        return False
    connection.execute(SQL["adopt"], (owner, now_ms, until_ms, row.call_id))
    return True


def due_ms(row: Row) -> int:
    """Return when the call's hold is over; `calls_by_due` in statements.sql says the same."""
    return row.opened_ms + UNCLAIMED_MS if row.owner is None else row.until_ms


def release(connection: sqlite3.Connection, call_sid: str, *, epoch: int) -> bool:
    """See Journal.release."""
    return connection.execute(SQL["release"], (call_sid, epoch)).rowcount == 1


def remember(
    connection: sqlite3.Connection, name: str, *, call_sid: str, ttl_ms: int, now_ms: int
) -> None:
    """See Journal.remember."""
    connection.execute(SQL["remember"], (name, call_sid, now_ms + ttl_ms))
