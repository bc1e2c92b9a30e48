"""One beat for all mouths of a process: a single timer of the loop, and each is stepped when it is its time.

    deadlines ──> ticks of TICK_MS ──┐
    news: an echo, more audio ───────┴──> row ──> MOUTHS_A_TURN steps ──> sockets, other work ──> the next ones …

A mouth has no task, no timer and no event of its own: it does what is due and says when it wants to be
stepped again. Rules this file keeps:

1. Nobody is stepped before its time, and at most a tick later while the loop keeps up.
2. Who is woken is stepped in the next turn of the loop, once, however often it was woken before.
3. In a row it is first come, first served. Who has more to do goes to its end.
4. What one raises ends that one alone.
5. Who is late stood still himself: what came meanwhile is read first, echoes among it.
6. A long turn of the loop counts as several: where there is much to read, mouths keep their share.
"""

import asyncio
import heapq
from collections import deque
from contextvars import Context
from typing import Protocol

from service import scope
from service.clock import Clock
from service.loop_turn import LATE_MS, turns_in

TICK_MS = 20  # a frame's length: many are served by one wake-up, and two seconds are sent ahead
MOUTHS_A_TURN = 16  # a millisecond of one message each, three when all have much to say
READ_MS = 1  # the least time that takes a loop past its sockets


class Paced(Protocol):
    """Whoever is stepped."""

    def step(self, now_ms: int) -> int | None:
        """Do a bounded part of what is due; return when there is more, None when only news will bring any.

        May raise: then it is never stepped again, and told so.
        """
        ...

    def fail(self, trouble: Exception) -> None:
        """Its step raised this."""
        ...


class Pacer:
    """Steps everybody who asked for it. For use on one event loop at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[Paced, int] = {}  # the tick of each
        # Who asked for each tick, though maybe for another one since.
        self._ticks: dict[int, list[Paced]] = {}
        self._soonest: list[int] = []  # a heap of those ticks
        self._row: deque[Paced] = deque()
        self._woken: set[Paced] = set()  # those in the row who are still to be stepped
        self._is_turning = False
        self._asked_ms = 0  # since when the next turn is waited for
        self._timer: asyncio.TimerHandle | None = None
        self._armed = 0  # the tick that the timer is for
        self._has_let_in = False  # what came while we stood still
        self._scope: Context | None = None

    def __len__(self) -> int:
        return len(self._due.keys() | self._woken)

    def wake(self, one: Paced) -> None:
        """Have it stepped in the next turn of the loop."""
        if one not in self._woken:
            self._woken.add(one)
            self._row.append(one)
            self._turn_soon()

    def plan(self, one: Paced, at_ms: int | None, now_ms: int) -> None:
        """Have it stepped at that time instead of the one that it asked for last; None: when it is woken."""
        if one not in self._woken:  # It is about to ask anew.
            self._expect(one, at_ms, now_ms)
            self._arm()

    def part(self, one: Paced) -> None:
        """It is never stepped again, unless it is woken. Harmless for a stranger."""
        self._due.pop(one, None)
        self._woken.discard(one)
        if not self._due and not self._woken:
            self._rest()

    def _rest(self) -> None:
        """Nobody is left."""
        self._row.clear()
        self._ticks.clear()
        self._soonest.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _turn_soon(self) -> None:
        if not self._is_turning:
            self._is_turning = True
            self._asked_ms = self._clock.now_ms()
            asyncio.get_running_loop().call_soon(self._turn, context=self._of_nobody())

    def _of_nobody(self) -> Context:
        """Whoever has something planned, the beat is everybody's."""
        if self._scope is None:
            self._scope = scope.of_nobody()
        return self._scope

    def _turn(self) -> None:
        """Step the first in the row; the others come after whatever else the loop has to do."""
        self._is_turning = False
        mouths = MOUTHS_A_TURN * turns_in(self._clock.now_ms() - self._asked_ms)
        try:
            for _ in range(min(mouths, len(self._row))):
                one = self._row.popleft() if self._row else None
                if one in self._woken:
                    self._woken.discard(one)
                    self._step(one, self._clock.now_ms())
        finally:
            if self._row:
                self._turn_soon()
            self._arm()

    def _step(self, one: Paced, now_ms: int) -> None:
        try:
            at_ms = one.step(now_ms)
        except Exception as trouble:  # noqa: BLE001 - one mouth's fault; the beat is everybody's
            self.part(one)
            one.fail(trouble)
        else:
            self._expect(one, at_ms, now_ms)

    def _expect(self, one: Paced, at_ms: int | None, now_ms: int) -> None:
        if at_ms is None:
            self._due.pop(one, None)
        elif at_ms <= now_ms:
            self.wake(one)
        else:
            self._put(one, -(-at_ms // TICK_MS))

    def _put(self, one: Paced, tick: int) -> None:
        if self._due.get(one) == tick:
            return
        self._due[one] = tick
        if tick in self._ticks:
            self._ticks[tick].append(one)
        else:
            self._ticks[tick] = [one]
            heapq.heappush(self._soonest, tick)

    def _arm(self) -> None:
        """Have the timer go off at the soonest tick."""
        if not self._soonest or (self._timer is not None and self._armed <= self._soonest[0]):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed = self._soonest[0]
        self._tick_in(max(0, self._armed * TICK_MS - self._clock.now_ms()))

    def _tick_in(self, wait_ms: int) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(wait_ms / 1_000, self._tick, context=self._of_nobody())

    def _tick(self) -> None:
        now_ms, self._timer = self._clock.now_ms(), None
        is_late = now_ms - self._armed * TICK_MS >= LATE_MS
        if is_late and not self._has_let_in:
            self._has_let_in = True
            self._tick_in(READ_MS)
            return
        self._has_let_in = False
        while self._soonest and self._soonest[0] * TICK_MS <= now_ms:
            tick = heapq.heappop(self._soonest)
            for one in self._ticks.pop(tick):
                if self._due.get(one) == tick:
                    del self._due[one]
                    self.wake(one)
        self._turn_soon()
