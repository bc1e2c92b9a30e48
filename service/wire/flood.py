"""How much one socket may send: frames and bytes, so many a second and a burst more. Pure.

A caller's frames come 50 a second. What a network held back for three seconds comes at once and is no flood:
after that the stream was given up anyway.
"""

FRAMES_A_S = 120
FRAMES_AT_ONCE_MAX = 300
BYTES_A_S = 65_536  # 50 frames of audio are 17,000
BYTES_AT_ONCE_MAX = 262_144  # four messages of the longest kind
MS_A_S = 1_000


class Allowance:
    """Lets `rate` through in a second, and `burst` at once. Counts in thousandths, without fractions."""

    def __init__(self, rate: int, burst: int, now_ms: int) -> None:
        self._rate = rate
        self._full = burst * MS_A_S
        self._left = self._full
        self._at_ms = now_ms

    def admits(self, cost: int, now_ms: int) -> bool:
        """Take `cost` off what is left, unless that is too much."""
        more = max(0, now_ms - self._at_ms) * self._rate
        self._left, self._at_ms = min(self._full, self._left + more), now_ms
        if cost * MS_A_S > self._left:
            return False
        self._left -= cost * MS_A_S
        return True


class Flood:
    """What one socket has sent, and whether that is still what a caller sends."""

    def __init__(self, now_ms: int) -> None:
        self._frames = Allowance(FRAMES_A_S, FRAMES_AT_ONCE_MAX, now_ms)
        self._bytes = Allowance(BYTES_A_S, BYTES_AT_ONCE_MAX, now_ms)

    def admits(self, frames: int, octets: int, now_ms: int) -> bool:
        """Count what came. False when it is too much."""
        return self._frames.admits(frames, now_ms) and self._bytes.admits(octets, now_ms)
