"""What is read from the SQLite file: rows turned into the journal's values, nothing changed.

Each function runs inside one transaction, so that a call, its snapshot and its records are of one
moment.
"""

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from service.journal.limits import OVER_MAX, PAGE_RECORDS
from service.journal.sqlite.connection import Connection
from service.journal.sqlite.storefile import SQL
from service.journal.sqlite.tide import OwnGroups
from service.journal.tailing import Page
from service.journal.values import (
    RECORDS_MAX,
    Headline,
    Known,
    Lease,
    Missing,
    Reading,
    Record,
    Room,
    Snapshot,
)


class Row(NamedTuple):
    """A call as it stands in the file."""

    call_id: int
    incarnation: str
    epoch: int
    head: int
    opened_ms: int
    expires_ms: int
    owner: str | None
    owner_epoch: int
    renewed_ms: int
    until_ms: int
    is_released: int
    bytes: int

    def lease(self) -> Lease | None:
        """Return the hold on the call, if one was ever taken."""
        if self.owner is None:
            return None
        return Lease(self.owner, self.owner_epoch, self.renewed_ms, self.until_ms)


def find(connection: sqlite3.Connection, call_sid: str) -> Row | None:
    """Return the call, past its time to live or not; None when there is none."""
    found = connection.execute(SQL["find"], (call_sid,)).fetchone()
    return None if found is None else Row(*found)


def read(connection: sqlite3.Connection, call_sid: str, *, after: int | None) -> Reading | Missing:
    """See Journal.read. With `after` None, the records begin after the newest snapshot."""
    row = find(connection, call_sid)
    return Missing() if row is None else _reading(connection, row, after)


def _reading(connection: sqlite3.Connection, row: Row, after: int | None) -> Reading:
    kept = connection.execute(SQL["snapshot"], (row.call_id,)).fetchone()
    snapshot = None if kept is None else Snapshot(*kept)
    if after is None:
        after = 0 if snapshot is None else snapshot.position
    records = _records(connection, row.call_id, after, RECORDS_MAX)
    return Reading(row.incarnation, row.epoch, row.head, snapshot, records)


def read_claimed(
    connection: sqlite3.Connection, call_sid: str, *, known: Known | None
) -> tuple[Reading, int] | Missing:
    """Return what a claimer is told of a call, and since when; see `told_to`."""
    row = find(connection, call_sid)
    return Missing() if row is None else told_to(connection, row, known)


def told_to(connection: sqlite3.Connection, row: Row, known: Known | None) -> tuple[Reading, int]:
    """Return what stands in a call, and since when: what follows `known`, or all when that is void."""
    if known is not None and known.stands_in(row.incarnation, row.head):
        records = _records(connection, row.call_id, known.position, RECORDS_MAX)
        return Reading(row.incarnation, row.epoch, row.head, None, records), known.position
    return _reading(connection, row, None), 0


def read_page(connection: sqlite3.Connection, call_sid: str, after: int) -> Page | None:
    """Return what stands after `after`, at most PAGE_RECORDS; None when there is no such call."""
    row = find(connection, call_sid)
    if row is None:
        return None
    return Page(row.incarnation, row.head, _records(connection, row.call_id, after, PAGE_RECORDS))


def headlines(connection: sqlite3.Connection) -> tuple[Headline, ...]:
    """See Journal.open_calls."""
    return _headlines(connection.execute(SQL["calls"]))


def lapsed(connection: sqlite3.Connection, *, now_ms: int, limit: int) -> tuple[Headline, ...]:
    """See Journal.lapsed."""
    return _headlines(connection.execute(SQL["lapsed"], (now_ms, limit)))


def room(connection: sqlite3.Connection) -> Room:
    """See Journal.room. The log beside the file, which is emptied again and again, does not count."""
    pages, free, size = (
        connection.execute(f"PRAGMA {what}").fetchone()[0]
        for what in ("page_count", "freelist_count", "page_size")
    )
    over = connection.execute(SQL["over"], (OVER_MAX,)).fetchall()
    return Room((pages - free) * size, tuple(over))


def recall(connection: sqlite3.Connection, name: str, *, now_ms: int) -> str | None:
    """See Journal.recall."""
    found = connection.execute(SQL["recall"], (name, now_ms)).fetchone()
    return None if found is None else str(found[0])


def others(
    connection: sqlite3.Connection, call_sids: Iterable[str], *, ours: OwnGroups, known: int | None
) -> tuple[int, dict[str, tuple[str, int]]]:
    """Return how many groups of writes weren't `ours`, and how far these calls are unless that is `known`."""
    (height,) = connection.execute(SQL["tide"]).fetchone()
    present = height - ours.within(height)
    if present == known:
        return present, {}
    rows = connection.execute(SQL["heads"], (json.dumps(list(call_sids)),))
    return present, {call_sid: (incarnation, head) for call_sid, incarnation, head in rows}


def feel_pulse(connection: sqlite3.Connection, journal: str) -> int | None:
    """Return the time that `pulse` wrote last."""
    found = connection.execute(SQL["feel_pulse"], (journal,)).fetchone()
    return None if found is None else int(found[0])


def _headlines(rows: sqlite3.Cursor) -> tuple[Headline, ...]:
    return tuple(
        Headline(sid, incarnation, epoch, head, Lease(*lease) if lease[0] else None, expires_ms)
        for sid, incarnation, epoch, head, expires_ms, *lease in rows
    )


def _records(
    connection: sqlite3.Connection, call_id: int, after: int, records_max: int
) -> tuple[Record, ...]:
    assert isinstance(connection, Connection)
    return connection.kept(SQL["page"], (call_id, after, after + records_max))
