"""A thousand drops around tool calls: nothing acts twice, everything ends, and nothing is claimed that isn't so.

Real sessions on real stores (a SQLite file, a Redis server), each call among three processes of which
any may die at any write. A life is in life.py, the world it is lived in in chaos.py.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.call.decisions import operation
from service.desk import TicketDesk
from service.journal.journal import Journal
from service.session import watch, working
from service.session.kept import ledger
from service.tools.toolbox import Toolbox
from service.tools.toolfile import Entry
from tests.desks import serving
from tests.journal.backends import Store
from tests.session.chaos import LOOKUP, NOTE, POINTS, TERMS, DeskTools
from tests.session.house import House
from tests.session.life import DROPS, WAYS, Figures, Life
from tests.standins.valkey import Valkey

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(240)]

LIVES = 100  # a store's: five drops each, and two stores, make a thousand
LIVES_AT_THE_DESK = 12
AT_ONCE = 15
LIFE_S_MAX = 60  # a life takes three seconds on a machine that has nothing else to do


@pytest_asyncio.fixture(params=["sqlite", "redis"])
async def journals(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[Journal]]:
    """Three ways to one store, as three processes have them."""
    if request.param == "sqlite":
        async with Store("sqlite", f"sqlite:///{tmp_path}/calls.db") as store:
            yield await _ways(store)
        return
    with Valkey(tmp_path / "valkey") as server:
        async with Store("redis", server.url) as store:
            yield await _ways(store)


async def _ways(store: Store) -> list[Journal]:
    journals = [await store.journal() for _ in range(3)]
    for journal in journals:
        await journal.open_calls()  # The client looks its own version up when it first connects.
    return journals


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[tuple[TicketDesk, Toolbox]]:
    """The ticket desk behind a socket, as a system that knows no keys, and the tools that lead to it."""
    opened = TicketDesk()
    opened.honours_keys = False
    async with serving(opened) as url:
        toolbox = desk_tools(url)
        yield opened, toolbox
        await toolbox.close()


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A life in seconds: all that is waited for is some ten times shorter than in the service."""
    monkeypatch.setattr(working, "ANSWER_GRACE_MS", 50)
    monkeypatch.setattr(operation, "BACKOFF_MS", 20)
    monkeypatch.setattr(ledger, "LEASE_MS", 400)
    monkeypatch.setattr(watch, "RENEW_MS", 150)
    monkeypatch.setattr(ledger, "SNAPSHOT_EVERY", 20)


async def live(life: Life, at_once: asyncio.Semaphore) -> None:
    """Live one life; a failure names its seed and tells what became of the tools."""
    async with at_once:
        try:
            async with asyncio.timeout(LIFE_S_MAX):
                await life.run()
        except (Exception, pytest.fail.Exception) as fault:
            raise AssertionError(f"seed {life.seed}: {fault}\n{await life.story()}") from fault


async def test_a_thousand_drops_around_tools_cost_nothing_twice_and_leave_nothing_open(
    journals: list[Journal],
) -> None:
    house, figures, at_once = House(journals[0]), Figures(), asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as lives:
        for seed in range(LIVES):
            lives.create_task(live(Life(seed, house, journals, figures), at_once))
    print(figures)  # noqa: T201 - shown by `pytest -s`
    assert figures.drops.total() == LIVES * DROPS
    assert set(figures.drops) == set(WAYS)
    assert set(figures.points) == {*POINTS, "any"}
    reached = {f"{LOOKUP} succeeded", f"{LOOKUP} failed", f"{LOOKUP} timed_out"}
    reached |= {f"{NOTE} succeeded", f"{NOTE} failed", f"{NOTE} unknown"}
    assert reached <= set(figures.statuses)


async def test_drops_around_a_real_desk_that_knows_no_keys_cost_nothing_twice(
    journals: list[Journal], desk: tuple[TicketDesk, Toolbox]
) -> None:
    house, figures, at_once = House(journals[0]), Figures(), asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as lives:
        for seed in range(LIVES_AT_THE_DESK):
            tools = DeskTools(*desk, random.Random(seed))
            lives.create_task(live(Life(seed, house, journals, figures, tools), at_once))
    print(figures)  # noqa: T201 - shown by `pytest -s`
    assert figures.executions == sum(one.executions for one in desk[0].done.values())


def desk_tools(url: str) -> Toolbox:
    """Two of the desk's requests, under the names and on the terms that a life has."""
    paths = {LOOKUP: "/summaries", NOTE: "/tickets/{ticket_id}/notes"}
    fields = ("ticket_id", "text")
    entries = (
        Entry(
            name=name,
            description="Writes something down.",
            url=url + path,
            parameters={
                "type": "object",
                "properties": {field: {"type": "string"} for field in fields},
                "required": list(fields),
            },
            idempotent=TERMS[name].is_idempotent,
            attempts=TERMS[name].attempts_max,
            timeout_ms=TERMS[name].timeout_ms,
        )
        for name, path in paths.items()
    )
    return Toolbox(tuple(entries))
