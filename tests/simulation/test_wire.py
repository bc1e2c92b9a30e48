import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tests.simulation.fleet import Fleet
from tests.simulation.plan import planned
from tests.simulation.server import Server
from tests.simulation.wire import ask
from tests.simulation.world import lived

PLAN = replace(planned(0), servers=1, calls=(), faults=())


async def dies(server: Server) -> None:
    server.die()


async def leaves(server: Server) -> None:
    await server.end()


async def says_nothing(_scope: Any, _receive: Any, _send: Any) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("goes", "why"), [(dies, "the server died"), (leaves, "the server is gone")]
)
def test_a_crash_under_a_question_is_told_from_an_answer_that_never_comes(
    goes: Callable[[Server], Awaitable[None]], why: str
) -> None:
    """The rules allow a call to end by the first alone."""
    heard = []

    async def asks(fleet: Fleet) -> None:
        await asyncio.sleep(PLAN.lasts_ms / 2_000)
        server = fleet.servers[0]
        server.app = says_nothing  # type: ignore[assignment] # an application that is never done
        fleet.beside(goes(server))
        try:
            await ask(server, "POST", "https://calls.example.com/twiml/resume", {})
        except ConnectionError as error:
            heard.append(str(error))

    lived(PLAN, asks)
    assert heard == [why]
