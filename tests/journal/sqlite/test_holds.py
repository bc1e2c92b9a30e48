import re
from collections.abc import Iterator

import pytest

from service.journal.limits import UNCLAIMED_MS
from service.journal.sqlite.holds import adopt, due_ms, lease, release, remember
from service.journal.sqlite.ledger import Ledger, Taken
from service.journal.sqlite.readings import find, lapsed, recall
from service.journal.sqlite.storefile import SQL, StoreFile
from service.journal.values import Durability, Fenced, Lease

CALL = "CA1"


@pytest.fixture
def file() -> Iterator[StoreFile]:
    opened = StoreFile(None, writes=True)
    yield opened
    opened.close()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(ttl_ms=1_000_000, durability=Durability.MEMORY)


def test_a_lapsed_call_is_found_by_an_index_alone(file: StoreFile) -> None:
    connection = file.begin()
    for name in ("lapsed", "recall", "erase_names"):
        words = ("x", 1)[: SQL[name].count("?") if "?1" not in SQL[name] else 2]
        plan = connection.execute("EXPLAIN QUERY PLAN " + SQL[name], words).fetchall()
        assert not [row for row in plan if "SCAN" in row[3] or "TEMP B-TREE" in row[3]], plan


def test_the_index_knows_how_long_a_call_may_stay_unclaimed() -> None:
    for name in ("tables", "lapsed"):
        assert set(re.findall(r"opened_ms \+ (\d+)", SQL[name])) == {str(UNCLAIMED_MS)}


def test_a_hold_is_over_when_the_lease_is(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    ledger.open(connection, CALL, [], now_ms=5)
    row = find(connection, CALL)
    assert row is not None
    assert due_ms(row) == 5 + UNCLAIMED_MS
    ledger.claim(connection, CALL, [], owner="one", until_ms=50, now_ms=7)
    row = find(connection, CALL)
    assert row is not None
    assert due_ms(row) == 50
    assert [one.call_sid for one in lapsed(connection, now_ms=50, limit=1)] == [CALL]


def test_a_hold_goes_from_hand_to_hand(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    taken = ledger.claim(connection, CALL, [], owner="one", until_ms=50, now_ms=7, expected=0)
    assert isinstance(taken, Taken)
    refused = ledger.claim(connection, CALL, [], owner="one", until_ms=50, now_ms=7, expected=0)
    assert refused == Fenced(1)
    for is_first in (True, False):
        first = Lease("one", 1, 7, 50)
        won = adopt(connection, CALL, lapsed=first, owner="two", until_ms=99, now_ms=60)
        assert won == is_first
    assert lease(connection, CALL, epoch=1, owner="one", until_ms=90, now_ms=70, expires_ms=5)
    assert release(connection, CALL, epoch=1)
    assert not release(connection, CALL, epoch=2)
    row = find(connection, CALL)
    assert row is not None
    assert (row.lease(), row.is_released) == (Lease("one", 1, 70, 90), 1)


def test_a_name_is_one_row(file: StoreFile) -> None:
    connection = file.begin()
    for call_sid in ("CA1", "CA2"):
        remember(connection, "name", call_sid=call_sid, ttl_ms=5, now_ms=10)
    assert connection.execute("SELECT * FROM names").fetchall() == [("name", "CA2", 15)]
    assert recall(connection, "name", now_ms=14) == "CA2"
    assert recall(connection, "name", now_ms=15) is None
