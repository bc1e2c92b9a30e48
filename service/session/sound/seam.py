"""The caller's audio without a seam: from the call's own stream, and over its gaps from one that only listens.

    main   ~~~~~~~~~~~~~~~|  away                |~~~~~~~~~~~~~~~~~      the call's own stream, then the next
    fork   ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~       heard here ──┐
    heard  mmmmmmmmmmmmmmmmfffffffffffffffffffffffffmmmmmmmmmmmmmm                    │
                           └── goes on behind what was heard ──┘  <──────────────────┘

Sans-I/O. Whoever the ear listens to, the other's latest audio is kept, and the change is made behind the
very sample that was heard last, found by the audio itself (see source.py). Rules kept here:

1. Without a fork nothing changes: a stream's end detaches the listener, the next one attaches it.
2. While the main stream flows it alone is heard, just as it came.
3. It is away when it has ended, and also when it has brought nothing for AWAY_MS: what it brings later was
   heard by then, and is left out.
4. A change that finds its place in no JOIN_MS_MAX is made by the clock.
5. A fork is heard only where the main stream or another fork left off. It begins nothing.
6. Most calls have no fork. Of theirs the latest frames are kept as they came, and nothing is made of them
   until a fork joins.
"""

from collections import deque
from typing import Protocol

from service.audio import FRAME_SAMPLES, SAMPLES_PER_MS, milliseconds, samples
from service.session.sound.source import KEPT, KEPT_ALONE, SLACK, Source

AWAY_MS = 400  # frames come in bursts a quarter of a second apart
JOIN_MS_MAX = 400  # until then both streams have brought the same sound
TAIL = samples(40)  # two frames: found in no other place, and soon there
LATELY_MAX = KEPT_ALONE // FRAME_SAMPLES  # frames
VALUES_MIN = 16  # speech and a line's noise have more; a machine's silence is found anywhere


class Listener(Protocol):
    """What hears the caller. See Talk and Duplex."""

    def attach(self) -> None:
        """A new stream begins; what the caller said meanwhile was missed."""
        ...

    def go_on(self) -> None:
        """A new stream begins, and nothing was missed."""
        ...

    def hear(self, ulaw: bytes) -> None:
        """Take the caller's next audio."""
        ...

    def detach(self) -> None:
        """Nobody hears the caller any more."""
        ...


