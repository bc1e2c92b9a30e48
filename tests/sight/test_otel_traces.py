import threading

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from service.sight.otel_traces import OtelTraces, exported, resource
from service.sight.spans import Span
from tests.conftest import free_port, wait_until
from tests.sight.collector import collector
from tests.sight.test_spans import told


def test_the_spans_of_a_call_arrive_with_its_ids_times_and_parents() -> None:
    exporter = InMemorySpanExporter()
    traces = OtelTraces(SimpleSpanProcessor(exporter))
    spans = told().spans
    for span in spans:
        traces.tell(span)
    arrived = exporter.get_finished_spans()
    assert len(arrived) == len(spans)
    by_id = {span.span_id: span for span in spans}
    for one in arrived:
        assert one.context is not None
        meant = by_id[one.context.span_id]
        assert one.context.trace_id == meant.trace_id
        assert (one.start_time, one.end_time) == (meant.from_us * 1_000, meant.to_us * 1_000)
        assert one.name == meant.name
        assert (one.status.status_code is StatusCode.ERROR) == meant.is_failed
        assert dict(one.attributes or {}) == meant.attributes
        if meant.parent:
            assert one.parent is not None
            assert by_id[one.parent.span_id].key == meant.parent
        else:
            assert one.parent is None


def test_a_trace_is_sampled_as_a_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    exporter = InMemorySpanExporter()
    traces = OtelTraces(SimpleSpanProcessor(exporter))
    calls = [f"CA{number}" for number in range(100)]
    for call_sid in calls:
        traces.tell(Span(call_sid, "call", "call", 1, 2, parent=""))
        traces.tell(Span(call_sid, "stream", "stream:1", 1, 2))
    seen: dict[int, int] = {}
    for one in exporter.get_finished_spans():
        assert one.context is not None
        seen[one.context.trace_id] = seen.get(one.context.trace_id, 0) + 1
    assert set(seen.values()) == {2}
    assert 25 < len(seen) < 75


def test_the_service_is_named_by_the_environment_and_else_stayline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert resource().attributes["service.name"] == "stayline"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "phones")
    assert resource().attributes["service.name"] == "phones"


@pytest.mark.asyncio
async def test_spans_reach_a_collector_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with collector() as kept:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", kept.url)
        traces = exported("otlp")
        for span in told().spans:
            traces.tell(span)
        await traces.close()
        await wait_until(lambda: kept.is_alone, description="the connection is closed")
    assert not [one for one in threading.enumerate() if one.name.startswith("OtelBatch")]
    assert kept.services == {"stayline"}
    assert {"call", "stream", "turn", "tool", "append"} == {one.name for one in kept.spans}
    assert len({one.trace_id for one in kept.spans}) == 1


@pytest.mark.asyncio
async def test_a_collector_that_is_away_delays_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    traces = exported("otlp")
    traces.tell(Span("CA1", "call", "call", 1, 2, parent=""))
    await traces.close()
