"""A flag and a row, held against asyncio's own."""

import asyncio
import sys
from collections.abc import Callable

import pytest

from service.waiting import Flag, Row
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio

FLAGS: tuple[Callable[[], Flag | asyncio.Event], ...] = (Flag, asyncio.Event)
ROWS: tuple[Callable[[], Row[int] | asyncio.Queue[int]], ...] = (Row, asyncio.Queue)


@pytest.mark.parametrize("make", FLAGS)
async def test_whoever_waits_goes_on_when_the_flag_is_raised(
    make: Callable[[], Flag | asyncio.Event],
) -> None:
    flag = make()
    waiting = [asyncio.create_task(flag.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)
    assert not flag.is_set()
    flag.set()
    flag.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting)
        await flag.wait()
    assert flag.is_set()


@pytest.mark.parametrize("make", FLAGS)
async def test_a_flag_that_is_lowered_at_once_has_still_waked_who_waited(
    make: Callable[[], Flag | asyncio.Event],
) -> None:
    flag = make()
    waiting, late = asyncio.create_task(flag.wait()), asyncio.create_task(flag.wait())
    await asyncio.sleep(0)
    flag.set()
    flag.clear()
    async with asyncio.timeout(5):
        await asyncio.gather(waiting, late)
    assert not flag.is_set()
    next_one = asyncio.create_task(flag.wait())
    await asyncio.sleep(0)
    assert not next_one.done()
    flag.set()
    await next_one


@pytest.mark.parametrize("make", FLAGS)
async def test_who_gives_up_waiting_takes_nobody_along(
    make: Callable[[], Flag | asyncio.Event],
) -> None:
    flag = make()
    gone, waits = (asyncio.create_task(flag.wait()) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    assert not waits.done()
    flag.set()
    async with asyncio.timeout(5):
        await waits


async def test_a_flag_keeps_nobody_who_went_on() -> None:
    flag = Flag()
    for _ in range(10):
        waiting = asyncio.create_task(flag.wait())
        await asyncio.sleep(0)
        flag.set()
        await waiting
        flag.clear()
    assert flag._waiting == ()
    assert sys.getsizeof(flag) < 100


@pytest.mark.parametrize("make", ROWS)
async def test_what_is_put_is_taken_in_order(
    make: Callable[[], Row[int] | asyncio.Queue[int]],
) -> None:
    row = make()
    taken: list[int] = []

    async def take() -> None:
        while True:
            taken.append(await row.get())

    taking = asyncio.create_task(take())
    await asyncio.sleep(0)
    for number in range(5):
        row.put_nowait(number)
    assert row.qsize() == 5
    await wait_until(row.empty, description="all were taken")
    row.put_nowait(5)
    await wait_until(lambda: len(taken) == 6, description="the one that came later, too")
    assert taken == list(range(6))
    taking.cancel()


@pytest.mark.parametrize("make", ROWS)
async def test_who_is_cancelled_while_waiting_takes_nothing_along(
    make: Callable[[], Row[int] | asyncio.Queue[int]],
) -> None:
    row = make()
    gone, waits = (asyncio.create_task(row.get()) for _ in range(2))
    await asyncio.sleep(0)
    row.put_nowait(7)
    gone.cancel()
    async with asyncio.timeout(5):
        assert await waits == 7
    assert row.empty()


async def test_the_first_can_be_taken_without_waiting() -> None:
    row = Row[int]()
    row.put_nowait(1)
    row.put_nowait(2)
    assert (row.get_nowait(), row.get_nowait()) == (1, 2)
    with pytest.raises(IndexError):
        row.get_nowait()


async def test_a_row_is_waited_for_until_something_stands_in_it_and_no_longer_than_told() -> None:
    row = Row[int]()
    assert not await row.filled(0)
    assert not await row.filled(0.001)
    for within_s in (None, 5.0):
        waits = asyncio.create_task(row.filled(within_s))
        await asyncio.sleep(0)
        row.put_nowait(1)
        async with asyncio.timeout(5):
            assert await waits
        assert await row.filled(within_s), "what stands there is still to be taken"
        assert row.get_nowait() == 1
    assert row.empty()


async def test_a_flag_is_waited_for_no_longer_than_told_and_is_not_raised_by_that() -> None:
    flag = Flag()
    await asyncio.wait_for(flag.wait(0.001), 5)
    assert not flag.is_set()
    flag.set()
    await asyncio.wait_for(flag.wait(60), 5)
