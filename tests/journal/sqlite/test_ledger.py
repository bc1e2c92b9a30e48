"""The ledger's own promises: what it does is one transaction, and undone with it."""

import sqlite3
from collections.abc import Iterator

import pytest

from service.journal.limits import TOKEN_TTL_MS
from service.journal.sqlite.ledger import SWEEP_MAX, Ledger, pulse
from service.journal.sqlite.readings import feel_pulse, find, read
from service.journal.sqlite.storefile import StoreFile
from service.journal.values import Appended, Durability, Fenced, Missing, Spent

CALL = "CA1"
TTL_MS = 1_000


@pytest.fixture
def file() -> Iterator[StoreFile]:
    opened = StoreFile(None, writes=True)
    yield opened
    opened.close()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(ttl_ms=TTL_MS, durability=Durability.MEMORY)


def append(ledger: Ledger, connection: sqlite3.Connection, key: str, epoch: int = 1) -> object:
    return ledger.append(connection, CALL, [b"a"], epoch=epoch, after=None, key=key, now_ms=5)


def count(connection: sqlite3.Connection, table: str) -> int:
    (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - ours
    return int(rows)


def test_what_is_rolled_back_never_was(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    ledger.claim(connection, CALL, [], owner="o", until_ms=1, now_ms=5)
    file.commit(connection)
    connection = file.begin()
    assert append(ledger, connection, "k") == Appended(1, Durability.MEMORY)
    file.roll_back()
    connection = file.begin()
    assert append(ledger, connection, "k") == Appended(1, Durability.MEMORY)
    file.commit(connection)


def test_each_write_of_a_group_sees_the_one_before(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    ledger.claim(connection, CALL, [], owner="one", until_ms=1, now_ms=5)
    assert append(ledger, connection, "a") == Appended(1, Durability.MEMORY)
    ledger.claim(connection, CALL, [], owner="two", until_ms=1, now_ms=5)
    assert append(ledger, connection, "b") == Fenced(2)
    assert append(ledger, connection, "a") == Appended(1, Durability.MEMORY, repeated=True)
    file.commit(connection)


def test_a_lagging_clock_shortens_no_life(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    ledger.open(connection, CALL, [], now_ms=500)
    ledger.claim(connection, CALL, [], owner="o", until_ms=1, now_ms=5)
    append(ledger, connection, "k")
    row = find(connection, CALL)
    assert row is not None
    assert row.expires_ms == 500 + TTL_MS


def test_erasing_leaves_no_row_of_the_call(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    for _ in range(2):
        ledger.claim(connection, CALL, [b"a"], owner="o", until_ms=1, now_ms=5)
    append(ledger, connection, "k", epoch=2)
    ledger.snapshot(connection, CALL, epoch=2, position=1, body=b"s")
    ledger.spend(connection, CALL, "n", stream_sid="MZ", window_ms=1, uses_max=1, now_ms=5)
    assert ledger.erase(connection, CALL)
    assert [count(connection, table) for table in ("calls", "records", "snapshots", "tokens")] == [
        0,
        0,
        0,
        0,
    ]


def test_a_sweep_takes_a_bounded_number_at_once(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    for n in range(SWEEP_MAX + 3):
        ledger.open(connection, f"CA{n}", [b"a"], now_ms=n)
    swept = [len(ledger.sweep(connection, 10_000)) for _ in range(3)]
    assert swept == [SWEEP_MAX, 3, 0]
    assert count(connection, "records") == 0


def test_a_sweep_forgets_old_tokens_and_pulses(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    pulse(connection, "journal", 7)
    assert feel_pulse(connection, "journal") == 7
    for _ in range(2):
        spent = ledger.spend(
            connection, CALL, "n", stream_sid="MZ", window_ms=0, uses_max=1, now_ms=7
        )
        assert spent == Spent(1)
        ledger.sweep(connection, 7 + TOKEN_TTL_MS)
    assert feel_pulse(connection, "journal") is None
    assert read(connection, CALL, after=0) == Missing()
