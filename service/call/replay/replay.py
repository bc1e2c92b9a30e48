"""Decide a recorded call again by the present code, and compare. Pure.

    records ──> of others, of a newer version ──────────────────────────> folded, not compared
           └──> of the holder ──> reading: which input was it? ──> decide ──> the same facts?
                                                                    └──> no: a divergence

The state is always the fold of what was recorded, so one divergence does not make the next ones.
After each write of the holder what follows from the state alone is due (`Settle`): when the present
code would go on where the recorded one stopped, that is a divergence, too.
"""

from collections.abc import Iterator, Sequence

import msgspec

from service.call import events as e, inputs as i
from service.call.decisions.decide import decide
from service.call.events import AnyFact, Known, Unknown
from service.call.folds.fold import fold
from service.call.place import Place
from service.call.policy import Policy
from service.call.replay.reading import Reading, Write, written_at_once
from service.call.replay.readings import readings
from service.call.replay.recording import Recording
from service.call.replay.report import Divergence, Report, Tally
from service.call.replay.sums import state_sum
from service.call.replay.terms import supposed_policy
from service.call.state import Call

NOTHING = "nothing"

_Placed = tuple[AnyFact, Place]


def replay(recording: Recording, policy: Policy | None = None) -> Report:
    """Decide `recording` again under `policy`; without one, under its own, else one that fits its facts."""
    facts = tuple(recording.facts())
    own = recording.head.policy
    ruled = policy or own or supposed_policy(facts)
    again = _Again(facts, ruled)
    again.run()
    state = state_sum(again.call)
    return Report(
        call_sid=recording.head.call_sid or again.call.call_sid,
        records=len(facts),
        tally=again.tally,
        policy="given" if policy else "recorded" if own else "supposed",
        state=state,
        is_state_same=state == recording.head.state if recording.head.state else None,
    )


class _Again:
    """One recording on its way."""

    def __init__(self, facts: Sequence[_Placed], policy: Policy) -> None:
        self.call = Call()
        self.tally = Tally()
        self._facts = facts
        self._policy = policy
        self._at = 0
        self._settled_ms: int | None = None  # when the holder last wrote, if nobody did since
        self._latest_ms = 0
        self._server = ""
        self._has_model = any(place.epoch and _is_of_model(fact) for fact, place in facts)
        self._opening = next(
            (n for n, (fact, _) in enumerate(facts) if isinstance(fact, e.StreamAttached)), 0
        )

    def run(self) -> None:
        """Go through all records."""
        while self._at < len(self._facts):
            fact, place = self._facts[self._at]
            if isinstance(fact, Unknown):
                self.tally.newer += 1
                self._pass()
            elif not place.epoch or self._is_opening():
                self.tally.outside += 1
                self._pass()
            else:
                self._compare(self._write(place))

    def _is_opening(self) -> bool:
        """A claim brings what the doors knew of the call; nothing of it was decided."""
        return self._at < self._opening and self.call.epoch <= 1 and not self.call.streams

    def _pass(self) -> None:
        self._fold(1)
        self._settled_ms = None

    def _fold(self, count: int) -> None:
        for fact, place in self._facts[self._at : self._at + count]:
            self.call = fold(self.call, fact, place)
            self._latest_ms = max(self._latest_ms, place.at_ms)
            if isinstance(fact, e.StreamAttached):
                self._server = fact.server
        self._at += count

    def _write(self, place: Place) -> Write:
        """All that stands beside the present record, of the same holder and moment."""
        run: list[Known] = []
        for index in range(self._at, len(self._facts)):
            fact, beside = self._facts[index]
            is_beside = (beside.epoch, beside.at_ms) == (place.epoch, place.at_ms)
            if isinstance(fact, Unknown) or not is_beside:
                break
            run.append(fact)
        return written_at_once(
            self.call, run, place.at_ms, server=self._server, has_model=self._has_model
        )

    def _compare(self, write: Write) -> None:
        place = self._facts[self._at][1]
        candidates = list(self._due(write, place)) or list(readings(write))
        for reading in candidates:
            decided = self._decided(reading, write)
            if _fits(reading, decided, write):
                self._agree(reading, len(decided), place)
                return
        if not candidates:
            self.tally.untold(write.facts[min(write.first, len(write.facts) - 1)])
            self._fold(1)
        elif self._is_blind(write, place):
            self.tally.blind += 1
            self._fold(1)
        else:
            self._diverge(candidates[0], write, place)
        self._settled_ms = place.at_ms

    def _is_blind(self, write: Write, place: Place) -> bool:
        """Whether it was decided on a state that can't be rebuilt here."""
        after = self._facts[self._at + len(write.facts) : self._at + len(write.facts) + 1]
        is_beside = any(isinstance(fact, Unknown) and at.at_ms == place.at_ms for fact, at in after)
        return bool(self.tally.newer) or is_beside or place.at_ms < self._latest_ms

    def _due(self, write: Write, place: Place) -> Iterator[Reading]:
        """What had to follow from the state before anything else could happen."""
        if self._settled_ms is None or place.epoch != self.call.epoch:
            return
        settled = decide(self.call, i.Settle(), self._settled_ms, self._policy)
        now = decide(self.call, i.Settle(), write.at_ms, self._policy)
        if settled.facts and now.facts:
            yield Reading(i.Settle(write.heard))

    def _decided(self, reading: Reading, write: Write) -> tuple[Known, ...]:
        return decide(self.call, reading.happened, write.at_ms, self._policy).facts

    def _agree(self, reading: Reading, count: int, place: Place) -> None:
        if reading.is_supposed:
            self.tally.supposed += count
        else:
            self.tally.given += len(reading.told_by)
            self.tally.followed += count - len(reading.told_by)
        self._fold(count)
        self._settled_ms = place.at_ms

    def _diverge(self, reading: Reading, write: Write, place: Place) -> None:
        decided = self._decided(reading, write)
        at = next(
            (
                n
                for n, (was, now) in enumerate(zip(write.facts, decided, strict=False))
                if was != now
            ),
            min(len(decided), len(write.facts)),
        )
        count = min(max(at + 1, reading.count), len(write.facts))
        self.tally.diverge(
            Divergence(
                position=place.position + at,
                happened=_line(reading.happened),
                recorded=_line(write.facts[at]) if at < len(write.facts) else NOTHING,
                decided=_line(decided[at]) if at < len(decided) else NOTHING,
            ),
            count,
        )
        self._fold(count)


def _is_of_model(fact: AnyFact) -> bool:
    return isinstance(fact, e.ResumeTokenKept) or (
        isinstance(fact, e.AgentSpoke) and fact.voice == "model"
    )


def _fits(reading: Reading, decided: tuple[Known, ...], write: Write) -> bool:
    """Whether all that was decided stands there, and nothing of the input is left."""
    return len(decided) >= reading.count and write.facts[: len(decided)] == decided


def _line(thing: i.Input | Known) -> str:
    if isinstance(thing, e.Fact):
        return e.encode(thing).decode()
    return f"{type(thing).__name__} {msgspec.json.encode(thing).decode()}"
