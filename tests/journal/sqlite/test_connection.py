"""A page of records in one step, whatever their bodies are and however the rows come."""

import sqlite3
from collections.abc import Iterator

import pytest

from service.journal.sqlite.connection import Connection
from service.journal.values import Record

RECORDS = (
    Record(1, 0, 5, b""),
    Record(2, 1, 2**53, b"\x00\xff\xc1 not text"),
    Record(3, 2**62, 7, "Grüße".encode()),
)
BACKWARDS = "SELECT count(keep(p, e, a, b)) FROM (SELECT * FROM rows WHERE p <= ? ORDER BY p DESC)"


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None, factory=Connection)
    made.execute("CREATE TABLE rows (p INTEGER, e INTEGER, a INTEGER, b BLOB) STRICT")
    rows = [(one.position, one.epoch, one.at_ms, one.body) for one in RECORDS]
    made.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", rows)
    yield made
    made.close()


def test_records_come_as_they_were_written_and_in_order(connection: Connection) -> None:
    assert connection.kept(BACKWARDS, (3,)) == RECORDS
    assert connection.kept(BACKWARDS, (2,)) == RECORDS[:2]
    assert connection.kept(BACKWARDS, (0,)) == ()


def test_what_a_statement_kept_that_failed_is_no_other_ones(connection: Connection) -> None:
    too_much = "SELECT count(keep(p, e, a, b)), abs(-9223372036854775807 - p) FROM rows WHERE p < ?"
    with pytest.raises(sqlite3.OperationalError, match="overflow"):
        connection.kept(too_much, (3,))
    assert connection.kept(BACKWARDS, (1,)) == RECORDS[:1]
