"""What should make somebody look: a few rules over the last minutes of this process.

An alert begins when its figure reaches `begins_at` and ends only when it falls below `ends_below`, so that
a figure on the edge does not blink. The figures are those of service/history.py.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from service.sight.history import STEP_MS, Point

MINUTE = 60_000 // STEP_MS  # in points
MEMORY = 5 * MINUTE  # what happened once is in sight for so long
RETURNS_MIN = 5  # fewer are no spike, however few calls there are

Severity = Literal["warning", "critical"]


class Alert(msgspec.Struct, frozen=True):
    """One thing to look at. `text` is one sentence for people."""

    name: str
    severity: Severity
    since_ms: int
    text: str


class Rule(msgspec.Struct, frozen=True):
    """When an alert begins and ends, by a figure of the latest points (oldest first)."""

    name: str
    severity: Severity
    text: str
    figure: Callable[[Sequence[Point]], float]
    begins_at: float
    ends_below: float


def _unplanned(points: Sequence[Point]) -> float:
    """Streams lost in the last minute, as a share of the calls; 0 while they are few."""
    last = points[-MINUTE:]
    lost = sum(p.returns.get("drop", 0) + p.returns.get("crash", 0) for p in last)
    calls = max(1, *(p.live for p in last))
    return lost / calls if lost >= RETURNS_MIN else 0.0


def _resume_ms(points: Sequence[Point]) -> float:
    return max(p.resume_ms.p95 for p in points[-MINUTE:])


def _degraded(points: Sequence[Point]) -> float:
    return float(points[-1].is_degraded)


def _incidents(*kinds: str) -> Callable[[Sequence[Point]], float]:
    return lambda points: float(
        sum(p.incidents.get(kind, 0) for p in points[-MEMORY:] for kind in kinds)
    )


_GONE = ("state_missing", "fold_mismatch")
_AGAIN = ("asked_again", "told_already")

RULES = (
    Rule("reconnects", "warning", "Many streams drop.", _unplanned, 0.2, 0.1),
    Rule("resume_slow", "warning", "Calls take long to come back.", _resume_ms, 500.0, 250.0),
    Rule("store_degraded", "critical", "Calls go on without the store.", _degraded, 1.0, 1.0),
    Rule("context_lost", "critical", "A call's history was lost.", _incidents(*_GONE), 1, 1),
    Rule("context_doubted", "warning", "A caller had to say it again.", _incidents(*_AGAIN), 1, 1),
    Rule("unreadable", "critical", "A call can't be opened.", _incidents("unreadable"), 1, 1),
    Rule("drop_limit", "warning", "A call dropped too often.", _incidents("drop_limit"), 1, 1),
)


class Alerts:
    """The alerts of one process."""

    def __init__(self, rules: Sequence[Rule] = RULES) -> None:
        self._rules = tuple(rules)
        self._firing: dict[str, Alert] = {}

    def judge(self, points: Sequence[Point]) -> tuple[Alert, ...]:
        """Return what fires after the latest of `points`, which are at least one, oldest first."""
        for rule in self._rules:
            before = self._firing.get(rule.name)
            figure = rule.figure(points)
            if before is None and figure >= rule.begins_at:
                self._firing[rule.name] = Alert(
                    rule.name, rule.severity, points[-1].at_ms, rule.text
                )
            elif before is not None and figure < rule.ends_below:
                del self._firing[rule.name]
        return self.firing

    @property
    def firing(self) -> tuple[Alert, ...]:
        """What fires now, in the order of the rules."""
        return tuple(self._firing[r.name] for r in self._rules if r.name in self._firing)
