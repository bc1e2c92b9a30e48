"""Whether the frames of a call come on time, as its caller's side of the network sees them."""

from itertools import pairwise

import msgspec

from service.audio import milliseconds
from service.chaos.callers.crowd import LightPhone


class Heard(msgspec.Struct, frozen=True):
    """Some time of listening, in milliseconds: between frames, and the least that was in hand to play."""

    between_ms: list[int]
    in_hand_ms: int


class Listening:
    """Notes when each frame of our speech reaches a caller, and what the carrier still has to play."""

    def __init__(self, phone: LightPhone) -> None:
        self._phone = phone
        self._arrivals_us: list[int] = []
        self._in_hand: list[int] = []
        phone.span.on_media = self._note

    @property
    def streams(self) -> int:
        """Return how many streams the call has had."""
        return len(self._phone.span.strands)

    def _note(self, now_us: int) -> None:
        strand = self._phone.span.strand
        if strand is not None:
            self._arrivals_us.append(now_us)
            self._in_hand.append(milliseconds(strand.leg.buffered(now_us // 1_000)))

    def taken(self) -> Heard:
        """Return what came since it was asked for last."""
        arrivals, in_hand = self._arrivals_us, self._in_hand
        self._arrivals_us, self._in_hand = [], []
        between = [(later - earlier) // 1_000 for earlier, later in pairwise(arrivals)]
        return Heard(between, min(in_hand, default=0))
