"""What newcomers and those who leave want of the loop: a little of it in each of its turns.

    2,000 upgrades at once ──> row ──> PIECES_A_TURN ──> what came of calls, timers ──> PIECES_A_TURN ──> …

A request, an upgrade, a resume, the end of a stream: each is a piece of work that costs more than many frames of
a call. Of such pieces thousands may be due in the same moment, and the loop would do all of them before it looks
at its calls again. Here they stand in a row instead, and are late; calls are not. A long turn counts as several.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextvars import Context

from service import scope
from service.loop_turn import turns_in

PIECES_A_TURN = (
    2  # a millisecond or two with all that comes of them; a frame of sound is due every twenty
)

_log = logging.getLogger(__name__)


class Turnstile:
    """The row of one loop, first come, first served. Its length is bounded by what stands in it: connections."""

    def __init__(self) -> None:
        self._row: deque[Callable[[], object]] = deque()
        self._is_turning = False
        self._asked_s = 0.0  # since when the next turn is waited for

    def __len__(self) -> int:
        return len(self._row)

    def take(self, piece: Callable[[], object]) -> None:
        """Have a piece of work done, in the next turn of the loop unless others wait."""
        self._row.append(piece)
        if not self._is_turning:
            self._is_turning = True
            self._turn_soon(scope.of_nobody())

    async def turn(self) -> None:
        """Wait for a turn."""
        mine = asyncio.Event()
        self.take(mine.set)
        await mine.wait()

    def _turn_soon(self, context: Context | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._asked_s = loop.time()
        loop.call_soon(self._turn, context=context)

    def _turn(self) -> None:
        waited_ms = round((asyncio.get_running_loop().time() - self._asked_s) * 1_000)
        for _ in range(min(PIECES_A_TURN * turns_in(waited_ms), len(self._row))):
            piece = self._row.popleft()
            try:
                piece()
            except Exception:  # noqa: BLE001 - one connection's fault; the row is everybody's
                _log.exception("! a connection failed", extra={"action": "connection_failed"})
        self._is_turning = bool(self._row)
        if self._is_turning:
            self._turn_soon()
