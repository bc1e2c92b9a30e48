"""What tasks wait at, light enough for every call to have a dozen: a flag, and a row.

asyncio's own keep a queue of those who wait from the start, 0.8 KiB for an Event and 2.6 for a Queue, and of
those of a call hardly any is waited at by more than one. Here nothing is kept that isn't there.
"""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Flag:
    """Is raised or isn't, and can be waited for. In the words of asyncio.Event, which it stands for."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: tuple[asyncio.Future[None], ...] = ()

    def is_set(self) -> bool:
        """Whether it is raised."""
        return self._is_set

    def set(self) -> None:
        """Raise it. Whoever waits goes on, even if it is lowered again before their turn."""
        self._is_set = True
        for one in self._waiting:
            _go_on(one)

    def clear(self) -> None:
        """Lower it."""
        self._is_set = False

    async def wait(self, within_s: float | None = None) -> None:
        """Wait until it is raised, and at most so long."""
        if self._is_set:
            return
        loop = asyncio.get_running_loop()
        mine = loop.create_future()
        self._waiting += (mine,)
        timer = None if within_s is None else loop.call_later(within_s, _go_on, mine)
        try:
            await mine
        finally:
            if timer is not None:
                timer.cancel()
            self._waiting = tuple(one for one in self._waiting if one is not mine)


def _go_on(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


class Row(Generic[T]):
    """First come, first served. In the words of asyncio.Queue, without an end: who puts keeps to a limit.

    For short rows: taking the first moves all the others.
    """

    __slots__ = ("_news", "_things")

    def __init__(self) -> None:
        self._things: list[T] = []
        self._news = Flag()

    def qsize(self) -> int:
        """Return how many stand in it."""
        return len(self._things)

    def empty(self) -> bool:
        """Whether nothing stands in it."""
        return not self._things

    def put_nowait(self, thing: T) -> None:
        """Put one behind the others."""
        self._things.append(thing)
        self._news.set()

    def get_nowait(self) -> T:
        """Take the first. Raises IndexError when there is none."""
        return self._things.pop(0)

    async def filled(self, within_s: float | None) -> bool:
        """Wait until something stands in it, and at most so long. Whether something does."""
        if not self._things:
            self._news.clear()
            await self._news.wait(within_s)
        return bool(self._things)

    async def get(self) -> T:
        """Take the first, as soon as there is one."""
        while not self._things:
            self._news.clear()
            await self._news.wait()
        return self._things.pop(0)
