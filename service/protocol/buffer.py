"""Our picture of the carrier's playback buffer: what it has played, told from what was sent and when.

    sent at t ──(way there)──> buffer plays 8 samples a millisecond ──(echo's way back)──> seen

1. Positions are samples from the stream's first; the clock is milliseconds.
2. A buffer that has audio plays from the moment the audio came; a dry one stands still.
3. The carrier can't be ahead of this picture: it plays in real time and not before it was sent to.
4. It is behind by the way there, which nobody can see. What an echo shows is that way and the way
   back: `lag_ms`. Taking all of it for the way there makes the picture late, never early.
"""

import msgspec

from service.audio import SAMPLES_PER_MS

LAG_MS_MAX = 1_000  # half of what is sent ahead: believing in more would let the buffer run dry


class _Run(msgspec.Struct, frozen=True):
    """Audio that plays without a pause: from which position, and from when (in samples of time)."""

    position: int
    clock: int


class Buffer:
    """What the carrier's buffer has played."""

    def __init__(self) -> None:
        self.sent = 0
        self.lag_ms = 0
        self._runs: list[_Run] = []  # a few

    def send(self, count: int, now_ms: int) -> None:
        """Take note that `count` samples were sent."""
        clock = now_ms * SAMPLES_PER_MS
        if not self._runs or self._dry_at() < clock:
            self._runs.append(_Run(self.sent, clock))
        self.sent += count
        # No question ever reaches further back than the longest lag.
        while len(self._runs) > 1 and self._runs[1].clock <= clock - LAG_MS_MAX * SAMPLES_PER_MS:
            del self._runs[0]

    def played(self, now_ms: int, *, lag_ms: int | None = None) -> int:
        """Return the position that was played by now, rounded down to the last whole millisecond.

        Counted with the lag that the echoes show, or with another.
        """
        clock = (now_ms - (self.lag_ms if lag_ms is None else lag_ms)) * SAMPLES_PER_MS
        end = self.sent
        for run in reversed(self._runs):
            if run.clock <= clock:
                return min(end, run.position + clock - run.clock)
            end = run.position
        return end

    def plays_at_ms(self, position: int) -> int:
        """Return the first millisecond at which `position` counts as played.

        A position from before the oldest run that is kept gets that run's beginning: later than true.
        """
        return self._at_ms(position) + self.lag_ms

    def saw(self, position: int, now_ms: int) -> None:
        """Learn the lag: the echo of `position` came now."""
        self.lag_ms = min(max(0, now_ms - self._at_ms(position)), LAG_MS_MAX)

    def empty(self) -> None:
        """Take note that the carrier was told to drop what it has: nothing sent so far plays on."""
        self._runs.clear()

    def _dry_at(self) -> int:
        last = self._runs[-1]
        return last.clock + self.sent - last.position

    def _at_ms(self, position: int) -> int:
        clock = 0
        for run in reversed(self._runs):
            clock = run.clock + max(0, position - run.position)
            if run.position < position:
                break
        return -(-clock // SAMPLES_PER_MS)
