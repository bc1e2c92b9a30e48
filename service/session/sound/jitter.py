"""How unevenly a stream's inbound audio comes: RFC 3550's inter-arrival jitter (A.8), in whole numbers."""

from service.audio import SAMPLES_PER_MS

SCALE = 4  # bits: the estimate moves by a sixteenth of each deviation


class Jitter:
    """The estimate of one stream."""

    __slots__ = ("_came_ms", "_count", "_scaled")

    def __init__(self) -> None:
        self._came_ms = 0
        self._count = 0  # of the message before; 0 before the first
        self._scaled = 0

    def heard(self, count: int, now_ms: int) -> None:
        """So many samples came at this moment; they were sent right after those before."""
        if self._count:
            deviation = (now_ms - self._came_ms) * SAMPLES_PER_MS - self._count
            self._scaled += abs(deviation) - ((self._scaled + 8) >> SCALE)
        self._came_ms, self._count = now_ms, count

    @property
    def in_samples(self) -> int | None:
        """The jitter, None before anything came."""
        return self._scaled >> SCALE if self._count else None
