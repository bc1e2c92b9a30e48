"""Peers that ask slowly, or too much, or take no answer, on real sockets."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service import serving
from service.wire import crowd, request as module
from service.wire.request import HEAD_BYTES_MAX, REQUEST_BYTES_MAX
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
HUGE = 50_000_000


class Peer:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def said(self, *raw: bytes) -> bytes:
        """Return all that came until the server let go."""
        with contextlib.suppress(ConnectionError):
            for one in raw:
                self.writer.write(one)
                await self.writer.drain()
        came = b""
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                while piece := await self.reader.read(65_536):
                    came += piece
        return came

    async def answer(self, raw: bytes) -> bytes:
        """Return the one answer to a request; the connection stays."""
        self.writer.write(raw)
        head = await self.reader.readuntil(b"\r\n\r\n")
        return head + await self.reader.readexactly(2)


class Place:
    """A server, and what its application met."""

    def __init__(self) -> None:
        self.left = 0
        self.cut: list[str] = []
        app = Starlette(
            routes=[Route("/", self._read, methods=["GET", "POST"]), Route("/huge", self._huge)]
        )
        self.server = serving.Server(
            serving.settings(app, stop_s=1, lifespan="off", told=self.cut.append)
        )

    async def _read(self, request: Request) -> Response:
        try:
            await request.body()
        except ClientDisconnect:
            self.left += 1
        return PlainTextResponse("ok")

    async def _huge(self, _request: Request) -> Response:
        return PlainTextResponse("x" * HUGE)

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)

    @contextlib.asynccontextmanager
    async def peer(self) -> AsyncIterator[Peer]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Peer(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    @property
    def port(self) -> int:
        return int(self.server.servers[0].sockets[0].getsockname()[1])


@pytest_asyncio.fixture
async def place(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    for name in ("HEAD_S_MAX", "BODY_S_MAX", "NEXT_S_MAX", "TAKEN_S_MAX"):
        monkeypatch.setattr(module, name, 0.3)
    made = Place()
    ours = socket.create_server(("127.0.0.1", 0))
    serving_ = asyncio.create_task(made.server.serve(sockets=[ours]))
    await made.server.serving.wait()
    try:
        yield made
    finally:
        made.server.end()
        await serving_


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", b""),
        (b"\r\n\r\n", b""),
        (b"G", b"HTTP/1.1 408 "),
        (GET[:-2], b"HTTP/1.1 408 "),
        (GET[:-2].replace(b"\r\n", b"\r\nUpgrade: websocket\r\nConnection: upgrade\r\n", 1), b"HTTP/1.1 408 "),
        (POST, b""),
        (POST + b"12345678", b""),
        (GET + b"\r\n", b"HTTP/1.1 200 "),
        (GET + GET[:9], b"HTTP/1.1 200 "),
    ],
    ids=["nothing", "empty-lines", "a-letter", "half-a-head", "half-an-upgrade", "no-body", "half-a-body",
         "nothing-more", "half-of-the-next"],
)  # fmt: skip
async def test_who_does_not_finish_a_request_is_let_go(
    place: Place, sent: bytes, answer: bytes
) -> None:
    """S-3: uvicorn alone would keep each of these for ever, but the last idle one."""
    async with place.peer() as peer:
        assert (await peer.said(sent)).startswith(answer)
    await wait_until(lambda: place.connections == 0, description="the connection is gone")


async def test_a_request_of_which_a_byte_comes_now_and_then_is_let_go(place: Place) -> None:
    async with place.peer() as peer:
        ending = asyncio.create_task(peer.said())
        for byte in GET * 10:
            peer.writer.write(bytes((byte,)))
            if (await asyncio.wait({ending}, timeout=0.05))[0]:
                break
        assert (await ending).startswith(b"HTTP/1.1 408 ")


async def test_who_asks_again_and_again_keeps_the_connection(place: Place) -> None:
    async with place.peer() as peer:
        for _ in range(5):
            assert (await peer.answer(POST + b"123456789")).endswith(b"ok")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await peer.reader.read(1)
        assert place.connections == 1
    await wait_until(lambda: place.connections == 0, description="the connection is gone")
    assert place.left == 0


async def test_requests_that_come_together_are_all_answered(place: Place) -> None:
    async with place.peer() as peer:
        assert (await peer.said(GET * 20)).count(b"HTTP/1.1 200 ") == 20


async def test_a_head_without_an_end_is_refused(place: Place) -> None:
    async with place.peer() as peer:
        line = b"X-Long: " + b"x" * 1_000 + b"\r\n"
        came = await peer.said(GET[:-2], *[line] * (HEAD_BYTES_MAX // 900))
    assert came.startswith(b"HTTP/1.1 431 ")
    assert place.cut == ["head"]


async def test_trailers_without_an_end_are_cut(place: Place) -> None:
    """Neither a head nor a body, and uvicorn alone would keep them all."""
    chunked = POST.replace(b"Content-Length: 9", b"Transfer-Encoding: chunked") + b"0\r\n"
    line = b"X-Long: " + b"x" * 10_000 + b"\r\n"
    async with place.peer() as peer:
        assert await peer.said(chunked, *[line] * (REQUEST_BYTES_MAX // 9_000)) == b""
    await wait_until(lambda: place.left == 1, description="the application is told")
    assert place.cut == ["body"]


async def test_who_takes_nothing_of_an_answer_is_cut(place: Place) -> None:
    with socket.socket() as there:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        there.settimeout(0)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(there, ("127.0.0.1", place.port))
        await loop.sock_sendall(there, GET.replace(b"/", b"/huge", 1))
        await wait_until(lambda: place.connections == 1, description="it is there")
        await wait_until(lambda: place.connections == 0, description="it is gone")
    assert place.cut == ["answer"]


async def test_who_takes_an_answer_slowly_gets_all_of_it(place: Place) -> None:
    async with place.peer() as peer:
        peer.writer.write(GET.replace(b"/", b"/huge", 1))
        await peer.reader.readuntil(b"\r\n\r\n")
        assert len(await peer.reader.readexactly(HUGE)) == HUGE


async def test_of_a_crowd_that_asks_nothing_the_oldest_goes_first(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "SILENT_MAX", 5)
    monkeypatch.setattr(module, "HEAD_S_MAX", 60.0)
    async with contextlib.AsyncExitStack() as all_of_them:
        first = await all_of_them.enter_async_context(place.peer())
        for _ in range(5):
            await all_of_them.enter_async_context(place.peer())
        assert await first.said() == b""
        async with place.peer() as peer:
            assert (await peer.answer(GET)).endswith(b"ok")
    assert place.cut == ["crowd", "crowd"]


async def test_a_server_without_an_address_of_its_peer_serves_it_all_the_same(
    tmp_path: object,
) -> None:
    """A Unix socket has no host to count by."""
    path = f"{tmp_path}/socket"
    app = Starlette(routes=[Route("/", lambda _request: PlainTextResponse("ok"))])
    server = uvicorn.Server(serving.settings(app, stop_s=1, lifespan="off", uds=path))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    try:
        reader, writer = await asyncio.open_unix_connection(path)
        assert (await Peer(reader, writer).answer(GET)).endswith(b"ok")
        writer.close()
        await writer.wait_closed()
    finally:
        await server.shutdown()
