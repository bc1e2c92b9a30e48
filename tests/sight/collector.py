"""A small OpenTelemetry collector: takes OTLP over HTTP on the loopback, and keeps what it was told."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"


class Collector:
    """What came, by kind."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Span] = []
        self.metrics: dict[str, Metric] = {}
        self.services: set[str] = set()
        self.serving: set[asyncio.Task[None]] = set()

    @property
    def is_alone(self) -> bool:
        """Whether nobody is connected."""
        return all(serving.done() for serving in self.serving)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        serving = asyncio.current_task()
        assert serving is not None
        self.serving.add(serving)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode()
                lines = head.decode().lower().split("\r\n")
                length = next(int(one.split(":")[1]) for one in lines if "content-length" in one)
                self._keep(path, await reader.readexactly(length))
                writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _keep(self, path: str, body: bytes) -> None:
        if path == "/v1/traces":
            told = ExportTraceServiceRequest.FromString(body)
            for resource in told.resource_spans:
                self._name(resource.resource.attributes)
                for scope in resource.scope_spans:
                    self.spans.extend(scope.spans)
        else:
            assert path == "/v1/metrics"
            for one in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                self._name(one.resource.attributes)
                for kept in one.scope_metrics:
                    self.metrics.update({metric.name: metric for metric in kept.metrics})

    def _name(self, attributes: Iterable[KeyValue]) -> None:
        names = [one.value.string_value for one in attributes if one.key == "service.name"]
        self.services.update(names)


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """Serve for as long as the block lasts."""
    kept = Collector()
    server = await asyncio.start_server(kept.take, "127.0.0.1", 0)
    kept.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield kept
    finally:
        server.close()
        for serving in kept.serving:
            serving.cancel()
        await asyncio.gather(*kept.serving, return_exceptions=True)
