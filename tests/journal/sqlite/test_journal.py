"""The embedded journal and its file: kills, other processes, bad disks (R-1, R-2, R-9)."""

import asyncio
import json
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.errors import StoreUnavailable
from service.journal.sqlite.journal import SqliteJournal
from service.journal.values import Appended, Durability, Gone, Missing, Reading, Record, Reset
from tests.journal.backends import TTL_MS, run_writer
from tests.journal.taking import take

CALL = "CA" + "4" * 32
NOW_MS = 1_790_000_000_000


async def started(path: Path | None) -> SqliteJournal:
    journal = SqliteJournal(path, ttl_ms=TTL_MS)
    await journal.start()
    return journal


async def note(journal: SqliteJournal, key: str, body: bytes = b"note") -> int:
    outcome = await journal.append(CALL, [body], epoch=None, after=None, key=key, now_ms=NOW_MS)
    assert isinstance(outcome, Appended)
    return outcome.position


def all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def next_of(tail: AsyncIterator[Record | Reset | Gone]) -> Record | Reset | Gone:
    return await anext(tail)


def empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


@pytest.mark.asyncio
async def test_a_call_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "calls.db"
    journal = await started(path)
    await take(journal, CALL, [b"a"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    before = await journal.read(CALL)
    await journal.close()
    journal = await started(path)
    assert await journal.read(CALL) == before
    claim = await take(journal, CALL, [], owner="two", until_ms=NOW_MS, now_ms=NOW_MS)
    assert (claim.epoch, claim.is_new) == (2, False)
    await journal.close()


@pytest.mark.asyncio
async def test_in_memory_nothing_is_promised_beyond_the_process() -> None:
    journal = await started(None)
    assert await journal.check(now_ms=NOW_MS) is Durability.MEMORY
    await journal.close()
    await journal.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(3))
async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    url = f"sqlite:///{tmp_path}/calls.db"
    acknowledged: dict[int, str] = {}
    for life in range(3):
        writer = await run_writer(url, CALL, f"{life}", count=100_000)
        assert writer.stdout is not None
        for _ in range(dice.randrange(5, 300)):
            position, body = json.loads(await writer.stdout.readline())
            acknowledged[position] = body
        writer.kill()
        for line in (await writer.stdout.read()).splitlines(keepends=True):
            if line.endswith(b"\n"):
                position, body = json.loads(line)
                acknowledged[position] = body
        await writer.wait()
    journal = await started(tmp_path / "calls.db")
    reading = await journal.read(CALL)
    await journal.close()
    assert isinstance(reading, Reading)
    stored = {record.position: record.body.decode() for record in reading.records}
    assert sorted(stored) == list(range(1, reading.head + 1)), f"seed {seed}"
    assert acknowledged.items() <= stored.items(), f"seed {seed}"
    assert reading.epoch == 3


@pytest.mark.asyncio
async def test_two_processes_share_one_call_and_the_second_fences_the_first(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    first = await run_writer(url, CALL, "first", count=100_000)
    assert first.stdout is not None
    lines = [await first.stdout.readline() for _ in range(20)]
    second = await run_writer(url, CALL, "second", count=50)
    assert second.stdout is not None
    lines += (await second.stdout.read()).splitlines()
    tail = (await first.stdout.read()).splitlines()
    assert (await first.wait(), await second.wait()) == (0, 0)
    assert json.loads(tail[-1]) == ["Fenced", 2]
    acknowledged = dict(json.loads(line) for line in [*lines, *tail[:-1]])
    journal = await started(tmp_path / "calls.db")
    reading = await journal.read(CALL)
    await journal.close()
    assert isinstance(reading, Reading)
    assert {r.position: r.body.decode() for r in reading.records} == acknowledged
    epochs = [record.epoch for record in reading.records]
    assert epochs == sorted(epochs)
    assert epochs.count(2) == 50


@pytest.mark.asyncio
async def test_erased_words_are_gone_from_the_disk(tmp_path: Path) -> None:
    journal = await started(tmp_path / "calls.db")
    await journal.open(CALL, [b"first secret"], now_ms=NOW_MS)
    await journal.open("CA9", [b"kept"], now_ms=NOW_MS)
    for n in range(200):
        await note(journal, f"key secret {n}", b"later secret" * n)
    await take(journal, CALL, [], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    await journal.snapshot(CALL, epoch=1, position=9, body=b"folded secret" * 999)
    assert b"secret" in all_bytes(tmp_path)
    assert await journal.erase(CALL)
    assert b"secret" not in all_bytes(tmp_path)
    assert b"kept" in all_bytes(tmp_path)
    await journal.close()


@pytest.mark.asyncio
async def test_a_file_deleted_under_us_is_made_anew_and_tails_are_gone(tmp_path: Path) -> None:
    journal = await started(tmp_path / "calls.db")
    await journal.open(CALL, [b"a"], now_ms=NOW_MS)
    tail = journal.tail(CALL, incarnation=None, after=0)
    await anext(tail)
    empty(tmp_path)
    claim = await take(journal, CALL, [b"b"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    assert claim.is_new
    assert await anext(tail) == Reset(claim.incarnation)
    await tail.aclose()
    await journal.close()
    assert (tmp_path / "calls.db").stat().st_size


@pytest.mark.asyncio
async def test_a_tail_ends_with_an_error_when_its_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    journal = await started(path)
    await journal.open(CALL, [b"a"], now_ms=NOW_MS)
    tail = journal.tail(CALL, incarnation=None, after=0)
    await anext(tail)
    waiting = asyncio.create_task(next_of(tail))
    empty(tmp_path)
    path.write_bytes(b"not a database at all" * 400)
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable, match="not a SQLite file"):
            await waiting
    await journal.close()


@pytest.mark.asyncio
async def test_a_restored_copy_resets_its_readers(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    journal = await started(path)
    await journal.open(CALL, [b"a"], now_ms=NOW_MS)
    await journal.close()
    shutil.copy(path, tmp_path / "copy.db")
    journal = await started(path)
    before = [await note(journal, f"k{n}") for n in range(3)]
    reading = await journal.read(CALL)
    await journal.close()
    assert isinstance(reading, Reading)
    shutil.copy(tmp_path / "copy.db", path)
    journal = await started(path)
    after = [await note(journal, f"other{n}") for n in range(3)]
    assert before == after
    tail = journal.tail(CALL, incarnation=reading.incarnation, after=4)
    assert isinstance(await anext(tail), Reset)
    await tail.aclose()
    await journal.close()
    journal = await started(path)
    again = await journal.read(CALL)
    await journal.close()
    assert isinstance(again, Reading)
    assert again.incarnation != reading.incarnation


@pytest.mark.asyncio
async def test_a_damaged_file_is_one_clear_error_each_time(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    path.write_bytes(b"not a database at all" * 400)
    journal = SqliteJournal(path, ttl_ms=TTL_MS)
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="not a SQLite file; move it away"):
            await journal.start()
    path.unlink()
    await journal.start()
    assert await journal.read(CALL) == Missing()
    await journal.close()


@pytest.mark.asyncio
async def test_a_page_damaged_on_disk_fails_its_call_only_with_a_clear_error(
    tmp_path: Path,
) -> None:
    path = tmp_path / "calls.db"
    journal = await started(path)
    await journal.open(CALL, [b"x" * 2_000] * 100, now_ms=NOW_MS)
    await journal.close()
    content = bytearray(path.read_bytes())
    content[20 * 4_096 : 40 * 4_096] = b"\xee" * (20 * 4_096)
    path.write_bytes(content)
    journal = await started(path)
    for _ in range(2):
        damaged, sound = await asyncio.gather(
            journal.read(CALL), journal.read("CA9"), return_exceptions=True
        )
        assert isinstance(damaged, StoreUnavailable)
        assert "the file is damaged" in str(damaged)
        assert sound == Missing()
    await journal.close()


@pytest.mark.asyncio
async def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    journal = SqliteJournal(tmp_path / "file" / "calls.db", ttl_ms=TTL_MS)
    with pytest.raises(StoreUnavailable, match="can't be used"):
        await journal.start()
    await journal.close()


@pytest.mark.asyncio
async def test_a_full_disk_refuses_the_write_and_the_next_may_pass(tmp_path: Path) -> None:
    journal = await started(tmp_path / "calls.db")
    await journal.open(CALL, [b"a"], now_ms=NOW_MS)
    await journal._writing.run(lambda c: c.execute("PRAGMA max_page_count = 1").fetchone())
    with pytest.raises(StoreUnavailable, match="disk is full"):
        await note(journal, "k", b"x" * 200_000)
    assert await note(journal, "k", b"x" * 200_000) == 2
    await journal.close()


@pytest.mark.asyncio
async def test_another_programs_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE calls (mine)")
    other.close()
    journal = SqliteJournal(path, ttl_ms=TTL_MS)
    with pytest.raises(StoreUnavailable, match="another program or a newer version"):
        await journal.start()
    await journal.close()


@pytest.mark.asyncio
async def test_a_lock_held_too_long_is_an_error_and_no_end(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    journal = await started(path)
    await journal.open(CALL, [b"a"], now_ms=NOW_MS)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="holds the file's write lock"):
        await note(journal, "k")
    assert isinstance(await journal.read(CALL), Reading)
    other.execute("ROLLBACK")
    other.close()
    assert await note(journal, "k") == 2
    await journal.close()


@pytest.mark.asyncio
async def test_a_journal_that_is_not_started_says_so(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "calls.db", ttl_ms=TTL_MS)
    with pytest.raises(StoreUnavailable, match="not started, or closed"):
        await journal.read(CALL)
    await journal.start()
    await journal.close()
    with pytest.raises(StoreUnavailable, match="not started, or closed"):
        await note(journal, "k")


@pytest.mark.asyncio
async def test_what_was_accepted_is_written_before_the_journal_closes(tmp_path: Path) -> None:
    journal = await started(tmp_path / "calls.db")
    await journal.open(CALL, [], now_ms=NOW_MS)
    notes = [asyncio.create_task(note(journal, f"k{n}")) for n in range(500)]
    await asyncio.sleep(0)
    await journal.close()
    assert sorted(await asyncio.gather(*notes)) == list(range(1, 501))


@pytest.mark.asyncio
async def test_one_glance_serves_all_tails_and_ends_with_them(tmp_path: Path) -> None:
    here, there = await started(tmp_path / "calls.db"), await started(tmp_path / "calls.db")
    for n in range(10):
        await here.open(f"CA{n}", [b"a"], now_ms=NOW_MS)
    tails = [here.tail(f"CA{n}", incarnation=None, after=0) for n in range(10)]
    for tail in tails:
        await anext(tail)
    poller = here._tails._poller
    waiting = [asyncio.create_task(anext(tail)) for tail in tails]
    for n in range(10):
        await there.erase(f"CA{n}")
    assert await asyncio.gather(*waiting) == [Gone()] * 10
    assert here._tails._poller is poller
    assert poller is not None
    await asyncio.wait([poller])
    await here.close()
    await there.close()
