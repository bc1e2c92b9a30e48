import asyncio
from functools import partial
from itertools import pairwise

import pytest
from structlog.contextvars import get_contextvars
from typing_extensions import override

from service import scope
from service.loop_turn import TURN_MS
from service.wire.turnstile import PIECES_A_TURN, Turnstile
from tests.conftest import wait_until
from tests.simulation.loop import VirtualLoop


@pytest.mark.asyncio
async def test_a_crowd_is_served_in_order_a_little_in_each_turn_of_the_loop() -> None:
    turnstile, done = Turnstile(), list[int]()
    loop, turns = asyncio.get_running_loop(), list[int]()

    def turn() -> None:
        turns.append(len(done))
        if len(turnstile):
            loop.call_soon(turn)

    for number in range(100):
        turnstile.take(partial(done.append, number))
    loop.call_soon(turn)
    await wait_until(lambda: not len(turnstile), description="all were served")
    assert done == list(range(100))
    steps = [later - before for before, later in pairwise(turns)]
    assert steps
    assert max(steps) <= PIECES_A_TURN, "the loop got its turn between"


class Standing(VirtualLoop):
    """Of some of the time nothing was done."""

    stood_s = 0.0

    @override
    def time(self) -> float:
        return super().time() + self.stood_s


def test_a_long_turn_of_the_loop_counts_as_several() -> None:
    """Or a loop that is busy with its calls has newcomers wait for ever."""
    loop, turnstile, done, seen = Standing(), Turnstile(), list[int](), list[int]()

    async def stand() -> None:
        for number in range(100):
            turnstile.take(partial(done.append, number))
        loop.stood_s = 8 * TURN_MS / 1_000
        loop.call_soon(lambda: seen.append(len(done)))
        await asyncio.sleep(0.01)

    loop.run_until_complete(stand())
    loop.close()
    assert seen == [8 * PIECES_A_TURN]
    assert done == list(range(100))


@pytest.mark.asyncio
async def test_a_piece_is_done_in_no_calls_scope_whoever_came_first() -> None:
    turnstile, scopes = Turnstile(), list[object]()
    scope.of_call("CA1")
    for _ in range(PIECES_A_TURN + 1):
        turnstile.take(lambda: scopes.append(get_contextvars()))
    await turnstile.turn()
    assert scopes == [{}] * (PIECES_A_TURN + 1)


@pytest.mark.asyncio
async def test_whoever_comes_alone_waits_for_nobody() -> None:
    turnstile = Turnstile()
    async with asyncio.timeout(1):
        await turnstile.turn()
        await turnstile.turn()
    assert len(turnstile) == 0


@pytest.mark.asyncio
async def test_who_goes_away_while_waiting_holds_nobody_up() -> None:
    turnstile = Turnstile()
    gone, waits = (asyncio.create_task(turnstile.turn()) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    async with asyncio.timeout(1):
        await waits
    assert gone.cancelled()


@pytest.mark.asyncio
async def test_a_fault_of_one_is_not_that_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    turnstile, done = Turnstile(), list[str]()

    def fail() -> None:
        raise ValueError("a fault")

    turnstile.take(fail)
    turnstile.take(lambda: done.append("next"))
    await wait_until(lambda: done == ["next"], description="the next one was served")
    assert [record.action for record in caplog.records if hasattr(record, "action")] == [
        "connection_failed"
    ]
