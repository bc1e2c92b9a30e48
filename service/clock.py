"""The only file that reads a clock.

Everything else takes `now_ms` as an argument. The clock is anchored to wall time once, at start, and
moves on with the machine's monotonic counter, so that a jump of the wall clock (NTP, an operator,
a leap) moves no deadline inside a running process.
"""

import time
from collections.abc import Callable


def spent_us() -> int:
    """Return how long the processor has worked for this thread so far, in microseconds."""
    return time.thread_time_ns() // 1_000


class Clock:
    """Milliseconds since the Unix epoch that never run backwards within one process."""

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._offset_ns = wall_ns() - monotonic_ns()

    def now_ms(self) -> int:
        """Return the present as whole milliseconds."""
        return (self._offset_ns + self._monotonic_ns()) // 1_000_000

    def now_us(self) -> int:
        """Return the present as whole microseconds, for measuring our own work."""
        return (self._offset_ns + self._monotonic_ns()) // 1_000
