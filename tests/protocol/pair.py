"""Playout and the carrier's model on one virtual clock, with a wire of any delay between them.

All that is said in a run is cut from one tape of noise, from its beginning on. So a message tells by
its content where on the tape it belongs, and what the caller heard is how far on the tape he got.
"""

import random
from collections import deque

from service.protocol import clause, messages as m, playout, portion
from service.protocol.orders import ClauseHeard, SendMark, SendMedia
from service.protocol.playout import Playout
from service.simulator.streams.carrier import Leg

SID = "MZ1"
START_MS = 1_000_000
BUFFERED_MAX = playout.AHEAD_MAX + portion.MESSAGE
TAPE = random.Random(1).randbytes(2_000_000)


def due(ours: Playout, now_ms: int) -> list[SendMedia | SendMark]:
    """Return all that is to be sent now, portion by portion."""
    out: list[SendMedia | SendMark] = []
    while portion := ours.due(now_ms):
        out += portion
    return out


class Pair:
    """One seeded run."""

    def __init__(
        self,
        chance: random.Random,
        *,
        clear_echoes: bool = True,
        echoes: bool = True,
        loses_echoes: bool = False,
        there_ms: int = 0,
        echo_ms_max: int = 0,
    ) -> None:
        self.now_ms = START_MS
        self.ours = Playout(1)
        self.leg = Leg(SID, "CA1", "AC1", {}, clear_echoes=clear_echoes, echoes=echoes)
        self._chance = chance
        self._loses_echoes = loses_echoes
        self._has_lost = False
        self._there_ms = there_ms
        self._echo_ms_max = echo_ms_max
        self._is_exact = echoes and not (loses_echoes or there_ms or echo_ms_max)
        self._there: deque[tuple[int, str, int]] = deque()
        self._back: deque[tuple[int, str]] = deque()
        self._told_ms: int | None = None  # when there would be more to do, as of the last moment
        self._voice = 0
        self._begins: dict[int, int] = {}
        self._clauses: dict[int, list[int]] = {}
        self._told: list[ClauseHeard] = []
        self._known: set[ClauseHeard] = set()
        self._live: list[int] = []
        self._is_held = False
        self._tape = 0
        self._next = 0  # where on the tape the next message must begin,
        self._is_again = False  # unless it goes on after a hold
        self._skips = {0}
        self._arrived: list[int] = []  # where on the tape each of the carrier's pieces begins

    def step(self) -> None:
        """Do one thing by chance, then let a moment pass."""
        self._told_ms = self.now_ms  # Whoever does it looks by himself.
        roll = self._chance.random()
        if roll < 0.35:
            self._queue()
        elif roll < 0.40:
            self._clear()
        elif roll < (0.75 if self._is_held else 0.50):
            if self._is_held:
                self.release()
            else:
                self._hold()
        self._settle()
        self.run(self._chance.choice((0, 0, 1, 7, 20, 133, 400, 1_500)))

    def run(self, duration_ms: int) -> None:
        """Let time pass, stopping at whatever either side waits for."""
        end_ms = self.now_ms + duration_ms
        while self.now_ms < end_ms:
            self.now_ms = max(self.now_ms + 1, min(end_ms, self._next_ms()))
            self._settle()

    def warm_up(self) -> None:
        """Say something short and hear its echo: from then on the way there and back is known."""
        self._say(0, 80)
        self._settle()
        self.run(1_000)
        assert self.ours.is_idle(self.now_ms)

    def _next_ms(self) -> int:
        self._told_ms = self.ours.deadline_ms(self.now_ms)
        waits = [self._told_ms, self.leg.deadline_ms()]
        waits += [wire[0][0] for wire in (self._there, self._back) if wire]
        return min((at_ms for at_ms in waits if at_ms is not None), default=self.now_ms + 3_600_000)

    def _queue(self) -> None:
        if not self._live or self._chance.random() < 0.5:
            self._voice += 1
            self._live.append(self._voice)
        length = self._chance.choice((0, 1, 161, 799, 1_601, 4_000, 12_345, 30_000))
        self._say(self._live[-1], length)

    def _say(self, voice: int, length: int) -> None:
        clauses = self._clauses.setdefault(voice, [])
        self._begins.setdefault(voice, self._tape)
        self.ours.queue(str(voice), len(clauses), TAPE[self._tape : self._tape + length])
        self._tape += length
        clauses.append(length)

    def _clear(self) -> None:
        if self.ours.clear(self.now_ms):
            self._there.append((self.now_ms + self._there_ms, m.clear(SID), 0))
        self._live.clear()
        self._next, self._is_again = self._tape, False
        self._skips.add(self._tape)

    def _hold(self) -> None:
        self._is_held = True
        if self.ours.hold(self.now_ms):
            self._there.append((self.now_ms + self._there_ms, m.clear(SID), 0))
            self._is_again = True

    def release(self) -> None:
        """Go on sending, if that was held."""
        self._is_held = False
        self.ours.release()

    def cut_in(self) -> tuple[int, int]:
        """Say much, hold in its midst; return how far the caller got, and what the reach was."""
        self._live.append(1)
        self._say(1, 30_000)
        self._settle()
        self.run(self._chance.randint(600, 3_000))
        self._hold()
        reach = self.ours.pointers_of("1", self.now_ms).reach
        self.run(500)
        assert self.ours.pointers_of("1", self.now_ms).reach == reach
        return self._truth()[1], reach

    def _go_on(self, sent: bytes) -> None:
        """Find where on the tape the first audio after a hold belongs: it is long, or all there is."""
        heard = max(self._reach(), *self._skips)
        first = max(0, heard - clause.BACK_MAX - (0 if self._is_exact else playout.AHEAD_MAX))
        self._next = self._tape - len(sent)
        if not TAPE.startswith(sent, self._next):
            self._next = TAPE.find(sent, first, heard + len(sent))
        assert first <= self._next <= heard, "something is skipped, or too much is repeated"
        self._is_again = False

    def _place(self, piece: bytes) -> int:
        """Return where on the tape a message belongs that is sent now."""
        assert TAPE.startswith(piece, self._next)
        self._next += len(piece)
        return self._next - len(piece)

    def _settle(self) -> None:
        """Move whatever can move now, both ways, until nothing does."""
        while self._back and self._back[0][0] <= self.now_ms:
            self._echo(self._back.popleft()[1])
        out = due(self.ours, self.now_ms)
        sent = b"".join(one.payload for one in out if isinstance(one, SendMedia))
        assert not (sent and self._is_held)
        if sent and self._is_again:
            self._go_on(sent)
        for one in out:
            at_ms = self.now_ms + self._there_ms
            if isinstance(one, SendMedia):
                self._there.append((at_ms, m.media(SID, one.payload), self._place(one.payload)))
            else:
                self._there.append((at_ms, m.mark(SID, one.name), 0))
        while self._there and self._there[0][0] <= self.now_ms:
            self._arrive(*self._there.popleft()[1:])
        for text in self.leg.poll(self.now_ms):
            self._send_back(text)
        while self._back and self._back[0][0] <= self.now_ms:
            self._echo(self._back.popleft()[1])
        self._told += self.ours.heard(self.now_ms)

    def _arrive(self, text: str, place: int) -> None:
        self.leg.receive(text, self.now_ms)
        if isinstance(m.decode_outbound(text), m.Media):
            self._arrived.append(place)
        del self._arrived[len(self.leg.heard(self.now_ms + 3_600_000)) :]

    def _send_back(self, text: str) -> None:
        # Two lost in a row are another case: nothing would be known for two intervals.
        if self._loses_echoes and not self._has_lost and self._chance.random() < 0.3:
            self._has_lost = True
            return
        self._has_lost = False
        at_ms = self.now_ms + self._chance.randint(0, self._echo_ms_max)
        self._back.append((max(at_ms, self._back[-1][0] if self._back else 0), text))

    def _echo(self, text: str) -> None:
        echo = m.decode(text)
        assert isinstance(echo, m.Mark)
        is_sooner = self.ours.echoed(echo.mark.name, self.now_ms)
        told_ms, self._told_ms = self._told_ms, self.ours.deadline_ms(self.now_ms)
        if not is_sooner and self._told_ms is not None:
            assert told_ms is not None
            assert told_ms <= self._told_ms, "there is more to do sooner, and nobody was told"

    def check(self, where: str) -> tuple[dict[int, int], dict[int, int]]:
        """Assert what holds whatever the wire does.

        Return what the caller has heard of each live prompt, and what the playout says of it.
        """
        assert not self.leg.warnings, where
        assert self.leg.buffered(self.now_ms) <= BUFFERED_MAX, where
        truth = self._truth()
        for told in self._told:
            voice = int(told.prompt)
            assert told not in self._known, where
            self._known.add(told)
            if voice in truth:
                assert truth[voice] >= sum(self._clauses[voice][: told.clause + 1]), where
        self._told.clear()
        claimed: dict[int, int] = {}
        for voice in self._live:
            at = self.ours.pointers_of(str(voice), self.now_ms)
            assert at.heard <= at.reach <= at.sent <= at.synthesised == sum(self._clauses[voice]), (
                where
            )
            claimed[voice] = at.heard
        return truth, claimed

    def _truth(self) -> dict[int, int]:
        reach = self._reach()
        return {
            voice: max(0, min(reach - self._begins[voice], sum(self._clauses[voice])))
            for voice in self._live
        }

    def _reach(self) -> int:
        """Return how far on the tape the caller got. Nothing is skipped but what was cleared."""
        reach = 0
        for place, (_, ulaw) in zip(self._arrived, self.leg.heard(self.now_ms), strict=False):
            assert place <= reach or place in self._skips
            reach = max(reach, place + len(ulaw))
        return reach
