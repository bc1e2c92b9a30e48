"""A house in memory around the tests that ask for one."""

from collections.abc import AsyncIterator

import pytest_asyncio

from service.journal.stores import connect
from tests.session.house import House


@pytest_asyncio.fixture
async def house() -> AsyncIterator[House]:
    journal = connect("sqlite://:memory:", ttl_ms=1_800_000)
    await journal.start()
    opened = House(journal)
    yield opened
    await opened.close()
    await journal.close()
