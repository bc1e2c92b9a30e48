import re
from collections.abc import Iterator

import pytest

from service.journal.limits import UNCLAIMED_MS
from service.journal.sqlite.holds import adopt, due_ms, lease, release, remember
from service.journal.sqlite.ledger import Ledger
from service.journal.sqlite.readings import find, lapsed, recall
from service.journal.sqlite.storefile import SQL, StoreFile
from service.journal.values import Claim, Durability, Fenced, Lease

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
    assert isinstance(taken, Claim)
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


def test_only_a_call_that_stands_unheld_is_adopted(file: StoreFile, ledger: Ledger) -> None:
    """Not one that is unknown, over, let go, or held, nor on word of another hold."""
    connection = file.begin()
    assert not adopt(connection, CALL, lapsed=None, owner="two", until_ms=99, now_ms=60)
    ledger.open(connection, CALL, [], now_ms=5)
    due = 5 + UNCLAIMED_MS
    for lapsed_lease, now_ms, is_won in (
        (None, due - 1, False),
        (Lease("one", 1, 7, 50), due, False),
        (None, 1_000_005, False),
        (None, 1_000_004, True),
    ):
        won = adopt(
            connection, CALL, lapsed=lapsed_lease, owner="two", until_ms=due + 9, now_ms=now_ms
        )
        assert won == is_won, (lapsed_lease, now_ms)
    row = find(connection, CALL)
    assert row is not None
    assert row.lease() == Lease("two", 0, 1_000_004, due + 9)


def test_a_call_is_adopted_from_the_moment_at_which_it_is_named_as_unheld(
    file: StoreFile, ledger: Ledger
) -> None:
    connection = file.begin()
    ledger.claim(connection, CALL, [], owner="one", until_ms=50, now_ms=7)
    held = Lease("one", 1, 7, 50)
    for now_ms, is_won in ((49, False), (50, True)):
        named = [one.lease for one in lapsed(connection, now_ms=now_ms, limit=1)]
        won = adopt(connection, CALL, lapsed=held, owner="two", until_ms=99, now_ms=now_ms)
        assert (named, won) == ([held] * is_won, is_won)


def test_a_call_that_was_let_go_is_adopted_by_nobody(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    ledger.claim(connection, CALL, [], owner="one", until_ms=50, now_ms=7)
    assert release(connection, CALL, epoch=1)
    held = Lease("one", 1, 7, 50)
    assert not adopt(connection, CALL, lapsed=held, owner="two", until_ms=99, now_ms=60)


def test_a_lease_is_renewed_by_the_fences_holder_while_the_call_lives(
    file: StoreFile, ledger: Ledger
) -> None:
    """Another epoch renews nothing, nor does anybody after the call's time."""
    connection = file.begin()
    assert not lease(connection, CALL, epoch=1, owner="o", until_ms=9, now_ms=7, expires_ms=9)
    ledger.claim(connection, CALL, [], owner="one", until_ms=50, now_ms=7)
    for epoch, now_ms, is_renewed in (
        (0, 8, False),
        (2, 8, False),
        (1, 1_000_007, False),
        (1, 1_000_006, True),
    ):
        renewed = lease(
            connection,
            CALL,
            epoch=epoch,
            owner="new",
            until_ms=2,
            now_ms=now_ms,
            expires_ms=2_000_000,
        )
        assert renewed == is_renewed, (epoch, now_ms)
    row = find(connection, CALL)
    assert row is not None
    assert (row.lease(), row.expires_ms) == (Lease("new", 1, 1_000_006, 2), 2_000_000)
