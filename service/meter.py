"""What is counted, for Prometheus. Labels are few and bounded: never a call, a number or an address."""

from collections import deque
from collections.abc import Iterable

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric

from service.instruments import (
    CAUSES,
    INCIDENTS,
    Abandoned,
    Continuity,
    Machine,
    Store,
    Talking,
    Waiting,
    begun,
)
from service.pool import Pool

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1, 3)
_GAP_SECONDS = (0.1, 0.3, 1, 2, 5, 10, 30, 60)
RETURNS_KEPT = 5_000  # measured singly until somebody takes them; more in ten seconds is a herd


class Return(msgspec.Struct, frozen=True):
    """A stream took up a call again, after a gap, and how long that took us."""

    gap_ms: int
    took_us: int


class Meter:
    """The counters of one application, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        own = self._registry
        self.calls_live = Gauge("stayline_calls_live", "Calls held by this process", registry=own)
        self.calls_opened = Counter("stayline_calls_opened", "Calls that rang here", registry=own)
        self.calls_ended = Counter("stayline_calls_ended", "Calls that ended here", registry=own)
        self.streams = begun(
            Counter(
                "stayline_streams_attached",
                "Media streams, by why they came",
                ["cause"],
                registry=own,
            ),
            CAUSES,
        )
        self.resume_seconds = Histogram(
            "stayline_resume_duration_seconds",
            "From `start` read to the call resumed and speaking decided",
            buckets=_SECONDS,
            registry=own,
        )
        self.gap_seconds = Histogram(
            "stayline_gap_duration_seconds",
            "Without inbound media before a resumed stream",
            buckets=_GAP_SECONDS,
            registry=own,
        )
        self.refused = Counter(
            "stayline_refused", "Requests and streams refused, by door", ["door"], registry=own
        )
        self._cut = Counter(
            "stayline_connections_cut", "Connections cut, by limit", ["limit"], registry=own
        )
        self.dropped_messages = Counter(
            "stayline_messages_dropped", "Wire messages outside the protocol", registry=own
        )
        self.fenced = Counter("stayline_fenced", "Sessions that lost their call", registry=own)
        self.incidents = begun(
            Counter("stayline_incidents", "What should happen in no call", ["kind"], registry=own),
            INCIDENTS,
        )
        self.continuity = Continuity(own)
        self.talking = Talking(own)
        self.machine = Machine(own)
        self.waiting = Waiting(own)
        self.abandoned = Abandoned(own)
        self.store = Store(own)
        self.pool: Pool | None = None
        self._returns: deque[Return] = deque(maxlen=RETURNS_KEPT)

    def returned(self, gap_ms: int, took_us: int) -> None:
        """A stream took up a call again."""
        self.gap_seconds.observe(gap_ms / 1000)
        self.resume_seconds.observe(took_us / 1e6)
        self._returns.append(Return(gap_ms, took_us))

    def cut(self, limit: str) -> None:
        """A connection was cut: it was too slow, or too much came of it. `limit` is one of a few words."""
        self._cut.labels(limit=limit).inc()

    def take_returns(self) -> tuple[Return, ...]:
        """Return what was measured singly since this was last asked, at most RETURNS_KEPT."""
        taken = tuple(self._returns)
        self._returns.clear()
        return taken

    def value(self, name: str, **labels: str) -> float:
        """Return one sample as `text` would show it, 0 when it was never counted."""
        return self._registry.get_sample_value(name, labels) or 0.0

    def samples(self) -> dict[tuple[str, ...], float]:
        """Return every sample as `text` would show it, by its name and the values of its labels."""
        return {
            (one.name, *one.labels.values()): one.value
            for family in self.families()
            for one in family.samples
        }

    def families(self) -> Iterable[Metric]:
        """Return everything, family by family, as it stands now."""
        return self._registry.collect()

    def text(self) -> bytes:
        """Return everything in Prometheus' text format; of all processes at this port, if they share a pool."""
        own = generate_latest(self._registry)
        return own if self.pool is None else self.pool.whole(own)

    def share(self) -> None:
        """Leave our figures to the other processes at this port, if there are any. Raises OSError."""
        if self.pool is not None:
            self.pool.write(generate_latest(self._registry))
