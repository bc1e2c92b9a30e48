"""At most so many a second, evenly, and whoever asks first goes first."""

import asyncio


class Pace:
    """Spreads what would otherwise happen in one instant."""

    def __init__(self, per_s: int) -> None:
        self._apart_s = 1 / per_s
        self._next_s = 0.0  # the loop's clock, which jumps never

    async def wait(self) -> None:
        """Wait for one's turn. A turn whose waiter is cancelled is lost to nobody else."""
        now_s = asyncio.get_running_loop().time()
        turn_s = max(now_s, self._next_s)
        self._next_s = turn_s + self._apart_s
        if turn_s > now_s:
            await asyncio.sleep(turn_s - now_s)
