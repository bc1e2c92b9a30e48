"""Inbound audio's order: what was lost, what came late, what came twice.

Two things look alike and are not: a *stall* (our clock: nothing came for a while, then all of it in a
burst) and *loss* (a jump in `media.timestamp`: what was said there is gone).

1. Counters are optional, frame by frame: a frame without them always counts and costs nothing.
2. A frame is old only when chunk and timestamp both say so, and both have risen before: a
   peer whose counters stand still is heard all the same.
3. A timestamp far off its expected place is a count begun anew, not a loss and not an old frame.
4. Timestamps count milliseconds (Twilio) or samples (others). Two steps of the same kind in a row tell
   which; until then no loss is reported.
5. Nobody documents whether a timestamp is a frame's beginning or its end. Loss is what both readings
   agree on, so that frames of mixed sizes are never reported wrongly.
"""

from service.audio import SAMPLES_PER_MS
from service.protocol.events import Finding, Lost, Stalled
from service.protocol.messages import MediaBody

STALL_MS = 1_000  # frames come in bursts up to a quarter of a second apart; a second is a stall
LOSS_MS_MIN = 40  # two frames; carriers' timestamps wander by one
JUMP_MS_MAX = 60_000  # a longer step is no loss on a live call but another count
FIT_SAMPLES = 2 * SAMPLES_PER_MS  # both ends of a step are rounded to the millisecond
NEVER = -1  # a counter that no frame has, and a time before all
LATE_MS_MAX = 2_000  # what a network reorders is late by less; beyond it the peer counts anew

AS_FORESEEN: tuple[bool, tuple[Finding, ...]] = (True, ())


class Track:
    """The inbound track of one stream."""

    __slots__ = (
        "_bare",
        "_chunk",
        "_has_risen",
        "_last_ms",
        "_length",
        "_next_chunk",
        "_next_timestamp",
        "_step",
        "_timestamp",
        "_unit",
        "_vote",
    )

    def __init__(self) -> None:
        self._last_ms = NEVER
        # Of the last frame that was not foreseen: the counters of one that was follow from the next one's.
        self._chunk: int | None = None
        self._timestamp: int | None = None
        self._length = 0
        self._bare = 0
        self._has_risen = False
        self._unit = 0
        self._vote = 0
        self._next_chunk = self._next_timestamp = self._step = NEVER

    def feed(self, media: MediaBody, now_ms: int) -> tuple[bool, tuple[Finding, ...]]:
        """Take one frame: say whether it is new, and what clock and counters tell."""
        if (
            media.chunk == self._next_chunk
            and media.timestamp == self._next_timestamp
            and len(media.payload) == self._length
            and now_ms - self._last_ms < STALL_MS
        ):  # The very frame that was to come, as nearly all of them are.
            self._last_ms = now_ms
            self._next_chunk += 1
            self._next_timestamp += self._step
            return AS_FORESEEN
        if self._next_chunk != NEVER:
            self._chunk, self._timestamp = self._next_chunk - 1, self._next_timestamp - self._step
        findings: list[Finding] = []
        if self._last_ms != NEVER and now_ms - self._last_ms >= STALL_MS:
            findings.append(Stalled(now_ms - self._last_ms))
        self._last_ms = now_ms
        if self._is_old(media):
            return False, tuple(findings)
        lost_ms = self._lost_ms(media)
        if LOSS_MS_MIN <= lost_ms <= JUMP_MS_MAX:
            findings.append(Lost(lost_ms))
        self._note(media)
        self._foresee()
        return True, tuple(findings)

    def _foresee(self) -> None:
        """Note what the next frame's counters are, once nothing is left to be learned from them."""
        self._next_chunk = NEVER
        is_known = self._has_risen and self._unit == self._vote != 0 and not self._bare
        if not is_known or self._length % self._unit or self._timestamp is None:
            return
        assert self._chunk is not None
        self._step = self._length // self._unit
        self._next_chunk, self._next_timestamp = self._chunk + 1, self._timestamp + self._step

    def _is_old(self, media: MediaBody) -> bool:
        if media.chunk is None or media.timestamp is None or not self._has_risen:
            return False
        assert self._chunk is not None
        assert self._timestamp is not None
        behind = self._timestamp - media.timestamp
        is_behind = 0 <= behind * (self._unit or 1) <= LATE_MS_MAX * SAMPLES_PER_MS
        return media.chunk <= self._chunk and is_behind

    def _lost_ms(self, media: MediaBody) -> int:
        """Return how much audio is missing before this frame, 0 or less when nothing tells."""
        if media.timestamp is None or self._timestamp is None:
            return 0
        step = media.timestamp - self._timestamp
        lengths = (self._length + self._bare, self._bare + len(media.payload))
        self._learn_unit(step, lengths)
        return (step * self._unit - max(lengths)) // SAMPLES_PER_MS if self._unit else 0

    def _learn_unit(self, step: int, lengths: tuple[int, int]) -> None:
        """Take one step's word for what a timestamp counts: `unit` is its samples.

        A step that fits both units, or none, says nothing.
        """
        votes = [
            unit
            for unit in (1, SAMPLES_PER_MS)
            if any(abs(step * unit - length) <= FIT_SAMPLES for length in lengths)
        ]
        if len(votes) == 1:
            if votes[0] == self._vote:
                self._unit = self._vote
            self._vote = votes[0]

    def _note(self, media: MediaBody) -> None:
        if media.timestamp is None:
            self._bare += len(media.payload)
            return
        if media.chunk is not None and self._chunk is not None and self._timestamp is not None:
            self._has_risen = media.chunk > self._chunk and media.timestamp > self._timestamp
        self._timestamp, self._length, self._bare = media.timestamp, len(media.payload), 0
        self._chunk = media.chunk if media.chunk is not None else self._chunk
