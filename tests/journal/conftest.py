"""The stores that the one suite runs on, real ones all: memory, SQLite, Redis (Sentinels, a Cluster), a bridge."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.journal.journal import Journal
from tests.journal.backends import Store
from tests.standins.towns import ClusterTown, SentinelTown
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


@pytest.fixture(scope="session")
def sentinel_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelTown]:
    """A primary, two replicas and three Sentinels for the tests' time."""
    with SentinelTown(tmp_path_factory.mktemp("sentinel")) as town:
        yield town


@pytest.fixture(scope="session")
def cluster_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterTown]:
    """Three primaries with a replica each for the tests' time."""
    with ClusterTown(tmp_path_factory.mktemp("cluster")) as town:
        yield town


@pytest_asyncio.fixture(params=["memory", "sqlite", "redis", "sentinel", "cluster", "bridge"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Every kind of store."""
    async with _store(request, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(params=["sqlite", "redis", "sentinel", "cluster", "bridge"])
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
        case "bridge":
            return Store("sqlite", f"sqlite:///{folder}/var/calls.db", shelves=folder / "behind")
        case "redis":
            return Store("redis", request.getfixturevalue("redis_url"))
        case kind:
            town: SentinelTown | ClusterTown = request.getfixturevalue(f"{kind}_town")
            return Store(kind, town.url, servers=[server.url for server in town.primaries()])
