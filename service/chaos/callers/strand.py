"""One stream of a light call, as the carrier's side remembers it.

Its audio is read once, when it has ended, and let go: of hundreds of calls only the words remain.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from service.audio import milliseconds
from service.chaos.callers.wire import Wire
from service.simulator.streams.carrier import Leg
from service.testing.textspeech import Word, placed

ECHOED_MS = 1_000  # a mark is back by then
LATE_TIMES = 2  # a machine whose callers are late has servers that are late, too

Heard = tuple[int, Word]  # when a word had sounded whole, milliseconds, and the word


@dataclass
class Strand:
    """A stream. Moments are microseconds, 0 for none."""

    leg: Leg
    started_us: int
    wire: Wire = field(repr=False)
    first_media_us: int = 0
    ended_us: int = 0
    # Since when each harm lasts in which the service may not learn what was heard.
    harms_us: list[int] = field(default_factory=list)
    code: int = 0
    sent: int = 0
    late_ms: int = 0  # how late the caller's own side was, at most
    was_cut: bool = False  # it ended while it spoke
    _heard: list[Heard] | None = None

    def __post_init__(self) -> None:
        self.media_tail = f'"}},"streamSid":"{self.leg.stream_sid}"}}'.encode()

    def end(self, now_us: int) -> None:
        """Note that it is over, and keep the words of what was heard on it."""
        self.ended_us = now_us
        self.was_cut = bool(self.leg.buffered(now_us // 1_000))
        self._heard = timed(self.leg.heard(now_us // 1_000))
        self.leg.forget()

    @property
    def harmed_us(self) -> int:
        """From when on the service may not have learnt what was heard: the oldest harm that lasts."""
        return min(self.harms_us, default=0)

    def known_ms(self, now_ms: int) -> int:
        """Return until when the service must know what was heard."""
        went_us = self.harmed_us or self.ended_us
        went_ms = went_us // 1_000 if went_us else now_ms
        return went_ms - ECHOED_MS - LATE_TIMES * self.late_ms

    def heard(self, now_ms: int) -> list[Heard]:
        """Return every word that has sounded whole by now, oldest first."""
        return timed(self.leg.heard(now_ms)) if self._heard is None else self._heard


def timed(pieces: Sequence[tuple[int, bytes]]) -> list[Heard]:
    """Return the words in audio of which each piece began to play at a moment."""
    begins, whole = [], 0
    for _, ulaw in pieces:
        begins.append(whole)
        whole += len(ulaw)
    found = []
    for end, word in placed(b"".join(ulaw for _, ulaw in pieces)):
        piece = bisect_right(begins, end - 1) - 1
        found.append((pieces[piece][0] + milliseconds(end - begins[piece]), word))
    return found
