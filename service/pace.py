"""At most so many a second, evenly, and whoever asks first goes first."""

import asyncio


class Pace:
    """Spreads what would otherwise happen in one instant."""

    def __init__(self, per_s: int) -> None:
        self._apart_s = 1 / per_s
        self._next_s = 0.0  # the loop's clock, which jumps never
        self._turn = asyncio.Lock()  # whoever has it is next, and in the order of asking

    async def wait(self) -> None:
        """Wait for one's turn. A turn whose waiter is cancelled is lost to nobody else.

        It counts from when the one before really went: after a stall nobody catches up in a burst.
        """
        loop = asyncio.get_running_loop()
        async with self._turn:
            if (wait_s := self._next_s - loop.time()) > 0:
                await asyncio.sleep(wait_s)
            self._next_s = loop.time() + self._apart_s
