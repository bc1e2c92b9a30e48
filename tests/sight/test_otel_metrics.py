import asyncio

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from service.clock import Clock
from service.meter import Meter
from service.sight.otel_metrics import exported, named
from tests.conftest import wait_until
from tests.sight.collector import collector


@pytest.mark.parametrize(
    ("family", "told"),
    [
        ("stayline_gap_duration_seconds", ("stayline.gap.duration", "s")),
        ("stayline_streams_attached", ("stayline.streams.attached", "")),
        ("stayline_store_behind_bytes", ("stayline.store.behind", "By")),
    ],
)
def test_names_have_dots_and_no_unit(family: str, told: tuple[str, str]) -> None:
    assert named(family) == told


def test_no_two_figures_have_one_name() -> None:
    names = [named(family.name)[0] for family in Meter().families()]
    assert len(set(names)) == len(names)


@pytest.mark.asyncio
async def test_a_collector_gets_the_figures_that_are_at_metrics(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    meter = Meter()
    meter.calls_live.set(3)
    meter.streams.labels(cause="drop").inc(2)
    for gap_ms in (700, 900, 8_000):
        meter.returned(gap_ms=gap_ms, took_us=4_000)
    async with collector() as kept:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", kept.url)
        metrics = exported("otlp", meter, Clock(), 10)
        exporting = asyncio.create_task(metrics.run())
        await wait_until(lambda: bool(kept.metrics), description="the collector was told")
        exporting.cancel()
        await asyncio.gather(exporting, return_exceptions=True)
        meter.calls_opened.inc()
        await metrics.close()
        await wait_until(lambda: kept.is_alone, description="the connections are closed")
    assert kept.services == {"stayline"}
    (live,) = kept.metrics["stayline.calls.live"].gauge.data_points
    assert live.as_double == 3
    streams = kept.metrics["stayline.streams.attached"].sum
    assert streams.is_monotonic
    assert (
        streams.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    )
    by_cause = {one.attributes[0].value.string_value: one for one in streams.data_points}
    dropped = by_cause["drop"]
    assert dropped.attributes[0].key == "cause"
    assert dropped.as_double == 2
    assert sum(one.as_double for one in by_cause.values()) == 2
    assert dropped.start_time_unix_nano < dropped.time_unix_nano
    gap = kept.metrics["stayline.gap.duration"]
    (spread,) = gap.histogram.data_points
    assert gap.unit == "s"
    assert (spread.count, spread.sum) == (3, pytest.approx(9.6))
    assert list(spread.explicit_bounds) == [0.1, 0.3, 1, 2, 5, 10, 30, 60]
    assert list(spread.bucket_counts) == [0, 0, 2, 0, 0, 1, 0, 0, 0]
    (opened,) = kept.metrics["stayline.calls.opened"].sum.data_points
    assert opened.as_double == 1
