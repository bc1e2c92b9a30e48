"""How unevenly a stream's inbound audio comes: RFC 3550's inter-arrival jitter (A.8), in whole numbers."""

from service.audio import samples

SCALE = 4  # bits: the estimate moves by a sixteenth of each deviation


class Jitter:
    """The estimate of one stream."""

    def __init__(self) -> None:
        self._sent = 0
        self._transit: int | None = None
        self._scaled = 0

    def heard(self, count: int, now_ms: int) -> None:
        """So many samples came at this moment; they were sent right after those before."""
        transit = samples(now_ms) - self._sent
        self._sent += count
        if self._transit is not None:
            self._scaled += abs(transit - self._transit) - ((self._scaled + 8) >> SCALE)
        self._transit = transit

    @property
    def in_samples(self) -> int | None:
        """The jitter, None before two messages came."""
        return None if self._sent == 0 or self._transit is None else self._scaled >> SCALE
