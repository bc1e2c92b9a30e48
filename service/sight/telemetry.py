"""OpenTelemetry, if the environment asks for it: traces and metrics to where its standard variables say.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318      traces and metrics, OTLP over HTTP
    OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER            otlp, console or none, each for itself
    OTEL_SDK_DISABLED=true                                 none, whatever else is set

Headers, time-outs, service name, resource attributes, sampling and batches are read by the SDK itself. While
nothing is asked for we import nothing of OpenTelemetry; it comes with `pip install stayline[otel]`.
"""

import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Literal, Protocol

import msgspec

from service.clock import Clock
from service.meter import Meter
from service.redaction import own_words
from service.sight.noticing import Traces

Exporter = Literal["otlp", "console", "none"]

INTERVAL_MS = 60_000  # OpenTelemetry's own, between two exports of metrics
INTERVAL_MS_MIN = 1_000  # figures that are read more often say no more

_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"

_log = logging.getLogger(__name__)


class Wanted(msgspec.Struct, frozen=True):
    """What the environment asks for."""

    traces: Exporter = "none"
    metrics: Exporter = "none"
    interval_ms: int = INTERVAL_MS


class Tracing(Traces, Protocol):
    """Where spans go, and what lets go of it."""

    async def close(self) -> None:
        """Send what waits, and let go; bounded in time."""
        ...


class Counting(Protocol):
    """What exports metrics."""

    async def run(self) -> None:
        """Export again and again, until cancelled."""
        ...

    async def close(self) -> None:
        """Export a last time, and let go; bounded in time."""
        ...


class Telemetry:
    """What is exported of one process; None for what is not."""

    def __init__(self, traces: Tracing | None = None, metrics: Counting | None = None) -> None:
        self.traces = traces
        self._metrics = metrics

    async def run(self) -> None:
        """Export metrics until cancelled; return at once when nobody wants any."""
        if self._metrics is not None:
            await self._metrics.run()

    async def close(self) -> None:
        """Send what waits, and let go."""
        for one in (self.traces, self._metrics):
            if one is not None:
                await one.close()


def wanted(environ: Mapping[str, str]) -> Wanted:
    """Read the standard variables. What can't be met is told in the log, and left out."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Wanted()
    if "OTEL_EXPORTER_OTLP_PROTOCOL" in environ:
        _warn_of("OTEL_EXPORTER_OTLP_PROTOCOL", environ, ("http/protobuf",))
    return Wanted(
        _exporter(environ, "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        _exporter(environ, "OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"),
        _interval_ms(environ.get("OTEL_METRIC_EXPORT_INTERVAL", "")),
    )


def telemetry(
    environ: Mapping[str, str],
    meter: Meter,
    clock: Clock,
    *,
    load: Callable[[str], Any] = import_module,
) -> Telemetry:
    """Return what exports as the environment asks. What is not installed is told in the log, and left out."""
    want = wanted(environ)
    try:
        traces = metrics = None
        if want.traces != "none":
            traces = load("service.sight.otel_traces").exported(want.traces)
        if want.metrics != "none":
            made = load("service.sight.otel_metrics").exported
            metrics = made(want.metrics, meter, clock, want.interval_ms)
    except ModuleNotFoundError:
        _log.warning(
            "! OpenTelemetry is asked for and not installed: pip install 'stayline[otel]'",
            extra={"action": "telemetry_absent"},
        )
        return Telemetry()
    return Telemetry(traces, metrics)


def _exporter(environ: Mapping[str, str], name: str, endpoint: str) -> Exporter:
    asked = environ.get(name, "").strip()
    is_led = bool(environ.get(endpoint) or environ.get(_ENDPOINT))
    match asked:
        case "otlp" | "console" | "none":
            return asked
        case "":
            return "otlp" if is_led else "none"
        case _:
            _warn_of(name, environ, ("otlp", "console", "none"))
            return "none"


def _warn_of(name: str, environ: Mapping[str, str], allowed: tuple[str, ...]) -> None:
    if environ[name].strip() not in ("", *allowed):
        _log.warning(
            "! %s: only %s can be met",
            own_words(name),
            own_words(", ".join(allowed)),
            extra={"action": "telemetry_unmet"},
        )


def _interval_ms(told: str) -> int:
    is_number = told.isascii() and told.isdigit() and len(told) < len(str(10**9))
    return max(INTERVAL_MS_MIN, int(told)) if is_number else INTERVAL_MS
