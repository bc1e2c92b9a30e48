"""A model by the stand-in's server, and a stage that it plays on."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from service.agent.functions import Functions
from service.agent.realtime.realtime import Realtime
from service.agent.realtime.settings import RealtimeSettings
from service.tools.terms import Description
from tests.session.house import House
from tests.session.stage import Stage
from tests.standins.realtime import KEY, RealtimeStandIn, realtime_stand_in

LOOKUP = Description(
    "lookup",
    "Looks a ticket up.",
    {"type": "object", "properties": {"ticket_id": {"type": "string"}}, "required": ["ticket_id"]},
)


@pytest_asyncio.fixture
async def model() -> AsyncIterator[RealtimeStandIn]:
    async with realtime_stand_in() as model:
        yield model


@pytest_asyncio.fixture
async def agent(model: RealtimeStandIn) -> AsyncIterator[Realtime]:
    agent = Realtime(RealtimeSettings(base_url=model.url, api_key=KEY), Functions((LOOKUP,)))
    yield agent
    await agent.close()


@pytest_asyncio.fixture
async def stages() -> AsyncIterator[list[asyncio.Task[None]]]:
    running: list[asyncio.Task[None]] = []
    yield running
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


@pytest_asyncio.fixture
async def stage(
    house: House, agent: Realtime, stages: list[asyncio.Task[None]]
) -> AsyncIterator[Stage]:
    stage = Stage(house, agent)
    stages.append(asyncio.create_task(stage.duplex.run()))
    yield stage
