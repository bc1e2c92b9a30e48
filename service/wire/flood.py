"""How much one socket may send: frames and bytes, so many a second and a burst more. Pure.

    a second's worth ──> bucket ── a handful at a time, when it is empty ──> purse ── each frame ──> spent

A caller's frames come 50 a second. What a network held back for three seconds comes at once and is no flood:
after that the stream was given up anyway. What we did not read ourselves is none either (`forgive`). The purse is
there for speed: what is paid out of it asks no clock.
"""

FRAMES_A_S = 120
FRAMES_AT_ONCE_MAX = 300
BYTES_A_S = 65_536  # 50 frames of audio are 17,000
BYTES_AT_ONCE_MAX = 262_144  # four messages of the longest kind
PURSE_FRAMES, PURSE_BYTES = 16, 8_192  # of the most at once: a third of a second of audio
MS_A_S = 1_000
FRAMES_FULL = (FRAMES_AT_ONCE_MAX - PURSE_FRAMES) * MS_A_S
BYTES_FULL = (BYTES_AT_ONCE_MAX - PURSE_BYTES) * MS_A_S


class Flood:
    """What one socket has sent, and whether that is still what a caller sends.

    Two buckets, filled by the clock and emptied by what comes, in thousandths and without fractions, and a purse
    for each. It is asked for every frame of every call, so both stand here side by side.
    """

    __slots__ = ("_at_ms", "_bytes", "_frames", "_purse_bytes", "_purse_frames")

    def __init__(self, now_ms: int) -> None:
        self._frames, self._bytes = FRAMES_FULL, BYTES_FULL
        self._at_ms = now_ms
        self._purse_frames, self._purse_bytes = PURSE_FRAMES, PURSE_BYTES

    def has_paid(self, frames: int, octets: int) -> bool:
        """Count what came, if the purse holds as much, as it does nearly always. False: see `admits`."""
        frames_left = self._purse_frames - frames
        bytes_left = self._purse_bytes - octets
        if frames_left < 0 or bytes_left < 0:
            return False
        self._purse_frames, self._purse_bytes = frames_left, bytes_left
        return True

    def admits(self, frames: int, octets: int, now_ms: int) -> bool:
        """Count what came. False when it is too much."""
        past_ms = max(0, now_ms - self._at_ms)
        self._frames = min(self._frames + past_ms * FRAMES_A_S, FRAMES_FULL)
        self._bytes = min(self._bytes + past_ms * BYTES_A_S, BYTES_FULL)
        self._at_ms = now_ms
        self._fill(frames, octets)
        return self.has_paid(frames, octets)

    def forgive(self, unread_ms: int) -> None:
        """Take note that nothing was read of it for so long: what it may send in that time is no burst."""
        self._purse_frames += unread_ms * FRAMES_A_S // MS_A_S
        self._purse_bytes += unread_ms * BYTES_A_S // MS_A_S

    def _fill(self, frames: int, octets: int) -> None:
        """Put into the purse what is wanted and a handful more, as far as the buckets go."""
        wanted = max(0, frames + PURSE_FRAMES - self._purse_frames)
        more = min(wanted, self._frames // MS_A_S)
        self._purse_frames += more
        self._frames -= more * MS_A_S
        wanted = max(0, octets + PURSE_BYTES - self._purse_bytes)
        more = min(wanted, self._bytes // MS_A_S)
        self._purse_bytes += more
        self._bytes -= more * MS_A_S
