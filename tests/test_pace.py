import asyncio
import itertools

import pytest

from service.pace import Pace
from tests.conftest import for_a_moment

pytestmark = pytest.mark.asyncio


async def test_the_first_goes_at_once_and_the_others_evenly_in_their_order() -> None:
    pace, order = Pace(200), list[int]()
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    async def goes(number: int) -> float:
        await pace.wait()
        order.append(number)
        return loop.time() - began_s

    went_s = await asyncio.gather(*map(goes, range(11)))
    assert order == list(range(11))
    assert went_s[0] < 0.005
    assert went_s[-1] >= 0.05


async def test_what_was_not_used_is_not_saved_up() -> None:
    pace = Pace(100)
    await pace.wait()
    await for_a_moment(0.05)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await asyncio.gather(*(pace.wait() for _ in range(3)))
    assert loop.time() - began_s >= 0.019


async def test_who_goes_away_keeps_nobody_waiting_for_long() -> None:
    pace = Pace(100)
    await pace.wait()
    waiting = asyncio.create_task(pace.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    async with asyncio.timeout(1):
        await pace.wait()


async def test_after_a_stall_nobody_catches_up_in_a_burst() -> None:
    pace = Pace(100)
    loop = asyncio.get_running_loop()
    went_s = list[float]()

    async def goes() -> None:
        await pace.wait()
        went_s.append(loop.time())

    waiting = [asyncio.create_task(goes()) for _ in range(6)]
    await for_a_moment(0.005)
    until_s = loop.time() + 0.08
    while loop.time() < until_s:
        pass  # The loop stands still for eight turns.
    await asyncio.gather(*waiting)
    apart_s = [later - sooner for sooner, later in itertools.pairwise(went_s)]
    assert min(apart_s) >= 0.009
