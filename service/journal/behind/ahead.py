"""A tail that is read ahead of whoever wants it, so that what came together is taken together."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from service.journal.limits import PAGE_RECORDS
from service.journal.values import Gone, Record, Reset
from service.waiting import Flag

Item = Record | Reset | Gone


class Ahead:
    """Reads `tail` in a task of its own, at most a page ahead, and rings when something has come.

    One task a tail, not one a record: a reader of a busy call would cost more than the call.
    """

    def __init__(self, tail: AsyncGenerator[Item, None], bell: Flag) -> None:
        self._bell = bell
        self._came: list[Item] = []
        self._room = Flag()
        self._reading = asyncio.create_task(self._read(tail))

    def taken(self) -> tuple[Item, ...]:
        """Return what has come since, in order; empty when nothing has.

        Raises what the tail raised, after all that came before it was taken.
        """
        came, self._came = tuple(self._came), []
        self._room.set()
        if not came and self._reading.done():
            self._reading.result()
        return came

    async def aclose(self) -> None:
        """Read no more, and close the tail."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self, tail: AsyncGenerator[Item, None]) -> None:
        try:
            async with aclosing(tail) as items:
                async for item in items:
                    self._came.append(item)
                    self._bell.set()
                    if len(self._came) >= PAGE_RECORDS:
                        self._room.clear()
                        await self._room.wait()
        finally:
            self._bell.set()
