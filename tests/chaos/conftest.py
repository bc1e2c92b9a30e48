from collections.abc import AsyncIterator

import pytest_asyncio

from service.chaos.callers.crowd import Crowd
from service.simulator.account import Account, Terms
from tests.chaos.deployment import Deployment
from tests.simulator.conftest import QUICK
from tests.simulator.talker import ACCOUNT, TOKEN, serving


@pytest_asyncio.fixture
async def deployment() -> AsyncIterator[Deployment]:
    async with serving(Deployment()) as running:
        assert isinstance(running, Deployment)
        yield running


@pytest_asyncio.fixture
async def crowd(deployment: Deployment) -> AsyncIterator[Crowd]:
    async with Crowd(Account(ACCOUNT, TOKEN), terms=Terms(pace=QUICK), media_ms=20) as running:
        running.route(deployment.url)
        yield running
