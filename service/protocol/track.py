"""Inbound audio's order: what was lost, what came late, what came twice.

Two things look alike and are not: a *delivery gap* (our clock: nothing came for a while, then all of
it in a burst) and *audio loss* (a jump in `media.timestamp`: what was said there is gone). Counters
are optional: without them nothing is ever reported, and every frame counts.
"""

import msgspec

from service.audio import SAMPLES_PER_MS
from service.protocol.messages import MediaBody

STALL_MS = 1_000  # frames come in bursts up to a quarter of a second apart; a second is a stall
LOSS_MS_MIN = 40  # two frames; carriers' timestamps wander by one


class Lost(msgspec.Struct, frozen=True):
    """Audio of this length is missing before this frame."""

    lost_ms: int


class Stalled(msgspec.Struct, frozen=True):
    """Nothing came for this long."""

    stall_ms: int


Finding = Lost | Stalled


class Track:
    """The inbound track of one stream."""

    def __init__(self) -> None:
        self._chunk: int | None = None
        self._end: int | None = None
        self._unit = 0
        self._last_ms: int | None = None

    def feed(self, media: MediaBody, now_ms: int) -> tuple[bool, tuple[Finding, ...]]:
        """Take one frame: whether it is new, and what its counters tell."""
        findings: list[Finding] = []
        if self._last_ms is not None and now_ms - self._last_ms >= STALL_MS:
            findings.append(Stalled(now_ms - self._last_ms))
        self._last_ms = now_ms
        if self._is_old(media):
            return False, tuple(findings)
        lost_ms = self._lost_ms(media)
        if lost_ms >= LOSS_MS_MIN:
            findings.append(Lost(lost_ms))
        return True, tuple(findings)

    def _is_old(self, media: MediaBody) -> bool:
        """A frame is old when its chunk was seen or passed."""
        if media.chunk is None:
            return False
        is_old = self._chunk is not None and media.chunk <= self._chunk
        self._chunk = media.chunk if self._chunk is None else max(self._chunk, media.chunk)
        return is_old

    def _lost_ms(self, media: MediaBody) -> int:
        """How much audio the timestamps say is missing; they count milliseconds, or samples."""
        if media.timestamp is None:
            return 0
        before, length = self._end, len(media.payload)
        if not self._unit and before is not None and media.timestamp > before - length:
            # The first step between two frames tells the unit: 20 a frame, or 160.
            step = media.timestamp - (before - length)
            self._unit = 1 if step >= length else SAMPLES_PER_MS
        unit = self._unit or 1
        self._end = media.timestamp + length // unit if self._unit else media.timestamp + length
        if before is None or not self._unit:
            return 0
        lost = media.timestamp - before
        return 0 if lost <= 0 else lost * unit // SAMPLES_PER_MS
