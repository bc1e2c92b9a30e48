"""Real sockets, and peers that keep to no protocol: what is cut is gone on both sides."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from service.web.stream import socket as web_socket
from service.web.stream.socket import MediaSocket
from service.wire import flood, rounds as rounds_module, websocket as module
from service.wire.rounds import Rounds
from service.wire.websocket import CUT, UNANSWERED, Wire, cut_of, direct_of, say_of
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio

UPGRADE = (
    b"GET /media HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Served:
    """An application behind the wire, and the connections that it still has."""

    def __init__(self, server: uvicorn.Server, port: int, came: asyncio.Event) -> None:
        self._server = server
        self.port = port
        self.came = came

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    @property
    def wire(self) -> Wire:
        """The one connection there is."""
        (one,) = self._server.server_state.connections
        assert isinstance(one, Wire)
        return one

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be taken by the one peer there is."""
        return self.wire.transport.get_write_buffer_size()

    async def asked(self, *raw: bytes) -> bytes:
        """Return all that comes back for these bytes, each sent when the one before was answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        came = b""
        for one in raw:
            writer.write(one)
            came += await reader.read(65_536)
        came += await reader.read()
        writer.close()
        await writer.wait_closed()
        return came

    @contextlib.asynccontextmanager
    async def deaf_peer(self) -> AsyncIterator[socket.socket]:
        """A peer that upgrades, and from then on neither reads nor writes."""
        with socket.socket() as there:
            there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            there.settimeout(0)
            await asyncio.get_running_loop().sock_connect(there, ("127.0.0.1", self.port))
            there.send(UPGRADE)
            await wait_until(self.came.is_set, description="the application knows the peer")
            yield there


@contextlib.asynccontextmanager
async def serving(
    talk: Callable[[WebSocket], Awaitable[None]], **chosen: Any
) -> AsyncIterator[Served]:
    came = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        came.set()
        await talk(websocket)

    async with hosting(app, came, **chosen) as served:
        yield served


@contextlib.asynccontextmanager
async def hosting(app: ASGIApp, came: asyncio.Event, **more: Any) -> AsyncIterator[Served]:
    ours = socket.create_server(("127.0.0.1", 0))
    chosen: dict[str, Any] = {"ws": Wire, "ws_ping_interval": None, **more}
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, **chosen))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=[ours])
    try:
        yield Served(server, ours.getsockname()[1], came)
    finally:
        await server.shutdown(sockets=[ours])


async def test_a_peer_that_answers_no_ping_is_cut_though_words_for_it_still_wait() -> None:
    """Requirement O-3: uvicorn alone would wait until it had taken them."""

    async def talk(websocket: WebSocket) -> None:
        await websocket.send_text("x" * 10_000_000)
        ends.append(await websocket.receive())

    ends: list[Message] = []
    pings = {"ws_ping_interval": 0.05, "ws_ping_timeout": 0.05}
    async with serving(talk, **pings) as served, served.deaf_peer():
        await wait_until(lambda: served.connections == 0, description="the connection is gone")
    assert [end.get("code") for end in ends] == [UNANSWERED]


async def test_who_waits_for_the_application_is_not_cut_for_answers_that_nobody_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A busy process takes seconds to let a call in, and reads nothing of it meanwhile."""
    going_on, timeouts = asyncio.Event(), []
    late = Wire.keepalive_timeout

    async def talk(websocket: WebSocket) -> None:
        await going_on.wait()
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass

    def timeout(self: Wire) -> None:
        timeouts.append(self)
        late(self)

    monkeypatch.setattr(Wire, "keepalive_timeout", timeout)
    pings = {"ws_ping_interval": 0.05, "ws_ping_timeout": 0.05}
    async with serving(talk, **pings) as served, served.deaf_peer() as there:
        there.send(masked(b"one"))
        await wait_until(lambda: len(timeouts) >= 3, description="no ping was answered")
        assert served.connections == 1
        going_on.set()
        await wait_until(lambda: served.connections == 0, description="it answers none now, either")


