"""The gate between a stream's token and its call: so many at once, the oldest call first.

    token accepted ──> gate ──> token spent, call claimed, state folded, stream plugged in ──> free again

When many streams are cut in one instant they all come back in one instant. Each of them needs the store
and a fold; all at once they would take turns at everything, and all be late. One after the other the first
are back at once and the last are no later. And each is let in when it is its turn (see wire/turnstile.py), so
that the calls which go on meanwhile are not late either.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.meter import Meter
from service.wire.turnstile import Turnstile

AT_ONCE_MAX = 8  # as many as keep store and loop busy; what the store answers at once is folded at once, 1 ms each
WAITING_MAX = 5_000  # as many as the switchboard has calls
WAIT_MS_MAX = 8_000  # a caller hears silence meanwhile; the way back by the carrier is as good then

_Place = tuple[int, int, asyncio.Future[bool]]


class Admission:
    """The gate of one process. Its `turnstile` is that of all who want something of the process."""

    def __init__(self, meter: Meter, turnstile: Turnstile) -> None:
        self._meter = meter
        self.turnstile = turnstile
        self._inside = 0
        self._came = 0
        self._waiting: list[_Place] = []
        self._is_closed = False

    @asynccontextmanager
    async def admit(self, opened_s: int) -> AsyncIterator[bool]:
        """Wait for a place and keep it inside the block. Yields False when there is none in time.

        `opened_s` is when the call was opened; 0, for nobody knows, goes first: such a token is of the
        version before, and so is its call.
        """
        is_inside = await self._enter(opened_s)
        try:
            yield is_inside
        finally:
            if is_inside:
                self._leave()

    def close(self) -> None:
        """Let nobody in any more, and tell those who wait."""
        self._is_closed = True
        for _, _, place in self._waiting:
            if not place.done():
                place.set_result(False)

    async def _enter(self, opened_s: int) -> bool:
        if self._is_closed or self._is_crowded():
            return False
        place: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._came += 1
        heapq.heappush(self._waiting, (opened_s, self._came, place))
        self.turnstile.take(self._let_in)
        with self._meter.waiting.streams.track_inprogress():
            return await self._given(place)

    async def _given(self, place: asyncio.Future[bool]) -> bool:
        """Wait until the place is given, or not; nobody else gets one that is given too late."""
        try:
            async with asyncio.timeout(WAIT_MS_MAX / 1000):
                return await place
        except TimeoutError:
            return _has(place)
        except asyncio.CancelledError:
            if _has(place):
                self._leave()
            raise

    def _is_crowded(self) -> bool:
        if len(self._waiting) >= WAITING_MAX:  # Those who went away are still among them.
            self._waiting = [one for one in self._waiting if not one[2].done()]
            heapq.heapify(self._waiting)
        return len(self._waiting) >= WAITING_MAX

    def _leave(self) -> None:
        self._inside -= 1
        self.turnstile.take(self._let_in)

    def _let_in(self) -> None:
        """Let one in, if there is a place; whoever came and whoever leaves has this done once."""
        while self._waiting and self._inside < AT_ONCE_MAX:
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                self._inside += 1
                place.set_result(True)
                return


def _has(place: asyncio.Future[bool]) -> bool:
    """Whether the place was given in the very moment in which its waiter went away."""
    return place.done() and not place.cancelled() and place.result()
