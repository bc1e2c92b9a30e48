"""Tails through an outage: the store's, then a branch's, then the store's again.

    the store's tail ──(a branch begins)──> the branch's records ──(it ends)──> the store's tail

A branch whose records came to stand elsewhere ends with `Reset`: what was read of it is told again, in
its final place.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import assert_never

from service.journal.behind.ahead import Ahead, Item
from service.journal.behind.branch import Branch
from service.journal.journal import Journal
from service.journal.limits import PAGE_RECORDS
from service.journal.tailing import Bells
from service.journal.values import Gone, Missing, Record, Reset


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
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for item in batch:
                    yield item

    async def batches(self) -> AsyncGenerator[tuple[Item, ...], None]:
        """Yield the same, as it came together: one item or more, and no more than a page of the store."""
        while True:
            branch = self._branch()
            stage = self._from_store() if branch is None else self._from_branch(branch)
            async with aclosing(stage) as batches:
                async for batch in batches:
                    is_over = self._passed(batch)
                    yield batch
                    if is_over:
                        return

    def _passed(self, batch: tuple[Item, ...]) -> bool:
        """Note how far the reader is then. True: there is nothing more."""
        for item in batch:
            match item:
                case Record():
                    self._after = item.position
                case Reset():
                    self._incarnation, self._after = item.incarnation, 0
                case Gone():
                    return True
                case _:
                    assert_never(item)
        return False

    def _branch(self) -> Branch | None:
        """Return the branch that has what comes next, if there is one."""
        branch = self._branch_of(self._call_sid)
        is_there = branch is not None and branch.can_read(self._incarnation, self._after)
        return branch if is_there else None

    async def _from_branch(self, branch: Branch) -> AsyncGenerator[tuple[Item, ...], None]:
        with self._bells.hang(self._call_sid) as bell:
            while self._branch_of(self._call_sid) is branch:
                bell.clear()
                if self._after < branch.since:
                    return  # we were slow, and what comes next is with the store
                if batch := branch.after(self._after)[:PAGE_RECORDS]:
                    yield batch
                elif self._branch_of(self._call_sid) is branch:
                    await bell.wait()
        if branch.is_shifted:
            yield (Reset(branch.store_incarnation),)

    async def _from_store(self) -> AsyncGenerator[tuple[Item, ...], None]:
        tail = self._engine.tail(self._call_sid, incarnation=self._incarnation, after=self._after)
        with self._bells.hang(self._call_sid) as bell:
            async with aclosing(Ahead(tail, bell)) as ahead:
                while self._branch() is None:
                    bell.clear()
                    if not (batch := ahead.taken()):
                        await bell.wait()
                    elif isinstance(batch[-1], Gone):
                        yield await self._gone(batch)
                        return
                    else:
                        yield batch

    async def _gone(self, batch: tuple[Item, ...]) -> tuple[Item, ...]:
        """Return what ends with `Gone` as it is now: the call may have been opened anew since that was read."""
        reading = await self._engine.read(self._call_sid)
        if isinstance(reading, Missing):
            return batch
        return (*batch[:-1], Reset(reading.incarnation))
