"""How loud both sides are, tenth of a second by tenth: what a person sees of the sound.

Audio itself is never written; this is, every few seconds, so that whoever looks at the call on any server
sees it, also as it was before a crash.
"""

import math
from base64 import b64encode
from bisect import bisect_right

from service.audio import level, milliseconds, samples
from service.call.events import LEVEL_STEP_MS
from service.call.inputs import Measured

TELL_MS = 5_000  # one small write for fifty steps
LAST_MS_MIN = 1_000  # when a stream ends, less than this is not worth a write
FLOOR_DB = -60  # of full scale: quieter is silence on any telephone line
TELL_STEPS, LAST_STEPS_MIN = TELL_MS // LEVEL_STEP_MS, LAST_MS_MIN // LEVEL_STEP_MS
PIECE = samples(LEVEL_STEP_MS)
EACH = 3  # every third sample is measured: their power is that of all, within a decibel or two
FULL_SCALE, LOUDEST = 32_768, 255
# The least amplitude of each step of the scale, in equal decibels; see `scaled`.
_LEAST = [
    math.ceil(FULL_SCALE * 10 ** (FLOOR_DB / 20 * (1 - (step - 0.5) / LOUDEST)))
    for step in range(1, LOUDEST + 1)
]


class Levels:
    """Measures one stream, from `now_ms` on. What we send is heard when what was sent before is over."""

    __slots__ = ("_caller", "_heard", "_ours", "_ours_until_ms", "_since")

    def __init__(self, now_ms: int) -> None:
        self._since = now_ms // LEVEL_STEP_MS  # the first step that was not told yet
        self._heard = bytearray()
        self._caller: dict[int, int] = {}
        self._ours: dict[int, int] = {}
        self._ours_until_ms = 0

    def caller(self, ulaw: bytes, now_ms: int) -> bool:
        """Take what the caller was heard to say until now. True when it is time to tell; see `take`."""
        heard = self._heard
        heard += ulaw
        if len(heard) < PIECE:
            return False
        while len(heard) >= PIECE:
            ended_ms = now_ms - milliseconds(len(heard) - PIECE)
            self._caller[ended_ms // LEVEL_STEP_MS] = _loudness(heard[:PIECE])
            del heard[:PIECE]
        return now_ms // LEVEL_STEP_MS - self._since >= TELL_STEPS

    def ours(self, ulaw: bytes, now_ms: int) -> None:
        """Take what was sent to the caller, to be played after all that was sent before."""
        begins_ms = max(now_ms, self._ours_until_ms)
        for start in range(0, len(ulaw), PIECE):
            step = (begins_ms + milliseconds(start)) // LEVEL_STEP_MS
            self._ours[step] = _loudness(ulaw[start : start + PIECE])
        self._ours_until_ms = begins_ms + milliseconds(len(ulaw))

    def cleared(self, now_ms: int) -> None:
        """What was sent and not played yet never will be."""
        self._ours = {s: one for s, one in self._ours.items() if s <= now_ms // LEVEL_STEP_MS}
        self._ours_until_ms = now_ms

    def take(self, now_ms: int, *, is_last: bool = False) -> Measured | None:
        """Return what to tell, when it is time and there was any sound."""
        until = now_ms // LEVEL_STEP_MS
        if until - self._since < (LAST_STEPS_MIN if is_last else TELL_STEPS):
            return None
        first = max(self._since, until - TELL_STEPS)
        steps = range(first, until)
        caller = bytes(self._caller.get(step, 0) for step in steps)
        ours = bytes(self._ours.get(step, 0) for step in steps)
        self._since = until
        self._caller = {step: one for step, one in self._caller.items() if step >= until}
        self._ours = {step: one for step, one in self._ours.items() if step >= until}
        if not any(caller) and not any(ours):
            return None
        at_ms = first * LEVEL_STEP_MS
        return Measured(at_ms, b64encode(caller).decode(), b64encode(ours).decode())


def scaled(amplitude: int) -> int:
    """Return a 16-bit amplitude as 0 (FLOOR_DB or quieter) to 255 (full scale), in equal decibels."""
    return bisect_right(_LEAST, amplitude)


def _loudness(ulaw: bytes | bytearray) -> int:
    return scaled(level(bytes(ulaw[::EACH])))
