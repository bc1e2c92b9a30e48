import sqlite3
from pathlib import Path

import pytest

from service.errors import StoreUnavailable
from service.journal.sqlite.storefile import LAYOUT, SQL, StoreFile, is_busy, named_statements


def test_every_statement_has_its_name() -> None:
    assert named_statements("statements.sql") == SQL
    assert SQL["tide"] == "SELECT height FROM tide;"
    assert all(text.endswith(";") for text in SQL.values())


def test_a_commit_is_durable_and_raises_the_tide(tmp_path: Path) -> None:
    file = StoreFile(tmp_path / "new" / "calls.db", writes=True)
    for height in (1, 2, 3):
        file.commit(file.begin())
        assert (tmp_path / "new" / "calls.db-tide").read_text() == f"{height:020}"
    connection = file.begin()
    modes = [
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "secure_delete", "user_version")
    ]
    assert modes == ["wal", 2, 1, LAYOUT]
    file.roll_back()
    file.roll_back()
    file.close()
    file.close()


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
    assert "holds the file's write lock" in str(file.give_up(busy))
    assert file.begin() is connection
    broken = sqlite3.OperationalError("disk I/O error")
    broken.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    assert "the disk reports an error" in str(file.give_up(broken))
    assert file.begin() is not connection
    assert "something else" in str(file.give_up(OSError("something else")))


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
