"""Outbound audio on one stream, and the pointers that tell how far it got.

    queue ──> due (paced, 2 s ahead) ──> carrier's buffer ──> the caller's ear
    synthesised        sent                                    heard

Rules this file keeps:

1. Positions are whole samples from the stream's first; 8 samples = 1 ms.
2. Never more than AHEAD_MAX is sent ahead of what was heard. It goes out in portions: all up to the next
   mark at once, so that half as often there is something to do.
3. Heard follows time (see buffer.py), but not past the first mark that has not come back, and a clause
   that ends there was not heard to its end: a stream may have died unseen under it. Of a peer that
   seems to echo nothing time alone tells (see marks.py).
4. Heard never moves back, whatever comes late.
5. A mark's name is unique on its stream: `e{epoch}.{prompt}.{sample}`, and the number of clears when
   there were any. An echo that `clear` caused, that comes twice, that is foreign or of another
   epoch, is counted and ignored.
6. After `clear` nothing that was queued before is sent.
7. `hold` takes back what the carrier holds and sends nothing until `release`. Then all that was not
   heard goes out again, from a little before the sample that was heard last, or before the last echo
   when the next one is late: nothing is skipped, and what is repeated is not counted twice.
8. Reach is where a `clear` that is sent now probably finds the caller: it takes the same way there as
   the audio took. It tells the words; what is sent again is told by heard.
"""

from service.audio import samples
from service.protocol.buffer import Buffer
from service.protocol.clause import Clause
from service.protocol.marks import Marks
from service.protocol.orders import ClauseHeard, Pointers, SendMark, SendMedia
from service.protocol.portion import MARK_EVERY, portion

AHEAD_MAX = samples(2_000)  # what a barge-in must be able to take back; far below Twilio's 10 min
NEVER_MS = -1
REACH_LAGS_MAX = 2  # a clear is under way for half a lag; more than two are no guess any more


