import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.workers import neighbour as module
from service.workers.neighbour import Neighbour

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def answering(status: int, body: str) -> AsyncIterator[str]:
    """Something at our public address that answers every request like this; 0 for not at all."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readline()
        assert request.startswith(b"GET /line/readyz ")
        if status:
            head = (
                f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            )
            writer.write((head + body).encode())
        else:
            await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/line"


@pytest.mark.parametrize(
    ("status", "body", "is_ready"),
    [
        (200, '{"status":"ready","server":"there"}', True),
        (200, '{"status":"ready"}', True),  # the version before names no server
        (200, '{"status":"ready","server":"here"}', False),
        (503, '{"status":"not ready","server":"there"}', False),
        (503, '{"status":"ready","server":"there"}', False),
        (302, "", False),
        (200, "<html>", False),
        (200, '["ready"]', False),
        (200, '{"status":"fine"}', False),
    ],
)
async def test_another_server_is_one_that_says_it_is_ready_and_is_not_us(
    status: int, body: str, *, is_ready: bool
) -> None:
    async with answering(status, body) as url:
        assert await Neighbour(url, "here").is_ready() is is_ready


async def test_nobody_there_is_no_error() -> None:
    async with answering(200, "") as url:
        pass
    assert not await Neighbour(url, "here").is_ready()
    assert not await Neighbour("http://no such host", "here").is_ready()


async def test_whoever_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBE_MS_MAX", 30)
    async with answering(0, "") as url:
        assert not await Neighbour(url, "here").is_ready()
