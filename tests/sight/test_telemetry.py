import subprocess
import sys
from typing import Any

import pytest

from service.clock import Clock
from service.meter import Meter
from service.sight.spans import Span
from service.sight.telemetry import INTERVAL_MS, Telemetry, Wanted, telemetry, wanted
from tests.sight.collector import collector

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, Wanted()),
        ({ENDPOINT: "http://c:4318"}, Wanted("otlp", "otlp")),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, Wanted("otlp", "none")),
        ({ENDPOINT: "http://c:4318", "OTEL_METRICS_EXPORTER": "none"}, Wanted("otlp", "none")),
        ({"OTEL_TRACES_EXPORTER": "console"}, Wanted("console", "none")),
        ({ENDPOINT: "http://c:4318", "OTEL_SDK_DISABLED": "TRUE"}, Wanted()),
        ({ENDPOINT: ""}, Wanted()),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "5000"}, Wanted(interval_ms=5_000)),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "1"}, Wanted(interval_ms=1_000)),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "often"}, Wanted(interval_ms=INTERVAL_MS)),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, Wanted()),
    ],
)
def test_the_standard_variables_say_what_is_exported(
    environ: dict[str, str], told: Wanted, caplog: pytest.LogCaptureFixture
) -> None:
    assert wanted(environ) == told
    assert not caplog.records


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_TRACES_EXPORTER", "zipkin"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
)
def test_what_cannot_be_met_is_told_and_left_out(
    name: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert wanted({name: value}).traces == "none"
    (line,) = caplog.records
    assert line.message.startswith(f"! {name}: only ")


def test_an_installation_without_the_extra_is_told_so_and_serves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def load(_name: str) -> Any:
        raise ModuleNotFoundError

    made = telemetry({ENDPOINT: "http://c:4318"}, Meter(), Clock(), load=load)
    assert made.traces is None
    assert "pip install 'stayline[otel]'" in caplog.text


@pytest.mark.asyncio
async def test_what_is_off_does_nothing_and_closes() -> None:
    off = Telemetry()
    await off.run()
    await off.close()


@pytest.mark.asyncio
async def test_what_is_on_tells_both_and_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with collector() as kept:
        monkeypatch.setenv(ENDPOINT, kept.url)
        on = telemetry({ENDPOINT: kept.url}, Meter(), Clock())
        assert on.traces is not None
        on.traces.tell(Span("CA1", "call", "call", 1, 2, parent=""))
        await on.close()
    assert [one.name for one in kept.spans] == ["call"]
    assert "stayline.calls.live" in kept.metrics


def test_we_import_nothing_that_exports_while_it_is_off() -> None:
    code = (
        "import sys, service.app, service.sight.telemetry as t;"
        "from service.clock import Clock; from service.meter import Meter;"
        "t.telemetry({}, Meter(), Clock());"
        "sys.exit(any('sight.otel_' in name or 'otlp' in name for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - our own words
    assert done.returncode == 0
