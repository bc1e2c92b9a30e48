"""The stores that the one suite runs on, real ones all: memory, a SQLite file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.journal.journal import Journal
from tests.journal.backends import Store, store_of


@pytest_asyncio.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Every kind of store."""
    opened = store_of(request.param, tmp_path)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(params=["sqlite"])
async def shared(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Every kind of store that several processes share."""
    opened = store_of(request.param, tmp_path)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def journal(store: Store) -> Journal:
    """One journal on every kind of store."""
    return await store.journal()
