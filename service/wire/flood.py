"""How much one socket may send: frames and bytes, so many a second and a burst more. Pure.

A caller's frames come 50 a second. What a network held back for three seconds comes at once and is no flood:
after that the stream was given up anyway.
"""

FRAMES_A_S = 120
FRAMES_AT_ONCE_MAX = 300
BYTES_A_S = 65_536  # 50 frames of audio are 17,000
BYTES_AT_ONCE_MAX = 262_144  # four messages of the longest kind
MS_A_S = 1_000
FRAMES_FULL, BYTES_FULL = FRAMES_AT_ONCE_MAX * MS_A_S, BYTES_AT_ONCE_MAX * MS_A_S


class Flood:
    """What one socket has sent, and whether that is still what a caller sends.

    Two buckets, filled by the clock and emptied by what comes, in thousandths and without fractions. It is
    asked for every frame of every call, so both stand here side by side.
    """

    def __init__(self, now_ms: int) -> None:
        self._frames, self._bytes = FRAMES_FULL, BYTES_FULL
        self._at_ms = now_ms

    def admits(self, frames: int, octets: int, now_ms: int) -> bool:
        """Count what came. False when it is too much."""
        past_ms = now_ms - self._at_ms
        if (frames_left := self._frames + past_ms * FRAMES_A_S) > FRAMES_FULL:
            frames_left = FRAMES_FULL
        if (bytes_left := self._bytes + past_ms * BYTES_A_S) > BYTES_FULL:
            bytes_left = BYTES_FULL
        frames_left -= frames * MS_A_S
        bytes_left -= octets * MS_A_S
        if frames_left < 0 or bytes_left < 0:
            return False
        self._frames, self._bytes, self._at_ms = frames_left, bytes_left, now_ms
        return True