class Playout:
    """The outbound audio of one epoch. The caller bounds how much it queues: `clauses_waiting`.

    `is_proven`: the peer is known to echo.
    """

    def __init__(self, epoch: int, *, is_proven: bool = False) -> None:
        self.echoes_ignored = 0
        self._epoch = epoch
        self._buffer = Buffer()
        self._marks = Marks(self._buffer, is_proven=is_proven)
        self.listened = self._marks.listened  # of every frame: no call of its own
        # Lists, for they are short: an empty deque alone would take 0.7 KiB of every call.
        self._waiting: list[Clause] = []
        self._unheard: list[Clause] = []
        self._synthesised: dict[str, int] = {}
        self._queued = 0
        self._looked_ms = NEVER_MS  # when it was last found out what was heard,
        self._played = 0  # how far that was by the clock alone,
        self._open_at: int | None = None  # and the first position whose echo was waited for
        self._heard = 0
        self._marked = 0
        self._clears = 0
        self._is_held = False
        self._portion: list[int] = []  # the messages that go out next, up to a mark
        self._needed: int | None = None  # what must have been heard before; None: there are none

    @property
    def is_mute(self) -> bool:
        """Whether the peer seems to echo nothing."""
        return self._marks.is_mute

    def queue(self, prompt: str, clause: int, audio: bytes) -> None:
        """Add a clause behind all that is queued; `clause` numbers rise within a prompt."""
        offset = self._synthesised.get(prompt, 0)
        added = Clause(prompt, clause, audio, self._queued, offset)
        self._waiting.append(added)
        self._unheard.append(added)
        self._synthesised[prompt] = offset + len(audio)
        self._queued += len(audio)
        if len(self._waiting) == 1:
            self._look_ahead()

    def forget(self, prompt: str) -> None:
        """Take note that `prompt` was heard to its end, and nothing more of it is queued or asked for."""
        self._synthesised.pop(prompt, None)

    def clauses_waiting(self) -> int:
        """Return how many clauses are not wholly sent."""
        return len(self._waiting)

    def due(self, now_ms: int) -> list[SendMedia | SendMark]:
        """Return the next portion that is to be sent now, in order; it counts as sent from here on.

        It ends where its mark stands, or the clause: who can send more asks again.
        """
        out: list[SendMedia | SendMark] = []
        while not out and self._has_room(now_ms):  # There may be nothing to a clause.
            clause = self._waiting[0]
            begin = at = self._buffer.sent - clause.begin
            for size in self._portion:
                out.append(SendMedia(clause.audio[at : at + size]))
                at += size
            if out:
                self._buffer.send(at - begin, now_ms)
            if at == len(clause.audio):
                self._waiting.pop(0)
            if self._wants_mark(clause):
                out.append(SendMark(self._mark(clause, now_ms)))
            self._look_ahead()
        return out

    def echoed(self, name: str, now_ms: int) -> bool:
        """Take a mark that came back. True when there may be more due sooner than `deadline_ms` told."""
        was_held_up = self._open_at is not None and self._heard >= self._open_at
        lag_ms, self._looked_ms = self._buffer.lag_ms, NEVER_MS
        if not self._marks.echoed(name, now_ms):
            self.echoes_ignored += 1
            return False
        return was_held_up or self._buffer.lag_ms < lag_ms

    def heard(self, now_ms: int) -> list[ClauseHeard]:
        """Return the clauses heard to their end since the last time, each exactly once."""
        found: list[ClauseHeard] = []
        if not self._unheard or self._unheard[0].end > self._buffer.sent:
            return found
        to = self._whole_to(now_ms)
        while self._unheard and self._unheard[0].end <= to:
            clause = self._unheard.pop(0)
            found.append(ClauseHeard(clause.prompt, clause.clause))
        return found

    def pointers_of(self, prompt: str, now_ms: int) -> Pointers:
        """Return how far `prompt` got on this stream, since the last `clear`."""
        to, synthesised = self._heard_to(now_ms), self._synthesised.get(prompt, 0)
        open_clauses = [clause for clause in self._unheard if clause.prompt == prompt]
        done = open_clauses[0].offset if open_clauses else synthesised
        reached = self._reach(to, now_ms)
        sent = heard = reach = 0
        for clause in open_clauses:
            sent += clause.part(self._buffer.sent)
            heard += clause.part(to)
            reach += clause.reach(reached)
        return Pointers(
            prompt, synthesised, max(done + sent, done + reach), done + heard, done + reach
        )

    def deadline_ms(self, now_ms: int) -> int | None:
        """Return when `due` or `heard` will have more, without an echo; None: when more is queued."""
        open_at, needed = self._hear(now_ms), self._needed
        ends = self._unheard[0].end if self._unheard else None
        if ends is not None and ends > self._buffer.sent:
            ends = None  # More of it is sent before.
        if needed is not None and self._heard >= needed:
            return now_ms
        if ends is not None and ends <= self._heard and (open_at is None or ends < open_at):
            return now_ms
        coming = [one for one in (needed, ends) if one is not None and one > self._played]
        soonest_ms = self._buffer.plays_at_ms(min(coming)) if coming else None
        return self._marks.due_ms(now_ms, soonest_ms)

    def is_idle(self, now_ms: int) -> bool:
        """Say whether nothing waits and all that was sent was heard."""
        return not self._waiting and self._whole_to(now_ms) >= self._buffer.sent

    def clear(self, now_ms: int) -> bool:
        """Forget what is queued and what the carrier holds. False when the carrier holds nothing.

        The caller sends the `clear` message. Read the pointers first: the prompts are forgotten too.
        """
        is_playing = self._heard_to(now_ms) < self._buffer.sent
        self._waiting.clear()
        self._unheard.clear()
        self._synthesised.clear()
        self._empty()
        self._queued = self._buffer.sent
        self._look_ahead()
        return is_playing

    def hold(self, now_ms: int) -> bool:
        """Send nothing until `release`. True when the carrier holds something: send it `clear`.

        What was heard stands still where it is now.
        """
        self._is_held = True
        self._look_ahead()
        to = self._heard_to(now_ms)
        if to == self._buffer.sent:
            return False
        reached, whole, sure = self._reach(to, now_ms), self._whole_to(now_ms), to
        if whole < to and self._marks.is_proven:
            sure = self._marks.shown  # What a late echo should show may not have played.
        else:
            whole = to
        self._empty()
        self._queued = self._buffer.sent
        self._waiting.clear()
        for clause in self._unheard:
            if clause.end > whole:  # What ends before was heard, and only not told yet.
                self._waiting.append(clause.again(self._queued, sure, to, reached))
                self._queued = self._waiting[-1].end
        told = len(self._unheard) - len(self._waiting)
        self._unheard[told:] = self._waiting
        return True

    def release(self) -> None:
        """Send again: first what the hold took back."""
        self._is_held = False
        self._look_ahead()

    def _empty(self) -> None:
        """Take note that the carrier is told to drop what it has; its marks mean nothing any more."""
        self._marks.begin(self._buffer.sent)
        self._buffer.empty()
        self._heard = self._marked = self._buffer.sent
        self._looked_ms = NEVER_MS
        self._clears += 1

    def _look_ahead(self) -> None:
        """Find what goes out next, and what must have been heard before."""
        self._portion, self._needed = [], None
        if self._is_held or not self._waiting:
            return
        sent = self._buffer.sent
        self._portion = portion(self._waiting[0].end - sent, sent - self._marked)
        self._needed = sent + sum(self._portion) - AHEAD_MAX

    def _has_room(self, now_ms: int) -> bool:
        needed = self._needed
        return needed is not None and (self._heard >= needed or self._heard_to(now_ms) >= needed)

    def _wants_mark(self, clause: Clause) -> bool:
        unmarked = self._buffer.sent - self._marked
        is_time = unmarked >= MARK_EVERY or (unmarked > 0 and self._buffer.sent == clause.end)
        return is_time and self._marks.has_room

    def _mark(self, clause: Clause, now_ms: int) -> str:
        """Name the point that was just sent, and expect its echo."""
        sample = clause.offset + self._buffer.sent - clause.begin
        name = f"e{self._epoch}.{clause.prompt}.{sample}"
        if self._clears:
            name = f"{name}.{self._clears}"
        self._marked = self._buffer.sent
        self._marks.sent(name, self._marked, now_ms)
        return name

    def _hear(self, now_ms: int) -> int | None:
        """Move heard on; return the first position whose echo is waited for.

        One look will do for a moment: what is sent in it is not heard in it.
        """
        if now_ms != self._looked_ms:
            self._looked_ms = now_ms
            self._open_at = self._marks.open_at(now_ms)
            self._played = played = self._buffer.played(now_ms)
            limit = self._buffer.sent if self._open_at is None else self._open_at
            self._heard = max(self._heard, min(played, limit))
        return self._open_at

    def _heard_to(self, now_ms: int) -> int:
        self._hear(now_ms)
        return self._heard

    def _whole_to(self, now_ms: int) -> int:
        """Return how far clauses that end are heard to their end."""
        open_at = self._hear(now_ms)
        return self._heard if open_at is None else min(self._heard, open_at - 1)

    def _reach(self, to: int, now_ms: int) -> int:
        """Return what probably will have been heard when a `clear` of now gets there."""
        guess_max = samples(REACH_LAGS_MAX * self._buffer.lag_ms)
        return min(self._buffer.played(now_ms, lag_ms=0), to + guess_max)
