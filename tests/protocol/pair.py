"""Playout and the carrier's model on one virtual clock, with a wire of any delay between them."""

import random
from collections import deque

from service.protocol import messages as m, playout
from service.protocol.playout import ClauseHeard, Playout, SendMedia
from service.simulator.carrier import Leg

SID = "MZ1"
START_MS = 1_000_000
BUFFERED_MAX = playout.AHEAD_MAX + playout.MESSAGE
VOICES = 250  # how many prompts a run can have: each is a voice of its own, one byte repeated


class Pair:
    """One seeded run. Every prompt's audio is one byte repeated, so what was heard says whose it is."""

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
        self._there: deque[tuple[int, str]] = deque()
        self._back: deque[tuple[int, str]] = deque()
        self._voice = 0
        self._clauses: dict[int, list[int]] = {}
        self._told: list[ClauseHeard] = []
        self._known: set[ClauseHeard] = set()
        self._live: list[int] = []

    def step(self) -> None:
        """Do one thing by chance, then let a moment pass."""
        roll = self._chance.random()
        if roll < 0.35:
            self._queue()
        elif roll < 0.42:
            self._clear()
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
        self.ours.queue("0", 0, b"\xff" * 80)
        self._settle()
        self.run(1_000)
        assert self.ours.is_idle(self.now_ms)

    def _next_ms(self) -> int:
        waits = [self.ours.deadline_ms(self.now_ms), self.leg.deadline_ms()]
        waits += [wire[0][0] for wire in (self._there, self._back) if wire]
        return min((at_ms for at_ms in waits if at_ms is not None), default=self.now_ms + 3_600_000)

    def _queue(self) -> None:
        if not self._live or (self._chance.random() < 0.5 and self._voice < VOICES):
            self._voice += 1
            self._live.append(self._voice)
        voice = self._live[-1]
        length = self._chance.choice((0, 1, 161, 799, 1_601, 4_000, 12_345, 30_000))
        clauses = self._clauses.setdefault(voice, [])
        self.ours.queue(str(voice), len(clauses), bytes([voice]) * length)
        clauses.append(length)

    def _clear(self) -> None:
        if self.ours.clear(self.now_ms):
            self._there.append((self.now_ms + self._there_ms, m.clear(SID)))
        self._live.clear()

    def _settle(self) -> None:
        """Move whatever can move now, both ways, until nothing does."""
        for one in self.ours.due(self.now_ms):
            if isinstance(one, SendMedia):
                text = m.media(SID, one.payload)
            else:
                text = m.mark(SID, one.name)
            self._there.append((self.now_ms + self._there_ms, text))
        while self._there and self._there[0][0] <= self.now_ms:
            self.leg.receive(self._there.popleft()[1], self.now_ms)
        for text in self.leg.poll(self.now_ms):
            self._send_back(text)
        while self._back and self._back[0][0] <= self.now_ms:
            self._echo(self._back.popleft()[1])
        self._told += self.ours.heard(self.now_ms)

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
        self.ours.echoed(echo.mark.name, self.now_ms)

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
            assert at.heard <= at.sent <= at.synthesised == sum(self._clauses[voice]), where
            claimed[voice] = at.heard
        return truth, claimed

    def _truth(self) -> dict[int, int]:
        heard = dict.fromkeys(self._live, 0)
        for _, ulaw in self.leg.heard(self.now_ms):
            if ulaw[0] in heard:
                heard[ulaw[0]] += len(ulaw)
        return heard
