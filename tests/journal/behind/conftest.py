"""A store with faults, and a bridge to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from service.journal.behind.bridge import Bridge
from service.journal.behind.reach import Deadlines
from service.journal.behind.shelf import Shelf
from tests.journal.behind.faults import FaultyStore, bridge_to


@pytest_asyncio.fixture
async def faulty() -> FaultyStore:
    return FaultyStore()


@pytest_asyncio.fixture
async def bridge(faulty: FaultyStore, tmp_path: Path) -> AsyncIterator[Bridge]:
    bridge = bridge_to(faulty, Shelf(tmp_path / "behind", "one"))
    await bridge.start()
    yield bridge
    faulty.way = "well"
    faulty.may_answer.set()
    await bridge.close()


@pytest_asyncio.fixture
async def patient(faulty: FaultyStore) -> AsyncIterator[Bridge]:
    """A bridge that waits longer for the store than any test lasts."""
    bridge = bridge_to(faulty, deadlines=Deadlines(10, 10))
    await bridge.start()
    yield bridge
    await bridge.close()
