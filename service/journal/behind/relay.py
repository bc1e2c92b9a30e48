"""Tails through an outage: the store's, then a branch's, then the store's again.

    the store's tail ──(a branch begins)──> the branch's records ──(it ends)──> the store's tail

A branch whose records came to stand elsewhere ends with `Reset`: what was read of it is told again, in
its final place.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import assert_never

from service.journal.behind.branch import Branch
from service.journal.journal import Journal
from service.journal.tailing import Bells
from service.journal.values import Gone, Record, Reset

Item = Record | Reset | Gone


class Relay:
    """Reads one call for one reader, from wherever it stands."""

    def __init__(
        self,
        engine: Journal,
        branch_of: Callable[[str], Branch | None],
        bells: Bells,
        call_sid: str,
        incarnation: str | None,
        after: int,
    ) -> None:
        self._engine = engine
        self._branch_of = branch_of
        self._bells = bells
        self._call_sid = call_sid
        self._incarnation = incarnation
        self._after = after

    async def items(self) -> AsyncGenerator[Item, None]:
        """Yield what Journal.tail promises."""
        while True:
            branch = self._branch()
            stage = self._from_store() if branch is None else self._from_branch(branch)
            async with aclosing(stage) as items:
                async for item in items:
                    match item:
                        case Record():
                            self._after = item.position
                        case Reset():
                            self._incarnation, self._after = item.incarnation, 0
                        case Gone():
                            yield item
                            return
                        case _:
                            assert_never(item)
                    yield item

    def _branch(self) -> Branch | None:
        """Return the branch that has what comes next, if there is one."""
        branch = self._branch_of(self._call_sid)
        is_there = branch is not None and branch.can_read(self._incarnation, self._after)
        return branch if is_there else None

    async def _from_branch(self, branch: Branch) -> AsyncGenerator[Item, None]:
        with self._bells.hang(self._call_sid) as bell:
            while self._branch_of(self._call_sid) is branch:
                bell.clear()
                if self._after < branch.since:
                    return  # we were slow, and what comes next is with the store
                for record in branch.after(self._after):
                    yield record
                if self._after >= branch.head and self._branch_of(self._call_sid) is branch:
                    await bell.wait()
        if branch.is_shifted:
            yield Reset(branch.store_incarnation)

    async def _from_store(self) -> AsyncGenerator[Item, None]:
        tail = self._engine.tail(self._call_sid, incarnation=self._incarnation, after=self._after)
        coming: asyncio.Task[Item] | None = None
        with self._bells.hang(self._call_sid) as bell:
            try:
                while self._branch() is None:
                    bell.clear()
                    coming = coming or asyncio.create_task(_next(tail))
                    await _first_of(coming, bell)
                    if coming.done():
                        item = coming.result()
                        coming = None
                        yield item
            finally:
                if coming is not None:
                    coming.cancel()
                    await asyncio.gather(coming, return_exceptions=True)
                await tail.aclose()


async def _next(items: AsyncGenerator[Item, None]) -> Item:
    return await anext(items)


async def _first_of(coming: asyncio.Task[Item], bell: asyncio.Event) -> None:
    """Wait until there is an item, or the bell rings."""
    ringing = asyncio.create_task(bell.wait())
    try:
        await asyncio.wait({coming, ringing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ringing.cancel()
