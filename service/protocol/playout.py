"""Outbound audio on one stream, and the pointers that tell how far it got.

    queue ──> due (paced, 2 s ahead) ──> carrier's buffer ──> the caller's ear
    synthesised        sent                                    heard

Rules this file keeps:

1. Positions are whole samples from the stream's first. Time is whole milliseconds; 8 samples = 1 ms.
2. The carrier's buffer plays 8 samples a millisecond from the moment it has any. A dry buffer stands
   still: silence is not playback.
3. Heard is never more than the first mark that has not come back, unless that mark is overdue: then
   it is taken for lost, and time alone speaks.
4. An echo moves the pointer forward or not at all. An echo that `clear` caused, or that belongs to
   another epoch, is counted and ignored.
5. After `clear` or the stream's end nothing that was queued before is sent.
"""

from collections import deque

import msgspec

from service.audio import SAMPLES_PER_MS, samples

AHEAD_MAX = samples(2_000)  # what a barge-in must be able to take back; far below Twilio's 10 min
MESSAGE = samples(200)  # Twilio takes any size; larger messages cost less, smaller ones stop sooner
MESSAGE_MIN = samples(100)  # a shorter rest is sent along with what stands before it
MARK_EVERY = samples(400)  # how far off "heard" can be while an echo is on its way
ECHO_GRACE_MS = 1_000  # network both ways and a busy carrier; later means that it is lost


class SendMedia(msgspec.Struct, frozen=True):
    """Send this audio."""

    payload: bytes


class SendMark(msgspec.Struct, frozen=True):
    """Send this mark."""

    name: str


class ClauseHeard(msgspec.Struct, frozen=True):
    """The caller heard a clause to its end."""

    prompt: str
    clause: int


class Pointers(msgspec.Struct, frozen=True):
    """How far one prompt got on this stream, in samples."""

    prompt: str
    synthesised: int = 0
    sent: int = 0
    heard: int = 0


class _Clause(msgspec.Struct):
    """One clause: where it begins on the stream once it is being sent, and how much of it is."""

    prompt: str
    clause: int
    audio: bytes
    offset: int
    begin: int = -1
    sent: int = 0

    @property
    def end(self) -> int:
        return self.begin + len(self.audio)


