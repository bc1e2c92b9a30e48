"""The application in memory around every test of the doors, and a guard against blocking the loop."""

from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest
import pytest_asyncio
from blockbuster import blockbuster_ctx

from tests.web.front import Front, fronted, served


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Nothing that runs in the service may block the loop."""
    with blockbuster_ctx("service"):
        return (yield)


@pytest.fixture
def changes() -> dict[str, Any]:
    """The settings that a test wants otherwise; it overrides this by a parameter of the same name."""
    return {}


@pytest_asyncio.fixture
async def front(changes: dict[str, Any]) -> AsyncIterator[Front]:
    async with fronted(**changes) as running:
        yield running


@pytest_asyncio.fixture
async def host(front: Front) -> AsyncIterator[str]:
    async with served(front) as address:
        yield address
