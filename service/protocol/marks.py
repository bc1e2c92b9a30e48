"""The marks that were sent on one stream, and what it means that one has not come back.

    sent ──> outstanding ──(its echo)──> shown: all before it was heard
                  └──(overdue)──> missed: the peer is taken for mute, until an echo comes, be it late

Soon overdue for a peer that never echoed: he may be one that never does, and waits for audio. Not soon
while the caller's audio, among which the echo has its place, stays away, too: then the network is at
fault. Who finds it out far too late stood still himself, and waits anew.
"""

import msgspec

from service.audio import samples
from service.protocol.buffer import Buffer

OUTSTANDING_MAX = 100  # 2 s hold a handful; more means clauses of a few samples, not speech
GRACE_MS = 1_000  # a peer that never echoed: half of what is ahead, so its buffer stays fed
GRACE_PROVEN_MS = 3_000  # a peer that did echo: its silence is first of all a dead network
GRACE_DARK_MS = 10_000  # a peer of which no audio comes either: the stream is given up before
STALL_MS = 1_000  # who looks so late stood still himself: what came meanwhile is not read yet


class Mark(msgspec.Struct, frozen=True):
    """A mark that was sent; its echo is missed when `listened` of the peer's audio came without it.

    Whatever is learned of the lag, and whoever stands still, it is not overdue before `soonest_ms`.
    """

    name: str
    position: int
    listened: int
    soonest_ms: int


class Marks:
    """The marks of one stream, which plays as `buffer` has it.

    `is_proven`: the peer is known to echo.
    """

    __slots__ = (
        "_buffer",
        "_listened",
        "_missed",
        "_outstanding",
        "_stalled_ms",
        "is_mute",
        "is_proven",
        "shown",
    )

    def __init__(self, buffer: Buffer, *, is_proven: bool) -> None:
        self.shown = 0  # the position that was heard for certain: the last echo, or a new beginning
        self.is_mute = False  # the peer seems not to echo
        self._buffer = buffer
        self.is_proven = is_proven
        self._listened = 0
        self._outstanding: list[Mark] = []  # a handful: lighter than a deque
        self._missed: list[Mark] = []
        self._stalled_ms = 0  # when we last woke from standing still

    @property
    def has_room(self) -> bool:
        """Whether one more may be sent."""
        return len(self._outstanding) < OUTSTANDING_MAX

    @property
    def names(self) -> tuple[str, ...]:
        """The marks whose echo still means something, oldest first."""
        return tuple(mark.name for mark in (*self._missed, *self._outstanding))

    def sent(self, name: str, position: int, now_ms: int) -> None:
        """Take note that a mark was sent behind all up to `position`, and expect its echo."""
        due_ms = self._buffer.plays_at_ms(position) + GRACE_MS
        listened = self._listened + samples(due_ms - now_ms)
        self._outstanding.append(Mark(name, position, listened, due_ms - self._buffer.lag_ms))

    def listened(self, count: int) -> None:
        """Take note that `count` samples of the peer's audio came."""
        self._listened += count

    def echoed(self, name: str, now_ms: int) -> bool:
        """Take a mark that came back. False when it is none of ours, or came before."""
        if self._outstanding and self._outstanding[0].name == name:  # nearly always
            position = self._outstanding.pop(0).position
            self._missed.clear()
        else:
            known = (*self._missed, *self._outstanding)
            found = next((mark.position for mark in known if mark.name == name), None)
            if found is None:
                return False
            position = found
            for marks in (self._missed, self._outstanding):
                while marks and marks[0].position <= position:
                    marks.pop(0)
        self.is_proven, self.is_mute = True, False
        self.shown = position
        self._buffer.saw(position, now_ms)
        return True

    def begin(self, position: int) -> None:
        """Forget all: whatever comes is sent from this position on."""
        self._outstanding.clear()
        self._missed.clear()
        self.shown = position

    def open_at(self, now_ms: int) -> int | None:
        """Return the first position whose echo is waited for, None when nothing holds us up."""
        if not self._outstanding:
            return None
        first = self._outstanding[0]
        if now_ms >= first.soonest_ms and now_ms >= self._overdue_ms(first):
            self._miss(now_ms)
        is_open = self._outstanding and not self.is_mute
        return self._outstanding[0].position if is_open else None

    def _miss(self, now_ms: int) -> None:
        """Wait no longer for what is overdue, unless we ourselves are so late that we know nothing yet."""
        if not self.is_mute and now_ms >= self._overdue_ms(self._outstanding[0]) + STALL_MS:
            self._stalled_ms = now_ms
        while self._outstanding and now_ms >= self._overdue_ms(self._outstanding[0]):
            self._missed.append(self._outstanding.pop(0))
            del self._missed[:-OUTSTANDING_MAX]
            self.is_mute = True

    def due_ms(self, now_ms: int, sooner_ms: int | None) -> int | None:
        """Return when the first one is overdue, be it with the peer's audio or without, or what is sooner."""
        if not self._outstanding:
            return sooner_ms
        first = self._outstanding[0]
        if sooner_ms is not None and sooner_ms <= first.soonest_ms:
            return sooner_ms
        wants = [at_ms for at_ms in self._graces_ms(first) if at_ms > now_ms]
        return min(wants if sooner_ms is None else [sooner_ms, *wants], default=None)

    def _overdue_ms(self, mark: Mark) -> int:
        return self._graces_ms(mark)[self._listened < mark.listened]

    def _graces_ms(self, mark: Mark) -> tuple[int, int]:
        due_ms = max(self._buffer.plays_at_ms(mark.position), self._stalled_ms)
        graces = (GRACE_MS, GRACE_PROVEN_MS, GRACE_DARK_MS)[self.is_proven :]
        return due_ms + graces[0], due_ms + graces[1]
