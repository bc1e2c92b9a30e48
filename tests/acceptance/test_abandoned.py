"""A server is gone and the carrier does not come back by itself: whoever lives finds its calls."""

import asyncio
import signal
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio

from service.session.kept.ledger import LEASE_MS
from service.simulator.account import AfterError, Terms
from service.switchboard.reconciler import ADOPT_MS, LOOK_MS
from tests.acceptance.test_drops import all_heard, back, kept_the_promise, quiet
from tests.acceptance.town import Json, Town, founded
from tests.conftest import for_a_moment

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]

FOUND_S_MAX = (LEASE_MS + LOOK_MS) / 1_000
SLACK_S = 4.0  # for a machine that is busy with something else


def found_s(adopted: Json) -> float:
    """How long after its last renewal a call was found."""
    at_s = datetime.fromisoformat(adopted["at"]).timestamp()
    return float(at_s - adopted["seen_ms"] / 1_000)


@pytest_asyncio.fixture(params=["sqlite"])
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    async with founded(request.param, tmp_path) as place:
        place.exchange.terms = Terms(after_error=AfterError.NOTHING)
        yield place


@pytest.mark.parametrize("town", ["sqlite", "redis"], indirect=True)
async def test_the_calls_of_a_killed_server_are_found_by_the_other_one(town: Town) -> None:
    first, other = town.servers[0], await town.open_server()
    phones = [await town.call(f"+1555000{number}") for number in range(3)]
    town.lead_to(other)
    await first.kill()
    await asyncio.gather(*map(back, phones))
    for phone in phones:
        await all_heard(town, phone)
        state = await kept_the_promise(town, phone)
        assert [one["cause"] for one in state["streams"]] == ["new", "crash"]
        (adopted,) = await town.events(phone, "call_adopted")
        assert found_s(adopted) <= FOUND_S_MAX + SLACK_S


async def test_a_server_that_starts_again_finds_its_own_calls(town: Town) -> None:
    phone = await town.call()
    await town.servers[0].kill()
    await town.servers[0].start()
    await back(phone)
    await all_heard(town, phone)
    state = await kept_the_promise(town, phone)
    assert state["streams"][1]["cause"] == "crash"


async def test_a_call_that_died_with_its_server_is_closed_once(town: Town) -> None:
    first, other, third = town.servers[0], await town.open_server(), await town.open_server()
    phone = await town.call()
    await first.kill()
    await phone.hang_up()
    await phone.until(lambda it: it.is_over, "the caller has gone")
    await for_a_moment(0.5)  # Its status callback goes to the server that is dead.
    for server in (other, third):
        town.lead_to(server)
        await town.until_state(phone, "phase", "ended")
    (ended,) = await town.events(phone, "call_ended")
    assert ended["reason"] == "gone_at_carrier"


async def test_while_the_carrier_can_not_be_asked_nothing_is_ended(town: Town) -> None:
    first, other = town.servers[0], await town.open_server()
    phone = await town.call()
    town.lead_to(other)
    town.exchange.answer_busy(1_000_000)
    await first.kill()
    await for_a_moment(FOUND_S_MAX + 8)  # and as long as the carrier is asked again and again
    assert not phone.is_over
    assert (await town.state(phone))["phase"] == "live"
    town.exchange.answer_busy(0)
    await phone.until(
        lambda it: it.streams == 2 and it.is_live, "it is led back", timeout_ms=2 * ADOPT_MS
    )
    await all_heard(town, phone)
    await kept_the_promise(town, phone)


async def test_a_server_that_only_slept_is_fenced_by_the_new_stream(town: Town) -> None:
    """R-2."""
    first, other = town.servers[0], await town.open_server()
    phone = await town.call()
    town.lead_to(other)
    first.send(signal.SIGSTOP)
    await phone.until(lambda it: it.streams == 2 and it.is_live, "led back", timeout_ms=15_000)
    await quiet(phone)
    first.send(signal.SIGCONT)
    turns = phone.agent_turns
    assert await town.ask(phone, "say", {"text": "Are you still there?"}) == 202
    await phone.until(lambda it: it.agent_turns > turns, "the talk goes on")
    await all_heard(town, phone)
    await kept_the_promise(town, phone)
    epochs = [one["epoch"] for one in await town.events(phone) if one["epoch"]]
    assert epochs == sorted(epochs), "nothing was written by the one that slept"
