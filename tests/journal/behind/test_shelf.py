"""R-9, O-6: what is put is on disk, or it is said that it is not."""

import asyncio
import logging
import os
from pathlib import Path

import pytest

from service import scope
from service.journal.behind import shelf as module
from service.journal.behind.shelf import Shelf
from service.journal.behind.shelffile import ShelfFile, left_files
from service.journal.values import Durability
from tests.conftest import wait_until
from tests.lines import lines

pytestmark = pytest.mark.asyncio


async def test_what_is_put_outlives_its_process(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "one")
    assert await asyncio.gather(*(shelf.put(b"%d" % n) for n in range(9))) == [Durability.LOCAL] * 9
    assert shelf.bytes > 9
    await shelf.close()
    heir = Shelf(tmp_path, "two")
    assert await heir.take_over() == tuple(b"%d" % n for n in range(9))
    assert await heir.put(b"own") is Durability.LOCAL
    heir.empty()
    await heir.close()
    assert await asyncio.to_thread(left_files, tmp_path) == ()


async def test_what_is_put_after_it_was_emptied_stays(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "one")
    before = asyncio.create_task(shelf.put(b"before"))
    await asyncio.sleep(0)
    shelf.empty()
    after = asyncio.create_task(shelf.put(b"after"))
    await asyncio.gather(before, after)
    await shelf.close()
    assert await Shelf(tmp_path, "two").take_over() == (b"after",)


async def test_a_shelf_is_rewritten_with_what_is_live(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "one")
    await shelf.put(b"x" * 1_000)
    await shelf.rewrite([b"live"])
    await shelf.put(b"later")
    assert shelf.bytes < 100
    await shelf.close()
    assert await Shelf(tmp_path, "two").take_over() == (b"live", b"later")


async def test_without_a_folder_it_is_memory() -> None:
    shelf = Shelf(None, "one")
    assert await shelf.put(b"x") is Durability.MEMORY
    assert (await shelf.take_over(), shelf.trouble) == ((), "")
    shelf.empty()
    assert shelf.bytes == 0
    await shelf.close()


async def test_a_disk_that_refuses_is_loud_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_MS", 0)
    (tmp_path / "behind").write_text("a file where the folder should be")
    shelf = Shelf(tmp_path / "behind", "one")
    assert await shelf.take_over() == ()
    scope.of_call("CA1")
    with lines() as told:
        assert [await shelf.put(b"x") for _ in range(3)] == [Durability.MEMORY] * 3
    assert shelf.trouble
    assert [one for one in told if "call_sid" in one] == [], "it keeps what all calls put"
    errors = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert len(errors) == 1
    (tmp_path / "behind").unlink()
    assert await shelf.put(b"y") is Durability.LOCAL
    assert shelf.trouble == ""
    await shelf.close()


async def test_a_disk_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, write = os.pipe()
    append = ShelfFile.append

    def hanging(self: ShelfFile, frames: bytes) -> None:
        os.read(read, 1)
        append(self, frames)

    monkeypatch.setattr(ShelfFile, "append", hanging)
    monkeypatch.setattr(module, "PUT_MS_MAX", 10)
    shelf = Shelf(tmp_path, "one")
    assert await shelf.put(b"x") is Durability.MEMORY
    assert await shelf.put(b"y") is Durability.MEMORY, "at once"
    os.write(write, b"..")
    await wait_until(lambda: not shelf.trouble, description="the disk answered")
    await shelf.close()
    os.close(read)
    os.close(write)


async def test_it_takes_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES_MAX", 100)
    shelf = Shelf(None, "one")
    assert not shelf.is_full
    await shelf.put(b"x" * 100)
    assert shelf.is_full


async def test_a_note_keeps_its_place_among_what_is_put(tmp_path: Path) -> None:
    """Seed 25 of the simulation: it came after the emptying that followed it, and stayed on disk."""
    shelf = Shelf(tmp_path, "one")
    await shelf.put(b"before")
    shelf.note(b"told")
    shelf.empty()
    shelf.note(b"last")
    await shelf.close()
    assert await Shelf(tmp_path, "two").take_over() == (b"last",)


async def test_a_note_is_not_kept_where_nothing_is() -> None:
    shelf = Shelf(None, "one")
    shelf.note(b"x")
    assert shelf.bytes
    await shelf.close()
