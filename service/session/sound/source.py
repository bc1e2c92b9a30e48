"""One stream's audio of the caller, as it came: the latest of it, and where it stands on our clock.

Positions are samples since the stream began. The same sound has another position on every stream, and
nothing that the carrier sends says how they lie to each other. Two things do:

1. The audio itself. Both streams carry the caller's own mu-law, so what was heard on one is found on the
   other to the sample.
2. The clock. Audio comes late, never early, so the quickest of the latest frames tells when position 0
   was spoken. That is right to some milliseconds; it says where to look, and serves when nothing is found.
"""

from service.audio import samples

# A stall of the main stream is noticed after 0.4 s, its burst comes within 1 s.
KEPT = samples(2_000)
KEPT_ALONE = samples(200)  # of a stream beside which there is no other: what one late burst brings
SLACK = samples(300)  # frames of one stream come up to 233 ms later than those of another
WINDOW = samples(5_000)  # two clocks drift apart by less than a sample in each millisecond of this


class Source:
    """The audio of one stream."""

    def __init__(self, kept: int = KEPT) -> None:
        """Keep at least the latest `kept` samples, at most twice as many; `kept` may change."""
        self.kept = kept
        self.end = 0
        self._audio = bytearray()
        self._best = self._older_best = 0
        self._window_end = 0

    @property
    def begin(self) -> int:
        """The position of the first sample that is still kept."""
        return self.end - len(self._audio)

    @property
    def origin(self) -> int:
        """When position 0 was spoken, in samples since the epoch; at the latest, as far as is known."""
        return min(self._best, self._older_best)

    def add(self, ulaw: bytes, now: int) -> None:
        """Take the next audio, which arrived at `now`, in samples since the epoch."""
        if not self.end:
            self._best = self._older_best = now - len(ulaw)
        self._audio += ulaw
        self.end += len(ulaw)
        if len(self._audio) > 2 * self.kept:  # So that it is seldom cut back.
            del self._audio[: -self.kept]
        if self.end >= self._window_end:
            self._older_best, self._best = self._best, now - self.end
            self._window_end = self.end + WINDOW
        self._best = min(self._best, now - self.end)

    def since(self, position: int) -> bytes:
        """Return what is kept from a position on; nothing when it has not come yet."""
        return bytes(self._audio[max(0, position - self.begin) :])

    def latest(self, count: int) -> bytes:
        """Return the last `count` samples, fewer when there are no more."""
        return self.since(self.end - count)

    def after(self, tail: bytes, near: int) -> int | None:
        """Return where `tail` ends here, the place nearest to `near`; None when it is not within SLACK."""
        at = near - len(tail) - self.begin
        low, high = max(0, at - SLACK), at + SLACK + len(tail)
        before = self._audio.rfind(tail, low, max(low, at + len(tail)))
        behind = self._audio.find(tail, max(low, at), max(low, high))
        found = [one for one in (before, behind) if one >= 0]
        if not found:
            return None
        return self.begin + min(found, key=lambda one: abs(one - at)) + len(tail)
