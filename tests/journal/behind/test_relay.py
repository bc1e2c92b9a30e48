"""O-6: a reader hears through an outage what is written in this process, without gap or duplicate."""

import asyncio
from contextlib import aclosing

import pytest

from service.journal.behind.bridge import Bridge
from service.journal.values import Appended, Claim, Record, Reset
from tests.conftest import wait_until
from tests.journal.behind.faults import CALL, FaultyStore

pytestmark = pytest.mark.asyncio
NOW_MS = 1_790_000_000_000


async def write(bridge: Bridge, key: str, after: int) -> None:
    outcome = await bridge.append(
        CALL, [key.encode()], epoch=1, after=after, key=key, now_ms=NOW_MS
    )
    assert isinstance(outcome, Appended)


async def test_a_tail_goes_from_the_store_to_the_branch_and_back(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    claim = await bridge.claim(CALL, [b"o"], owner="us", until_ms=NOW_MS, now_ms=NOW_MS)
    assert isinstance(claim, Claim)
    heard: list[object] = []

    async def listen() -> None:
        tail = bridge.tail(CALL, incarnation=claim.incarnation, after=0)
        async with aclosing(tail) as items:
            async for item in items:
                told = item.body if isinstance(item, Record) else item
                heard.append(told)

    listening = asyncio.create_task(listen())
    await write(bridge, "a", 1)
    await wait_until(lambda: heard == [b"o", b"a"], description="the store's")
    faulty.way = "away"
    await write(bridge, "b", 2)
    await write(bridge, "c", 3)
    await wait_until(lambda: heard[2:] == [b"b", b"c"], description="the branch's")
    faulty.way = "well"
    await wait_until(lambda: not bridge.arrears.calls, description="all is told")
    await write(bridge, "d", 4)
    await wait_until(lambda: heard[4:] == [b"d"], description="the store's again")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_branch_that_shifted_ends_with_a_reset(bridge: Bridge, faulty: FaultyStore) -> None:
    await bridge.claim(CALL, [b"o"], owner="us", until_ms=NOW_MS, now_ms=NOW_MS)
    faulty.way = "away"
    await write(bridge, "b", 1)
    await faulty.real.append(CALL, [b"n"], epoch=None, after=None, key="n", now_ms=NOW_MS)
    async with aclosing(bridge.tail(CALL, incarnation=None, after=1)) as items:
        first = await anext(items)
        assert isinstance(first, Record)
        assert (first.position, first.body) == (2, b"b")
        faulty.way = "well"
        assert isinstance(await anext(items), Reset)
        rest = [await anext(items) for _ in range(3)]
        assert [one.body for one in rest if isinstance(one, Record)] == [b"o", b"n", b"b"]
