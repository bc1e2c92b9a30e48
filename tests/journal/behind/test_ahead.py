import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from service.errors import StoreUnavailable
from service.journal.behind.ahead import Ahead, Item
from service.journal.limits import PAGE_RECORDS
from service.journal.values import Gone, Record
from service.waiting import Flag
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


class Tail:
    """A tail of numbered records, which notes how far it was read and whether it was closed."""

    def __init__(self, count: int, *, fails: bool = False) -> None:
        self.read = 0
        self.is_closed = False
        self._count = count
        self._fails = fails

    async def items(self) -> AsyncGenerator[Item, None]:
        try:
            for position in range(1, self._count + 1):
                self.read = position
                yield Record(position, 0, 0, b"{}")
            if self._fails:
                raise StoreUnavailable("no disk")
            yield Gone()
            await Flag().wait()
        finally:
            self.is_closed = True


def positions(items: tuple[Item, ...]) -> list[int]:
    return [one.position for one in items if isinstance(one, Record)]


async def test_what_came_together_is_taken_together() -> None:
    bell = Flag()
    async with aclosing(Ahead(Tail(3).items(), bell)) as ahead:
        assert ahead.taken() == ()
        await bell.wait()
        taken = ahead.taken()
        assert positions(taken) == [1, 2, 3]
        assert taken[-1] == Gone()
        assert ahead.taken() == ()


async def test_a_reader_that_takes_nothing_holds_a_page_at_most() -> None:
    """R-18: what a slow reader costs is bounded, however long the call is."""
    tail, bell = Tail(10 * PAGE_RECORDS), Flag()
    async with aclosing(Ahead(tail.items(), bell)) as ahead:
        await wait_until(lambda: tail.read == PAGE_RECORDS, description="a page is read")
        for _ in range(100):
            await asyncio.sleep(0)
        assert tail.read == PAGE_RECORDS
        seen: list[int] = []
        while len(seen) < 10 * PAGE_RECORDS:
            bell.clear()
            taken = positions(ahead.taken())
            assert len(taken) <= PAGE_RECORDS
            seen += taken
            if not taken:
                await bell.wait()
    assert seen == list(range(1, 10 * PAGE_RECORDS + 1))


async def test_a_failure_comes_after_all_that_came_before_it() -> None:
    bell = Flag()
    async with aclosing(Ahead(Tail(2, fails=True).items(), bell)) as ahead:
        await bell.wait()
        await asyncio.sleep(0)
        assert positions(ahead.taken()) == [1, 2]
        with pytest.raises(StoreUnavailable):
            ahead.taken()


async def test_its_end_closes_the_tail() -> None:
    tail, bell = Tail(1), Flag()
    ahead = Ahead(tail.items(), bell)
    await bell.wait()
    await ahead.aclose()
    assert tail.is_closed