class Playout:
    """The outbound audio of one epoch."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self._waiting: deque[_Clause] = deque()
        self._sounding: deque[_Clause] = deque()
        self._done: dict[str, Pointers] = {}
        self._sent = 0
        self._since_mark = 0
        self._anchor_ms = 0
        self._anchor = 0
        self._heard = 0
        self._marks: deque[tuple[int, str]] = deque()
        self._clears = 0
        self.echoes_ignored = 0

    def queue(self, prompt: str, clause: int, audio: bytes) -> None:
        """Add a clause behind all that is queued; `clause` numbers rise within a prompt."""
        offset = self._synthesised(prompt)
        self._waiting.append(_Clause(prompt, clause, audio, offset))

    def clauses_waiting(self) -> int:
        """How many clauses are not wholly sent."""
        return len(self._waiting)

    def due(self, now_ms: int) -> list[SendMedia | SendMark]:
        """Return what may be sent now, in order."""
        out: list[SendMedia | SendMark] = []
        while self._waiting and self._ahead(now_ms) < AHEAD_MAX:
            clause = self._waiting[0]
            if clause.begin < 0:
                clause.begin = self._sent
                self._sounding.append(clause)
            piece = clause.audio[clause.sent : clause.sent + _size(len(clause.audio) - clause.sent)]
            if piece:
                self._anchor_now(now_ms)
                out.append(SendMedia(piece))
            clause.sent += len(piece)
            self._sent += len(piece)
            self._since_mark += len(piece)
            is_end = clause.sent == len(clause.audio)
            if is_end or self._since_mark >= MARK_EVERY:
                out.append(SendMark(self._mark(clause)))
            if is_end:
                self._waiting.popleft()
        return out

    def _mark(self, clause: _Clause) -> str:
        """Name the point that was just sent by epoch, prompt and sample, and expect its echo."""
        name = f"e{self._epoch}.{clause.prompt}.{clause.offset + clause.sent}"
        if self._clears:
            name = f"{name}.{self._clears}"
        self._since_mark = 0
        self._marks.append((self._sent, name))
        return name

    def _anchor_now(self, now_ms: int) -> None:
        self._anchor = self._played(now_ms)
        self._anchor_ms = now_ms

    def _played(self, now_ms: int) -> int:
        """What the carrier has played if every message took no time."""
        run = max(0, now_ms - self._anchor_ms) * SAMPLES_PER_MS
        return min(self._sent, self._anchor + run)

    def _plays_at_ms(self, position: int) -> int:
        """When the carrier's buffer gets to `position`, rounded up to the millisecond."""
        return self._anchor_ms - (self._anchor - position) // SAMPLES_PER_MS

    def _heard_to(self, now_ms: int) -> int:
        while self._marks and now_ms - self._plays_at_ms(self._marks[0][0]) > ECHO_GRACE_MS:
            self._marks.popleft()
        limit = self._marks[0][0] if self._marks else self._sent
        self._heard = max(self._heard, min(self._played(now_ms), limit))
        return self._heard

    def _ahead(self, now_ms: int) -> int:
        return self._sent - self._heard_to(now_ms)

    def echoed(self, name: str, now_ms: int) -> None:
        """A mark came back."""
        position = next((at for at, known in self._marks if known == name), None)
        if position is None:
            self.echoes_ignored += 1
            return
        while self._marks and self._marks[0][0] <= position:
            _, known = self._marks.popleft()
            if known == name:
                break
        if position > self._played(now_ms):
            self._anchor, self._anchor_ms = position, now_ms
        self._heard = max(self._heard, position)

    def heard(self, now_ms: int) -> list[ClauseHeard]:
        """Return the clauses heard to their end since the last time, each exactly once."""
        to = self._heard_to(now_ms)
        found: list[ClauseHeard] = []
        while self._sounding and self._is_heard(self._sounding[0], to):
            clause = self._sounding.popleft()
            found.append(ClauseHeard(clause.prompt, clause.clause))
            before = self._done.get(clause.prompt, Pointers(clause.prompt))
            whole = before.heard + len(clause.audio)
            self._done[clause.prompt] = Pointers(clause.prompt, whole, whole, whole)
        return found

    def _is_heard(self, clause: _Clause, to: int) -> bool:
        return clause.sent == len(clause.audio) and to >= clause.end

    def pointers_of(self, prompt: str, now_ms: int) -> Pointers:
        """Return how far `prompt` got on this stream."""
        to = self._heard_to(now_ms)
        done = self._done.get(prompt, Pointers(prompt))
        sent, heard = done.sent, done.heard
        for clause in self._sounding:
            if clause.prompt == prompt:
                sent += clause.sent
                heard += max(0, min(clause.sent, to - clause.begin))
        return Pointers(prompt, self._synthesised(prompt), sent, heard)

    def _synthesised(self, prompt: str) -> int:
        done = self._done.get(prompt, Pointers(prompt)).synthesised
        open_clauses = {id(one): one for one in (*self._sounding, *self._waiting)}
        return done + sum(len(one.audio) for one in open_clauses.values() if one.prompt == prompt)

    def deadline_ms(self, now_ms: int) -> int | None:
        """Return when there is more to send, or a mark is overdue; None for "when an echo comes"."""
        wants: list[int] = []
        if self._waiting:
            wants.append(self._plays_at_ms(self._sent - AHEAD_MAX + MESSAGE))
        if self._marks:
            wants.append(self._plays_at_ms(self._marks[0][0]) + ECHO_GRACE_MS + 1)
        return min((at_ms for at_ms in wants if at_ms > now_ms), default=None)

    def is_idle(self, now_ms: int) -> bool:
        """Whether nothing waits and all that was sent was heard."""
        return not self._waiting and self._heard_to(now_ms) >= self._sent

    def clear(self, now_ms: int) -> bool:
        """Forget what is queued and what the carrier holds. False when the carrier holds nothing.

        The caller sends the `clear` message; the echoes it causes are not credited.
        """
        held = self._ahead(now_ms) > 0
        self._marks.clear()
        self._waiting.clear()
        self._sounding.clear()
        self._done.clear()
        self._anchor = self._heard = self._sent
        self._anchor_ms = now_ms
        self._since_mark = 0
        self._clears += 1
        return held


def _size(left: int) -> int:
    """How much of the rest goes into the next message: a short tail goes along."""
    return left if left <= MESSAGE or left < MESSAGE + MESSAGE_MIN else MESSAGE