async def test_a_deadline_at_which_we_are_late_ourselves_is_no_fault_of_the_peers() -> None:
    """Its answer may lie in the socket: uvloop looks at the time first, and reads then."""

    async def talk(websocket: WebSocket) -> None:
        await websocket.receive()

    pings = {"ws_ping_interval": 3_600.0, "ws_ping_timeout": 3_600.0}
    async with serving(talk, **pings) as served, served.deaf_peer():
        wire = served.wire
        wire.send_keepalive_ping()
        wire.ping_sent_at -= 3_601
        wire.keepalive_timeout()
        assert not wire.close_sent
        wire.keepalive_timeout()
        await wait_until(lambda: served.connections == 0, description="it did not answer in time")


async def test_the_application_can_cut_its_connection() -> None:
    async def talk(websocket: WebSocket) -> None:
        cut_of(websocket.scope)()
        assert (await websocket.receive())["type"] == "websocket.disconnect"

    async with serving(talk) as served, served.deaf_peer():
        await wait_until(lambda: served.connections == 0, description="the connection is gone")


async def test_a_deaf_peer_is_freed_soon_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """O-3: megabytes wait to be taken, and the close behind them is never read."""
    monkeypatch.setattr(web_socket, "CLOSE_MS_MAX", 50)
    monkeypatch.setattr(web_socket, "CUT_MS", 100)
    ended = asyncio.Event()

    async def talk(websocket: WebSocket) -> None:
        media = MediaSocket(websocket)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                while True:
                    await media.send("x" * 60_000)
        await media.close(1000, "over")
        with pytest.raises(ConnectionError):
            await media.receive()
        ended.set()

    async with serving(talk) as served, served.deaf_peer():
        await wait_until(ended.is_set, description="the application is told of the end")
        await wait_until(
            lambda: served.connections == 0, description="the connection is gone", within_s=2
        )


async def test_a_peer_that_is_not_there_any_more_is_freed_without_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """O-3: nothing is in the way, but the close is never answered; uvicorn alone waits ten seconds."""
    monkeypatch.setattr(web_socket, "CUT_MS", 100)

    async def talk(websocket: WebSocket) -> None:
        await MediaSocket(websocket).close(1000, "over")

    async with serving(talk) as served, served.deaf_peer():
        await wait_until(
            lambda: served.connections == 0, description="the connection is gone", within_s=2
        )


