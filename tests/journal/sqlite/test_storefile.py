import sqlite3
from pathlib import Path

import pytest

from service.errors import StoreUnavailable
from service.journal.sqlite.storefile import (
    BUSY_MS,
    BUSY_TRIES,
    LAYOUT,
    SQL,
    StoreFile,
    is_busy,
    named_statements,
)
from tests.journal.descriptors import open_numbers


def test_every_statement_has_its_name() -> None:
    assert named_statements("statements.sql") == SQL
    assert SQL["tide"] == "SELECT height FROM tide;"
    assert all(text.endswith(";") for text in SQL.values())


def test_a_commit_is_durable_and_raises_the_tide(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    file = StoreFile(folder / "calls.db", writes=True)
    for height in (1, 2, 3):
        file.commit(file.begin())
        assert (folder / "calls.db-tide").read_text() == f"{height:020}"
    connection = file.begin()
    assert setting(connection, "journal_mode") == "wal"
    assert setting(connection, "user_version") == LAYOUT
    file.roll_back()
    file.roll_back()
    file.close()
    file.close()


WRONG_AT_THE_END = (
    "CREATE TABLE parents (one INTEGER PRIMARY KEY)",
    "CREATE TABLE children (one INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)",
    "INSERT INTO children VALUES (1)",
)


def test_a_group_is_known_as_ours_once_it_may_be_read_and_not_when_it_was_not_written(
    tmp_path: Path,
) -> None:
    file = StoreFile(tmp_path / "calls.db", writes=True)
    file.commit(file.begin())
    assert file.own_groups.within(1) == 1
    connection = file.begin()
    file.roll_back()
    connection.execute("PRAGMA foreign_keys = ON")
    file.begin()
    for statement in WRONG_AT_THE_END:
        connection.execute(statement)
    with pytest.raises(sqlite3.IntegrityError):
        file.commit(connection)
    assert file.own_groups.within(9) == 1
    file.roll_back()
    file.close()
    file.commit(file.begin())
    assert file.own_groups.within(9) == 1, "it may be another file"
    file.close()


@pytest.mark.parametrize("writes", [True, False])
def test_each_side_asks_for_all_that_the_promise_needs(tmp_path: Path, *, writes: bool) -> None:
    """Some builds of SQLite have part of it without being asked, and others don't."""
    writer, file = (StoreFile(tmp_path / "calls.db", writes=it) for it in (True, writes))
    writer.commit(writer.begin())
    writer.close()
    connection = file.begin()
    assert {name: setting(connection, name) for name in SETTINGS} == SETTINGS
    file.close()


SETTINGS = {
    "busy_timeout": 8,
    "cache_size": -4_096,
    "journal_size_limit": 16 * 1_024**2,
    "synchronous": 2,
    "fullfsync": 1,
    "secure_delete": 1,
}


def setting(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_reading_side_can_write_nothing_and_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    reader = StoreFile(path, writes=False)
    with pytest.raises(StoreUnavailable, match="can't be opened"):
        reader.begin()
    assert not list(tmp_path.iterdir())
    writer = StoreFile(path, writes=True)
    writer.commit(writer.begin())
    connection = reader.begin()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute(SQL["raise_tide"])
    reader.commit(connection)
    reader.close()
    writer.close()


def test_a_replaced_file_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    file = StoreFile(path, writes=True)
    first = file.begin()
    file.commit(first)
    assert file.begin() is first
    file.roll_back()
    path.rename(tmp_path / "moved.db")
    assert file.begin() is not first
    file.roll_back()
    assert path.exists()
    file.close()


def test_a_file_below_its_mark_gets_new_incarnations(tmp_path: Path) -> None:
    file = StoreFile(tmp_path / "calls.db", writes=True)
    connection = file.begin()
    connection.execute(SQL["open"], ("CA1", "first", 0, 1, 2, 0)).fetchall()
    file.commit(connection)
    file.close()
    (tmp_path / "calls.db-tide").write_text(f"{9:020}")
    found = file.begin().execute(SQL["find"], ("CA1",)).fetchone()
    assert found[1] != "first"
    assert (tmp_path / "calls.db-tide").read_text() == f"{1:020}"
    file.roll_back()
    file.close()


def test_an_error_is_said_in_words_and_only_a_busy_file_stays_open(tmp_path: Path) -> None:
    file = StoreFile(tmp_path / "calls.db", writes=True)
    connection = file.begin()
    busy = sqlite3.OperationalError("locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    assert is_busy(busy)
    assert str(file.give_up(busy)) == (
        f"The journal's file {tmp_path}/calls.db can't be used:"
        " another process holds the file's write lock."
    )
    assert file.begin() is connection
    broken = sqlite3.OperationalError("disk I/O error")
    broken.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    assert "the disk reports an error" in str(file.give_up(broken))
    assert file.begin() is not connection
    assert "something else" in str(file.give_up(OSError("something else")))


def test_a_store_in_memory_keeps_all_it_has_after_an_error_and_makes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = StoreFile(None, writes=True)
    connection = file.begin()
    connection.execute(SQL["pulse"], ("kept", 1))
    file.commit(connection)
    file.begin().execute(SQL["pulse"], ("not committed", 2))
    assert "something else" in str(file.give_up(OSError("something else")))
    assert file.begin().execute("SELECT journal FROM pulses").fetchall() == [("kept",)]
    file.roll_back()
    assert file.scrub()
    file.close()
    assert not list(tmp_path.iterdir())


class Pause:
    """Counts the waits between two tries, and takes no time."""

    def __init__(self) -> None:
        self.waited_s: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waited_s.append(seconds)


def test_another_processs_write_is_waited_for_two_seconds_and_then_reported(
    tmp_path: Path,
) -> None:
    """Without the lock there is no transaction, and the fence would be checked in none."""
    assert BUSY_TRIES * BUSY_MS == 2_000
    file, other = (StoreFile(tmp_path / "calls.db", writes=True) for _ in range(2))
    connection = file.begin()
    file.commit(connection)
    asked: list[str] = []
    connection.execute("PRAGMA busy_timeout = 0")
    connection.set_trace_callback(asked.append)
    file._pause = pause = Pause()  # type: ignore[assignment]
    held = other.begin()
    with pytest.raises(StoreUnavailable, match="another process holds the file's write lock"):
        file.begin()
    assert asked == ["BEGIN IMMEDIATE"] * BUSY_TRIES
    assert pause.waited_s == [0.001] * (BUSY_TRIES - 1)
    other.commit(held)
    assert file.begin() is connection
    for one in (file, other):
        one.close()


def test_what_is_no_other_processs_write_is_not_waited_for(tmp_path: Path) -> None:
    file = StoreFile(tmp_path / "calls.db", writes=True)
    file.begin()
    file._pause = pause = Pause()  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable, match="within a transaction"):
        file.begin()
    assert not pause.waited_s
    file.close()


def test_a_closed_store_holds_no_file_nor_does_one_that_could_not_be_opened(
    tmp_path: Path,
) -> None:
    before = open_numbers()
    file = StoreFile(tmp_path / "calls.db", writes=True)
    connection = file.begin()
    file.commit(connection)
    assert open_numbers() - before
    file.close()
    assert not open_numbers() - before
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
    (tmp_path / "calls.db").write_bytes(b"not a database at all" * 400)
    with pytest.raises(StoreUnavailable, match="not a SQLite file") as caught:
        file.begin()
    # The traceback keeps whatever is not closed.
    assert (open_numbers() - before, caught.type) == (set(), StoreUnavailable)


def test_a_blocked_scrub_says_so(tmp_path: Path) -> None:
    writer = StoreFile(tmp_path / "calls.db", writes=True)
    assert writer.scrub()
    writer.commit(writer.begin())
    reader = StoreFile(tmp_path / "calls.db", writes=False)
    reader.begin().execute(SQL["tide"]).fetchone()
    writer.commit(writer.begin())
    assert not writer.scrub()
    reader.roll_back()
    assert writer.scrub()
    reader.close()
    writer.close()
