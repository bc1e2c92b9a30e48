"""Says where the event loop hangs, while it does: a thread that misses the loop's sign of life.

    loop ── alive, due again in EVERY_MS ──> thread: late by LATE_MS_MAX? ──> figure, one log line with the stack

A loop that is held for LATE_MS_MAX + EVERY_MS is found for certain, one that is late by less than LATE_MS_MAX never.
What keeps the interpreter to itself (a regular expression, a sort) keeps this thread waiting as well: it is
told of when it lets go, still from the place that called it. A stack that ends in the loop's own run has nothing
of ours in it: then it was the whole process that stood still.
"""

import asyncio
import logging
import sys
from collections import deque
from threading import Event, Thread, get_ident

from service.clock import Clock
from service.meter import Meter
from service.redaction import own_words, stack

EVERY_MS = 100  # a sign of life and a look at it are 0.2 ms of a calm processor, ten times a second 0.2 % of it
LATE_MS_MAX = (
    100  # over that every call is heard to stutter; below, a search for garbage would be told of
)
LINES_MAX = 20  # a minute: a loop that hangs again and again is told of no oftener, but counted
MINUTE_MS = 60_000

_log = logging.getLogger(__name__)


async def watch_stalls(meter: Meter) -> None:
    """Give signs of life to a thread that counts and tells of those that don't come, until cancelled."""
    dog = _Watchdog(meter, Clock(), get_ident())
    Thread(target=dog.watch, name="stayline-watchdog", daemon=True).start()
    try:
        while True:
            dog.alive()
            await asyncio.sleep(EVERY_MS / 1_000)
    finally:
        dog.over.set()


class _Watchdog:
    """Watches the loop of one thread. Only `alive` and `over` are for that thread."""

    def __init__(self, meter: Meter, clock: Clock, watched: int) -> None:
        self.over = Event()
        self._meter = meter
        self._clock = clock
        self._watched = watched
        self._told_ms: deque[int] = deque(maxlen=LINES_MAX)
        self.alive()

    def alive(self) -> None:
        """The loop runs, and says so again in EVERY_MS."""
        self._due_ms = self._clock.now_ms() + EVERY_MS

    def watch(self) -> None:
        """Look whenever a sign of life may be missed, until it is over or the watched thread has ended."""
        wait_ms, missed_ms = EVERY_MS, 0
        while not self.over.wait(wait_ms / 1_000):
            due_ms, now_ms = self._due_ms, self._clock.now_ms()
            late_ms = now_ms - due_ms
            wait_ms = max(EVERY_MS, LATE_MS_MAX - late_ms)
            if late_ms >= LATE_MS_MAX and due_ms != missed_ms:
                missed_ms = due_ms
                if not self._miss(now_ms, late_ms):
                    return

    def _miss(self, now_ms: int, late_ms: int) -> bool:
        """Count one stall, and say where the thread is; whether there is a thread still."""
        frame = sys._current_frames().get(self._watched)  # noqa: SLF001 - there is no other way to see it
        if frame is None:
            return False
        self._meter.machine.loop_stalls.inc()
        told = self._told_ms
        if len(told) < LINES_MAX or now_ms - told[0] >= MINUTE_MS:
            told.append(now_ms)
            _log.warning(
                "! the loop hangs, late by %d ms, at:\n%s",
                late_ms,
                own_words(stack(frame)),
                extra={"action": "loop_stalled", "late_ms": late_ms},
            )
        return True