async def listens(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


@pytest.mark.parametrize(
    ("header", "status"),
    [(b"X: %s" % (b"x" * 9_000), b"431"), (b"X: x\r\n" * 200 + b"Y: y", b"431"), (b"Content-Length: 5", b"400")],
    ids=["long", "many", "body"],
)  # fmt: skip
async def test_an_upgrade_that_cant_be_read_is_answered(header: bytes, status: bytes) -> None:
    """Uvicorn alone would say nothing and keep the connection, for ever and from anybody."""
    async with serving(listens) as served:
        asked = UPGRADE.replace(b"Host: x", header)
        assert (await served.asked(asked)).startswith(b"HTTP/1.1 " + status)
        await wait_until(lambda: served.connections == 0, description="the connection is gone")


@pytest.mark.parametrize(
    "behind", [b"", b"\x81\x80....", b"\x88\x80...."], ids=["", "text", "close"]
)
async def test_text_that_is_none_ends_its_connection_and_leaves_no_traceback(
    behind: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """RFC 6455 8.1. With a close in the same segment uvicorn alone would raise."""
    async with serving(listens) as served:
        came = await served.asked(UPGRADE, b"\x81\x81\x00\x00\x00\x00\xff" + behind)
        await wait_until(lambda: served.connections == 0, description="the connection is gone")
    assert came.endswith(b"\x88\x02\x03\xef")
    assert not [one for one in caplog.records if one.exc_info or one.levelname == "ERROR"]


async def test_a_peer_that_is_failed_learns_why_although_it_goes_on_sending() -> None:
    """RFC 6455 7.1.1: what comes behind is read, or a reset would overtake the close."""
    async with serving(listens) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x83\x80....")
        await wait_until(lambda: served.connections == 1, description="it is there")
        for _ in range(50):
            writer.write(b"x" * 10_000)
            await writer.drain()
        assert (await reader.read())[:4] == b"\x88\x10\x03\xea"
        writer.close()
        await writer.wait_closed()


async def test_a_peer_that_is_failed_and_stays_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_S", 0.1)
    async with serving(listens) as served, served.deaf_peer() as there:
        there.send(b"\x83\x80....")
        await wait_until(
            lambda: served.connections == 0, description="the connection is gone", within_s=2
        )


async def test_pings_of_a_peer_that_reads_nothing_pile_nothing_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rule 9: its pongs would wait in our memory, as many as it likes."""
    monkeypatch.setattr(flood, "FRAMES_FULL", 1_000_000_000)
    monkeypatch.setattr(flood, "BYTES_FULL", 100_000_000_000)
    ping = b"\x89\xfd...." + b"p" * 125
    async with serving(listens) as served, served.deaf_peer() as there:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                for _ in range(400):
                    await loop.sock_sendall(there, ping * 200)
        assert served.waiting_bytes < 2**20


async def test_what_another_server_serves_is_not_cut() -> None:
    cut_of({"type": "websocket", "extensions": {}})()
    cut_of({"type": "websocket"})()
    assert CUT.startswith("stayline.")


FLOODS = {
    "frames": b"\x81\x80...." * 400,
    "pings": b"\x89\x80...." * 400,
    "pongs": b"\x8a\x80...." * 400,
    "fragments": b"\x01\x80...." + b"\x00\x80...." * 400,
    "bytes": (b"\x82\xfe\xff\x00...." + bytes(0xFF00)) * 5,
}


@pytest.mark.parametrize("name", FLOODS)
async def test_who_sends_more_than_any_caller_is_failed_and_the_application_learns_it(
    name: str,
) -> None:
    """S-9: 120 frames a second and 300 more, and bytes alike; the close says why."""
    ends: list[Message] = []

    async def reads(websocket: WebSocket) -> None:
        while (message := await websocket.receive())["type"] == "websocket.receive":
            pass
        ends.append(message)

    async with serving(reads) as served:
        came = await served.asked(UPGRADE, FLOODS[name])
        await wait_until(lambda: bool(ends), description="the application is told")
        await wait_until(lambda: served.connections == 0, description="the connection is gone")
    assert came.endswith(b"\x88\x12\x03\xf0too much at once")
    assert ends[0]["code"] == 1008


async def test_a_flood_before_the_handshake_is_answered_is_cut() -> None:
    """There is no close to be sent yet."""
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await may_answer.wait()
        await WebSocket(scope, receive, send).close()

    async with hosting(app, asked) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(UPGRADE)
        await wait_until(asked.is_set, description="it has asked")
        writer.write(FLOODS["frames"])
        await wait_until(lambda: served.connections == 0, description="the connection is gone")
        may_answer.set()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_what_waits_while_the_application_takes_nothing_is_no_flood() -> None:
    """A busy process takes seconds to let a call in, and its caller goes on speaking meanwhile."""
    going_on, heard = asyncio.Event(), list[str]()

    async def talk(websocket: WebSocket) -> None:
        await websocket.receive()
        await going_on.wait()
        direct_of(websocket.scope)(lambda text: heard.append(text.decode()))
        while (message := await websocket.receive())["type"] == "websocket.receive":
            heard.append(message["text"])

    async with serving(talk) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        wire = served.wire
        writer.write(masked(b"connected") + masked(b"start"))
        await wait_until(lambda: wire.read_paused, description="nothing more is read")
        writer.write(b"".join(masked(b"%d" % number) for number in range(450)))
        wire._unread_since_ms -= 9_000
        going_on.set()
        await wait_until(lambda: len(heard) == 451, description="all of it was heard")
        writer.close()
        await writer.wait_closed()


async def test_what_a_network_held_back_for_three_seconds_is_no_flood() -> None:
    """150 frames of audio, and the marks between."""
    heard: list[str] = []

    async def hears(websocket: WebSocket) -> None:
        while (message := await websocket.receive())["type"] == "websocket.receive":
            heard.append(message["text"])

    async with serving(hears) as served:
        late = (b"\x81\xfe\x01\x40...." + b"O" * 320) * 150 + b"\x81\x80...." * 100
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(late)
        await wait_until(lambda: len(heard) == 250, description="all of it was heard")
        writer.close()
        await writer.wait_closed()


def masked(text: bytes) -> bytes:
    return bytes((0x81, 0x80 | len(text))) + bytes(4) + text


async def test_texts_come_directly_once_none_waits_before_them() -> None:
    came: list[str] = []
    ends: list[Message] = []

    async def talk(websocket: WebSocket) -> None:
        first = await websocket.receive()
        direct_of(websocket.scope)(lambda raw: came.append(f"direct {raw.decode()}"))
        came.append(first["text"])
        while (message := await websocket.receive())["type"] == "websocket.receive":
            came.append(message["text"])
        ends.append(message)

    async with serving(talk) as served:
        ping = b"\x89\x80...."
        told = b"".join(masked(b"%d" % number) for number in range(3))
        await served.asked(
            UPGRADE, told + ping, masked(b"3") + ping + masked(b"4") + b"\x88\x80...."
        )
        await wait_until(lambda: bool(ends), description="the application is told of the end")
    assert came == ["0", "1", "2", "direct 3", "direct 4"]


async def test_who_is_followed_is_read_in_the_rounds_of_a_busy_process_until_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it says is heard in order, wherever the loop begins and ends to read it."""
    monkeypatch.setattr(rounds_module, "LOOK_S", 0.01)
    loop, came = asyncio.get_running_loop(), list[bytes]()
    rounds = Rounds(lambda: int(loop.time() * 1e6))

    async def talk(websocket: WebSocket) -> None:
        direct_of(websocket.scope)(came.append)
        direct_of(websocket.scope)(came.append)
        await listens(websocket)

    async with (
        serving(talk, ws=partial(Wire, rounds=rounds)) as served,
        served.deaf_peer() as there,
    ):
        wire = served.wire
        await wait_until(lambda: not wire.transport.is_reading(), description="it is in rounds")
        for number in range(30):
            there.send(masked(b"%d" % number) + masked(b"and") + b"\x89\x80....")
            await wait_until(lambda: len(came) > number, description="some of it was heard")  # noqa: B023
        there.send(b"\x88\x80....")
        await wait_until(lambda: served.connections == 0, description="the connection is gone")
        await wait_until(lambda: not rounds.period_ms, description="there is nobody to be read")
    assert b" ".join(came) == b" ".join(b"%d and" % number for number in range(30))


async def test_a_message_in_pieces_comes_directly_too_and_no_text_fails() -> None:
    came: list[bytes] = []

    async def talk(websocket: WebSocket) -> None:
        direct_of(websocket.scope)(came.append)
        await listens(websocket)

    async with serving(talk) as served:
        await served.asked(UPGRADE, b"\x01\x81....\x4f\x80\x81....\x45" + masked(b"\xff"))
        await wait_until(lambda: served.connections == 0, description="the connection is gone")
    assert came == [b"ak"]


async def test_texts_go_at_once_in_order_with_all_else_and_never_after_the_end() -> None:
    said: list[bool] = []

    async def talk(websocket: WebSocket) -> None:
        say = say_of(websocket.scope)
        said.append(say("a" * 125))
        await websocket.send_text("b")
        said.append(say("ü" * 63, "d" * 65_536))
        await websocket.close()
        said.append(say("e"))

    async with serving(talk) as served:
        came = await served.asked(UPGRADE, b"\x88\x80....")
        await wait_until(lambda: served.connections == 0, description="the connection is gone")
    told = came.partition(b"\r\n\r\n")[2]
    long = b"\x81\x7f" + (65_536).to_bytes(8, "big") + b"d" * 65_536
    words = b"\x81\x7d" + b"a" * 125 + b"\x81\x01b" + b"\x81\x7e\x00\x7e" + "ü".encode() * 63 + long
    assert told.startswith(words + b"\x88")
    assert said == [True, True, False]


async def test_nothing_is_said_at_once_to_a_peer_that_takes_nothing() -> None:
    """O-3: whoever says it waits for the peer then, and for no longer than it likes."""
    said: list[bool] = []

    async def talk(websocket: WebSocket) -> None:
        say = say_of(websocket.scope)
        said.extend(say("x" * 60_000) for _ in range(200))
        cut_of(websocket.scope)()
        said.append(say("x"))

    async with serving(talk) as served, served.deaf_peer():
        await wait_until(lambda: served.connections == 0, description="the connection is gone")
    assert said[0]
    assert not said[-2]
    assert not said[-1]


async def test_where_another_server_serves_there_is_nothing_to_ask_for() -> None:
    cut_of({"type": "websocket"})()
    direct_of(None)(lambda _: None)
    assert not say_of(None)("")
