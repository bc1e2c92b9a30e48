"""How this process has fared: one point every ten seconds, kept for some hours, for charts and alerts.

Prometheus keeps the same for longer and for all servers; this is what can be seen without it.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from service.call.shown.incidents import KINDS
from service.instruments import CAUSES, INCIDENTS
from service.meter import Meter

STEP_MS = 10_000  # a wall display needs no finer grain
POINTS_MAX = 2_160  # six hours: a shift


class Spread(msgspec.Struct, frozen=True):
    """Several measurements in milliseconds: the middle one, and the one that 95 % stay within."""

    count: int = 0
    p50: float = 0.0
    p95: float = 0.0


class Point(msgspec.Struct, frozen=True):
    """What happened in the STEP_MS before `at_ms`; `live` and `is_degraded` are as they stand then.

    `returns` counts streams that took up a call again, by cause. `resume_ms` is from reading `start`
    to the decision what to say, `gap_ms` the time without inbound media before. Of the conversations that
    ended after a drop some `survived`, others were `lost`; see call/survival.py.
    """

    at_ms: int
    live: int
    opened: int
    ended: int
    returns: dict[str, int]
    incidents: dict[str, int]
    resume_ms: Spread
    gap_ms: Spread
    is_degraded: bool
    survived: int = 0
    lost: int = 0


class History:
    """The points of one process. `tick` is called every STEP_MS."""

    def __init__(self, meter: Meter, points_max: int = POINTS_MAX) -> None:
        self.meter = meter
        self._points: deque[Point] = deque(maxlen=points_max)
        self._counts: dict[tuple[str, ...], int] = {}

    def tick(self, now_ms: int) -> Point:
        """Close the step that ends now, and return its point."""
        samples = self.meter.samples()  # all at once: to look for one takes as long
        returned = self.meter.take_returns()
        more = partial(self._more, samples)
        point = Point(
            at_ms=now_ms,
            live=int(samples.get(("stayline_calls_live",), 0)),
            opened=more("stayline_calls_opened_total"),
            ended=more("stayline_calls_ended_total"),
            returns=_counted(partial(more, "stayline_streams_attached_total"), CAUSES[1:]),
            incidents=_counted(partial(more, "stayline_incidents_total"), INCIDENTS)
            | _counted(partial(more, "stayline_context_losses_total"), KINDS),
            survived=more("stayline_conversations_total", "survived"),
            lost=more("stayline_conversations_total", "lost"),
            resume_ms=spread([one.took_us / 1_000 for one in returned]),
            gap_ms=spread([float(one.gap_ms) for one in returned]),
            is_degraded=bool(samples.get(("stayline_store_degraded",))),
        )
        self._points.append(point)
        return point

    def since(self, at_ms: int) -> tuple[Point, ...]:
        """Return the points after `at_ms`, oldest first."""
        return tuple(point for point in self._points if point.at_ms > at_ms)

    def _more(self, samples: Mapping[tuple[str, ...], float], *key: str) -> int:
        """Return by how much a counter has grown since it was last asked for."""
        count = int(samples.get(key, 0))
        before = self._counts.get(key, 0)
        self._counts[key] = count
        return count - before


def _counted(more: Callable[[str], int], values: Sequence[str]) -> dict[str, int]:
    counted = {value: more(value) for value in values}
    return {value: count for value, count in counted.items() if count}


def spread(measured: Sequence[float]) -> Spread:
    """Return the middle and the 95th percentile (nearest rank) of `measured`, zeros for none."""
    if not measured:
        return Spread()
    ordered = sorted(measured)
    middle, high = (ordered[-(-len(ordered) * share // 100) - 1] for share in (50, 95))
    return Spread(len(ordered), round(middle, 1), round(high, 1))
