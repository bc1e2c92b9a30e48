"""The meter's figures to OpenTelemetry: the very same as at /metrics, under names with dots.

stayline_gap_duration_seconds   ──> stayline.gap.duration, unit s
stayline_streams_attached_total ──> stayline.streams.attached, a monotonic sum
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Literal

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    ConsoleMetricExporter,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.metrics_core import Metric as Family

from service.clock import Clock
from service.meter import Meter
from service.sight.otel_traces import CLOSE_S_MAX, resource

_NANO = 1_000  # of a microsecond
_UNITS = {"seconds": "s", "bytes": "By"}
_CUMULATIVE = AggregationTemporality.CUMULATIVE

_Labels = tuple[tuple[str, str], ...]


class OtelMetrics:
    """Exports what `meter` has counted, every `interval_ms`."""

    def __init__(
        self, exporter: MetricExporter, meter: Meter, clock: Clock, interval_ms: int
    ) -> None:
        self._exporter = exporter
        self._meter = meter
        self._clock = clock
        self._interval_ms = interval_ms
        self._resource = resource()
        self._began_ns = clock.now_us() * _NANO

    async def run(self) -> None:
        """Export until cancelled. A collector that is away misses no more than the steps between."""
        while True:
            await asyncio.sleep(self._interval_ms / 1_000)
            await self._export()

    async def close(self) -> None:
        """Export a last time, for CLOSE_S_MAX at most, and let go of the connections."""
        await asyncio.wait({asyncio.create_task(self._end())}, timeout=CLOSE_S_MAX)

    async def _end(self) -> None:
        await self._export()
        await asyncio.to_thread(self._exporter.shutdown)

    async def _export(self) -> None:
        told = self.told()
        await asyncio.to_thread(self._exporter.export, told, int(CLOSE_S_MAX * 1_000))

    def told(self) -> MetricsData:
        """Return the figures as they stand now."""
        now_ns = self._clock.now_us() * _NANO
        metrics = [_metric(family, self._began_ns, now_ns) for family in self._meter.families()]
        scope = ScopeMetrics(InstrumentationScope("stayline"), metrics, "")
        return MetricsData([ResourceMetrics(self._resource, [scope], "")])


def named(family: str) -> tuple[str, str]:
    """Return OpenTelemetry's name of one of our families, and its unit."""
    words = family.split("_")
    unit = _UNITS.get(words[-1], "")
    return ".".join(words[:-1] if unit else words), unit


def _metric(family: Family, began_ns: int, now_ns: int) -> Metric:
    name, unit = named(family.name)
    if family.type == "histogram":
        points = list(_spreads(family, began_ns, now_ns))
        return Metric(name, family.documentation, unit, Histogram(points, _CUMULATIVE))
    numbers = [
        NumberDataPoint(dict(one.labels), began_ns, now_ns, one.value)
        for one in family.samples
        if not one.name.endswith("_created")
    ]
    if family.type == "counter":
        return Metric(
            name, family.documentation, unit, Sum(numbers, _CUMULATIVE, is_monotonic=True)
        )
    return Metric(name, family.documentation, unit, Gauge(numbers))


def _spreads(family: Family, began_ns: int, now_ns: int) -> Iterable[HistogramDataPoint]:
    """Yield a point for each set of labels; there the buckets do not count what lies below them."""
    buckets: dict[_Labels, list[tuple[float, float]]] = {}
    sums: dict[_Labels, float] = {}
    for one in family.samples:
        labels = _bare(one.labels)
        if one.name.endswith("_bucket"):
            buckets.setdefault(labels, []).append((float(one.labels["le"]), one.value))
        elif one.name.endswith("_sum"):
            sums[labels] = one.value
    for labels, up_to in buckets.items():
        counts = [int(count) for _, count in up_to]
        apart = [more - less for more, less in zip(counts, [0, *counts], strict=False)]
        bounds = [bound for bound, _ in up_to[:-1]]
        yield HistogramDataPoint(
            dict(labels), began_ns, now_ns, counts[-1], sums[labels], apart, bounds, 0.0, 0.0
        )


def _bare(labels: Mapping[str, str]) -> _Labels:
    return tuple((name, value) for name, value in labels.items() if name != "le")


def exported(
    to: Literal["otlp", "console"], meter: Meter, clock: Clock, interval_ms: int
) -> OtelMetrics:
    """Return what sends metrics where the environment says."""
    exporter = OTLPMetricExporter() if to == "otlp" else ConsoleMetricExporter()
    return OtelMetrics(exporter, meter, clock, interval_ms)
