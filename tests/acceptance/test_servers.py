"""A call outlives its server: killed without a word, or simply not the one the next stream lands on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.test_drops import all_heard, back, kept_the_promise, quiet, spoken_for
from tests.acceptance.town import Town, audio, founded

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]


@pytest_asyncio.fixture(params=["sqlite", "redis"])
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    async with founded(request.param, tmp_path) as place:
        yield place


async def test_the_next_stream_may_land_on_another_server(town: Town) -> None:
    phone = await town.call()
    other = await town.open_server()
    await quiet(phone)
    turns = phone.agent_turns
    phone.caller.say(audio("caller_sarah_name"))
    await spoken_for(phone, turns + 1, 500)
    town.lead_to(other)
    await phone.caller.drop("reset")
    await back(phone)
    await all_heard(town, phone)
    state = await kept_the_promise(town, phone)
    assert state["fields"]["name"]["value"] == "Sarah Johnson"


async def test_a_killed_server_costs_no_word_of_the_call(town: Town) -> None:
    phone = await town.call()
    first, other = town.servers[0], await town.open_server()
    await quiet(phone)
    turns = phone.agent_turns
    phone.caller.say(audio("caller_sarah_name"))
    await spoken_for(phone, turns + 1, 500)
    town.lead_to(other)
    await first.kill()
    await back(phone)
    await all_heard(town, phone)
    state = await kept_the_promise(town, phone)
    assert state["streams"][1]["cause"] == "crash"
    assert state["fields"]["name"]["value"] == "Sarah Johnson"
