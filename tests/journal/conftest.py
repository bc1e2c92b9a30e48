"""The stores that the one suite runs on, real ones all: memory, a SQLite file, a Redis server."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.journal.journal import Journal
from tests.journal.backends import Store
from tests.standins.valkey import Valkey


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server for the tests' time: REDIS_URL_TEST, or one of our own on a free port."""
    given = os.environ.get("REDIS_URL_TEST")
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("valkey")
    with Valkey(folder) as server:
        yield server.url


@pytest_asyncio.fixture(params=["memory", "sqlite", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Every kind of store."""
    async with _store(request, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(params=["sqlite", "redis"])
async def shared(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Every kind of store that several processes share."""
    async with _store(request, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Store]:
    """Redis alone."""
    async with Store("redis", redis_url) as opened:
        yield opened


@pytest_asyncio.fixture
async def journal(store: Store) -> Journal:
    """One journal on every kind of store."""
    return await store.journal()


def _store(request: pytest.FixtureRequest, folder: Path) -> Store:
    match request.param:
        case "memory":
            return Store("memory", "sqlite://:memory:")
        case "sqlite":
            return Store("sqlite", f"sqlite:///{folder}/var/calls.db")
        case _:
            return Store("redis", request.getfixturevalue("redis_url"))
