"""A house in memory around every test of the session, and a guard against blocking the loop."""

import platform
from collections.abc import AsyncIterator, Generator

import pytest
import pytest_asyncio
from blockbuster import blockbuster_ctx

from service.journal.journal import Journal
from service.journal.stores import connect
from tests.session.house import House

# A model's client asks for it when it is made, at the start of a server; tests make theirs in the loop.
platform.platform()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Nothing that runs in the service may block the loop."""
    with blockbuster_ctx("service"):
        return (yield)


@pytest_asyncio.fixture
async def journal() -> AsyncIterator[Journal]:
    opened = connect("sqlite://:memory:", ttl_ms=1_800_000)
    await opened.start()
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def house(journal: Journal) -> AsyncIterator[House]:
    opened = House(journal)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def elsewhere(journal: Journal) -> AsyncIterator[House]:
    """Another process on the same store."""
    opened = House(journal, owner="elsewhere")
    yield opened
    await opened.close()
