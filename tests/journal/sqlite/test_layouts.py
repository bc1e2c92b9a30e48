"""A file made by an older version is carried over when it is opened: `layout_1.sql` is one, dumped."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from service.errors import StoreUnavailable
from service.journal.limits import UNCLAIMED_MS
from service.journal.sqlite.journal import SqliteJournal
from service.journal.sqlite.storefile import LAYOUT, StoreFile
from service.journal.values import Appended, Durability, Lease, Reading, Snapshot
from tests.journal.taking import take

NOW_MS = 1_790_000_000_000
TTL_MS = 1_800_000
OLD = Path(__file__).parent / "layout_1.sql"


def old_file(folder: Path) -> Path:
    path = folder / "calls.db"
    connection = sqlite3.connect(path)
    connection.executescript(OLD.read_text(encoding="utf-8"))
    connection.close()
    return path


def shape(path: Path | None) -> list[tuple[str, ...]]:
    """Return every table's columns and every index, as the file has them."""
    file = StoreFile(path, writes=True)
    connection = file.begin()
    columns = connection.execute(
        "SELECT t.name, c.name, c.type, c.\"notnull\", coalesce(c.dflt_value, ''), c.pk"
        " FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
    )
    found = [tuple(map(str, row)) for row in columns]
    found += connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index'")
    file.commit(connection)
    file.close()
    return sorted(tuple(map(str, row)) for row in found)


@pytest.mark.asyncio
async def test_a_file_of_the_first_layout_keeps_all_it_holds(tmp_path: Path) -> None:
    journal = SqliteJournal(old_file(tmp_path), ttl_ms=TTL_MS)
    await journal.start()
    reading = await journal.read("CA2")
    assert isinstance(reading, Reading)
    assert (reading.incarnation, reading.epoch, reading.head) == ("2d589e4672b1abba", 1, 3)
    assert [record.body for record in reading.records] == [b"a", b"b", b"c"]
    assert reading.snapshot == Snapshot(2, b"state")
    again = await journal.append("CA2", [b"c"], epoch=1, after=1, key="k", now_ms=NOW_MS + 9)
    assert again == Appended(3, Durability.LOCAL, repeated=True)
    claim = await take(journal, "CA2", owner="two", until_ms=NOW_MS + 9_000, now_ms=NOW_MS + 9)
    assert claim.lease == Lease("one", 1, NOW_MS, NOW_MS + 5_000)
    await journal.close()


@pytest.mark.asyncio
async def test_the_calls_of_an_older_file_are_looked_after(tmp_path: Path) -> None:
    journal = SqliteJournal(old_file(tmp_path), ttl_ms=TTL_MS)
    await journal.start()
    first, second = await journal.lapsed(now_ms=NOW_MS + UNCLAIMED_MS, limit=9)
    assert (first.call_sid, second.call_sid, second.lease) == ("CA2", "CA1", None)
    assert await journal.release("CA2", epoch=1)
    late_ms = NOW_MS + UNCLAIMED_MS
    assert [one.call_sid for one in await journal.lapsed(now_ms=late_ms, limit=9)] == ["CA1"]
    await journal.close()


@pytest.mark.asyncio
async def test_processes_that_open_an_older_file_at_once_carry_it_over_once(
    tmp_path: Path,
) -> None:
    path = old_file(tmp_path)
    journals = [SqliteJournal(path, ttl_ms=TTL_MS) for _ in range(8)]
    await asyncio.gather(*(journal.start() for journal in journals))
    for journal in journals:
        assert len(await journal.open_calls()) == 2
        await journal.close()


def test_an_older_file_ends_up_like_a_new_one(tmp_path: Path) -> None:
    path = old_file(tmp_path)
    assert shape(path) == shape(tmp_path / "new.db")
    assert shape(path) == shape(None)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (LAYOUT,)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.parametrize("layout", [-1, 0, LAYOUT + 1, 999])
def test_a_file_of_another_program_or_a_newer_version_is_left_alone(
    tmp_path: Path, layout: int
) -> None:
    path = old_file(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {layout}")
    before = connection.execute("SELECT * FROM sqlite_schema").fetchall()
    with pytest.raises(StoreUnavailable, match="another program or a newer version"):
        StoreFile(path, writes=True).begin()
    assert connection.execute("SELECT * FROM sqlite_schema").fetchall() == before
    connection.close()


@pytest.mark.parametrize("layout", [-1, LAYOUT + 1])
def test_a_file_that_another_program_has_only_begun_is_left_alone(
    tmp_path: Path, layout: int
) -> None:
    connection = sqlite3.connect(tmp_path / "calls.db")
    connection.execute(f"PRAGMA user_version = {layout}")
    with pytest.raises(StoreUnavailable, match="another program or a newer version"):
        StoreFile(tmp_path / "calls.db", writes=True).begin()
    assert connection.execute("SELECT * FROM sqlite_schema").fetchall() == []
    connection.close()