class Seam:
    """One call's audio, put together."""

    __slots__ = (
        "_at",
        "_bridged",
        "_forks",
        "_heard",
        "_heard_ms",
        "_is_alone",
        "_lately",
        "_listener",
        "_main",
        "_missed",
        "_next",
        "_next_ms",
        "_tail",
    )

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._forks: list[Source] = []
        self._main: Source | None = None
        self._heard: Source | None = None  # whom the listener hears; it may be gone by now
        self._heard_ms = 0  # when it last brought something
        self._at = 0  # how far it was heard
        self._tail = b""  # the end of all that was heard
        self._next: Source | None = None  # whom the listener is to hear next
        self._next_ms = 0  # since when
        self._bridged = self._missed = 0
        self._is_alone = False  # the main stream is heard, and there is no other
        self._lately: deque[tuple[bytes, int]] = deque(maxlen=LATELY_MAX)

    @property
    def bridged_ms(self) -> int:
        """How much was heard from forks since the main stream was heard last."""
        return milliseconds(self._bridged)

    def heard_ms(self, gap_ms: int, now_ms: int) -> int:
        """Return how much of a gap of `gap_ms` that ends now was heard, or is on its way by a fork."""
        is_fresh = self._heard in self._forks and now_ms - self._heard_ms < AWAY_MS
        heard_ms = gap_ms - milliseconds(self._missed) if is_fresh else self.bridged_ms
        return max(0, min(gap_ms, heard_ms))

    # The call's own stream.

    def attach(self) -> None:
        """The next stream begins."""
        self._main = Source(KEPT if self._forks else KEPT_ALONE)
        if self._heard is None:
            self._heard, self._at, self._tail = self._main, 0, b""
            self._listener.attach()
        else:
            self._listener.go_on()

    def hear(self, ulaw: bytes, now_ms: int) -> None:
        """Take its next audio."""
        main = self._main
        if main is None:
            return
        if self._is_alone and len(ulaw) <= FRAME_SAMPLES:
            self._heard_ms = now_ms
            self._lately.append((ulaw, now_ms))
            self._listener.hear(ulaw)
            return
        main = self._recalled(main)
        is_all_new = self._at == main.end
        main.add(ulaw, now_ms * SAMPLES_PER_MS)
        if self._heard is main:
            self._next, self._bridged, self._missed = None, 0, 0
            self._is_alone = not self._forks
            self._pass_on(main, now_ms, ulaw if is_all_new else main.since(self._at))
        elif self._next is None or self._next is main or self._is_over(now_ms):
            self._change(main, now_ms)

    def detach(self, now_ms: int) -> None:
        """It is gone."""
        self._main, self._is_alone = None, False
        self._lately.clear()
        self._miss(now_ms)

    # The streams that only listen.

    def join(self, fork: Source) -> None:
        """A fork begins."""
        if self._main is not None:
            self._recalled(self._main)
        self._forks.append(fork)
        if self._main is not None:
            self._main.kept = KEPT

    def overhear(self, fork: Source, now_ms: int) -> None:
        """It has brought audio."""
        if self._heard is fork:
            self._pass_on(fork, now_ms, fork.since(self._at))
            if self._next is not None:
                self._change(self._next, now_ms)
        elif self._next is fork or self._is_stalled(now_ms):
            self._change(fork, now_ms)

    def part(self, fork: Source, now_ms: int) -> None:
        """It is gone."""
        self._forks.remove(fork)
        self._miss(now_ms)

    def _recalled(self, main: Source) -> Source:
        """Return the main stream with what was heard of it lately: now places are looked for in it."""
        self._is_alone = False
        if not self._lately:
            return main
        self._main = self._heard = recalled = Source(main.kept)
        for ulaw, came_ms in self._lately:
            recalled.add(ulaw, came_ms * SAMPLES_PER_MS)
        self._lately.clear()
        self._at, self._tail = recalled.end, recalled.latest(TAIL)
        return recalled

    def _is_there(self, source: Source | None) -> bool:
        return source is not None and (source is self._main or source in self._forks)

    def _is_stalled(self, now_ms: int) -> bool:
        """Whether whom the listener hears has brought something, and now nothing any more."""
        is_heard = self._heard is not None and bool(self._tail)
        return is_heard and now_ms - self._heard_ms >= AWAY_MS

    def _is_over(self, now_ms: int) -> bool:
        return now_ms - self._next_ms >= JOIN_MS_MAX

    def _miss(self, now_ms: int) -> None:
        """Somebody is gone: when that was whom the listener hears, or was to hear, find another."""
        if self._next is not None and not self._is_there(self._next):
            self._next = None
        if self._heard is None or self._next is not None or self._is_there(self._heard):
            return
        others = [one for one in (self._main, *reversed(self._forks)) if one is not None]
        if others:
            self._change(max(others, key=lambda one: one.end > 0), now_ms)
        else:
            self._heard = None
            self._listener.detach()

    def _change(self, to: Source, now_ms: int) -> None:
        """Hear another stream from now on, once it is known where to go on there."""
        if self._next is not to:
            self._next, self._next_ms = to, now_ms
        before = self._heard
        if before is None or not to.end:
            return
        near = self._at + before.origin - to.origin
        place = self._place(before, to, near)
        if place is None and (self._is_over(now_ms) or to.end >= near + SLACK + TAIL):
            place = near
            self._missed += max(0, to.begin - near)
        if place is not None:
            self._heard, self._at, self._next = to, place, None
            self._pass_on(to, now_ms, to.since(place))

    def _place(self, before: Source, to: Source, near: int) -> int | None:
        """Find the end of what was heard on `to`; when that is behind, find its end in what was heard."""
        place = to.after(self._tail, near) if _is_telling(self._tail) else None
        latest = to.latest(TAIL)
        if place is None and _is_telling(latest):
            end = before.after(latest, self._at + to.end - near)
            place = None if end is None else to.end + self._at - end
        return place

    def _pass_on(self, heard: Source, now_ms: int, news: bytes) -> None:
        """Let the listener hear what has come."""
        self._heard_ms = now_ms
        if not news:
            return  # It was heard from another stream.
        self._at = heard.end
        self._tail = (self._tail + news)[-TAIL:]
        if heard is not self._main:
            self._bridged += len(news)
        self._listener.hear(news)


def _is_telling(sound: bytes) -> bool:
    """Whether a sound can be told from others; a change that finds none is left to the clock."""
    return len(sound) == TAIL and len(set(sound)) >= VALUES_MIN
