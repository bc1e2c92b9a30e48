"""Spans to OpenTelemetry: with the ids that their call gives them, and the times at which they were."""

import asyncio
from typing import Literal

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from typing_extensions import override

from service.sight.spans import Span, span_id

CLOSE_S_MAX = 3.0  # a collector that is away delays no shutdown by more; what waited is lost

_NANO = 1_000  # of a microsecond


class _Given(IdGenerator):
    """Gives out the ids of the span that is being told."""

    def __init__(self) -> None:
        self.span: Span | None = None

    @override
    def generate_span_id(self) -> int:
        assert self.span is not None
        return self.span.span_id

    @override
    def generate_trace_id(self) -> int:
        assert self.span is not None
        return self.span.trace_id


class OtelTraces:
    """Tells spans to `processor`. For use on one thread."""

    def __init__(self, processor: SpanProcessor) -> None:
        self._ids = _Given()
        self._provider = TracerProvider(resource=resource(), id_generator=self._ids)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("stayline")

    def tell(self, span: Span) -> None:
        """Pass a span on, if the call's trace is sampled: all of it is, or nothing, on every server."""
        sampled = self._provider.sampler.should_sample(Context(), span.trace_id, span.name)
        if sampled.decision is Decision.DROP:
            return
        self._ids.span = span
        told = self._tracer.start_span(
            span.name,
            context=_parent(span) if span.parent else Context(),
            start_time=span.from_us * _NANO,
            attributes=span.attributes,
        )
        if span.is_failed:
            told.set_status(Status(StatusCode.ERROR))
        told.end(span.to_us * _NANO)

    async def close(self) -> None:
        """Send what waits, for CLOSE_S_MAX at most, and let go of the connection and the thread."""
        closing = asyncio.create_task(asyncio.to_thread(self._end))
        await asyncio.wait({closing}, timeout=CLOSE_S_MAX)

    def _end(self) -> None:
        self._provider.force_flush(int(CLOSE_S_MAX * 1_000))
        self._provider.shutdown()


def _parent(span: Span) -> Context:
    parent = SpanContext(
        span.trace_id,
        span_id(span.call_sid, span.parent),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return set_span_in_context(NonRecordingSpan(parent), Context())


def resource() -> Resource:
    """Return who tells: the environment's words, and `stayline` where it names nobody."""
    told = Resource.create()
    name = str(told.attributes.get(SERVICE_NAME, ""))
    is_named = bool(name) and not name.startswith("unknown_service")
    return told if is_named else told.merge(Resource({SERVICE_NAME: "stayline"}))


def exported(to: Literal["otlp", "console"]) -> OtelTraces:
    """Return what sends spans where the environment says, in batches, from a thread of its own."""
    exporter = OTLPSpanExporter() if to == "otlp" else ConsoleSpanExporter()
    return OtelTraces(BatchSpanProcessor(exporter))
