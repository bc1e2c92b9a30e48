"""The stores that the one suite runs on, real ones all: memory, SQLite, Redis (Sentinels, a Cluster), a bridge."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.journal.journal import Journal
from tests.journal.backends import Store
from tests.journal.sealing import KEY
from tests.standins.towns import ClusterTown, SentinelTown
from tests.standins.valkey import Valkey

EVERY = ("memory", "sqlite", "redis", "sentinel", "cluster", "bridge")
SEALED = ("sealed memory", "sealed sqlite", "sealed redis", "sealed cluster", "sealed bridge")


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


@pytest_asyncio.fixture(params=[*EVERY, *SEALED])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Every kind of store."""
    async with _store(request, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(params=[*EVERY[1:], *SEALED[1:]])
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
    *is_sealed, kind = request.param.split()
    keys = (KEY,) if is_sealed else ()
    url = f"sqlite:///{folder}/var/calls.db"
    match kind:
        case "memory":
            return Store("memory", "sqlite://:memory:", keys=keys)
        case "sqlite":
            return Store("sqlite", url, keys=keys)
        case "bridge":
            return Store("sqlite", url, shelves=folder / "behind", keys=keys)
        case "redis":
            return Store("redis", request.getfixturevalue("redis_url"), keys=keys)
        case kind:
            town: SentinelTown | ClusterTown = request.getfixturevalue(f"{kind}_town")
            servers = [server.url for server in town.primaries()]
            return Store(kind, town.url, servers=servers, keys=keys)
