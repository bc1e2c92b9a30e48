import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from signal import SIGINT, SIGTERM

import httpx2
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from typing_extensions import override
from uvicorn.server import ServerState

from service import serving as module
from service.errors import ConfigError
from service.protocol.messages import MESSAGE_BYTES_MAX
from service.serving import EXIT_S_MAX, NOW_S_MAX, Server, listening, settings
from service.wire.rounds import Rounds
from service.wire.turnstile import Turnstile
from service.wire.websocket import Wire
from tests.conftest import for_a_moment, wait_until


def test_messages_are_bounded_and_never_unpacked_and_peers_are_asked_whether_they_live() -> None:
    made = settings(Starlette(), stop_s=3, date_header=False)
    assert isinstance(made.ws, partial)
    assert (made.ws.func, made.ws_max_size, made.ws_per_message_deflate) == (
        Wire,
        MESSAGE_BYTES_MAX,
        False,
    )
    assert made.ws_ping_interval is not None
    assert made.ws_ping_timeout is not None
    assert made.ws_ping_interval + made.ws_ping_timeout < 6, "requirement O-3"
    assert (made.timeout_graceful_shutdown, made.lifespan, made.date_header) == (3, "on", False)
    assert not made.server_header


@pytest.mark.asyncio
async def test_all_connections_stand_in_one_row_and_are_read_in_the_same_rounds() -> None:
    turnstile, rounds = Turnstile(), Rounds()
    made = settings(Starlette(), stop_s=1, turnstile=turnstile, rounds=rounds)
    made.load()
    assert isinstance(made.http, partial)
    assert isinstance(made.ws, partial)
    wires = [made.ws(config=made, server_state=ServerState(), app_state={}) for _ in range(2)]
    assert made.http.keywords["turnstile"] is turnstile
    assert all(wire._turnstile is turnstile for wire in wires)
    assert all(wire._rounds is rounds for wire in wires)


def test_who_knocks_before_the_server_is_ready_waits() -> None:
    (ours,) = listening("127.0.0.1", 0)
    with ours, socket.create_connection(ours.getsockname(), timeout=1):
        accepted, _ = ours.accept()
        with accepted:
            kept_ms = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert kept_ms == module.UNACKNOWLEDGED_MS_MAX


def test_a_name_may_be_several_addresses() -> None:
    ours = listening("localhost", 0)
    assert {one.getsockname()[0] for one in ours} <= {"127.0.0.1", "::1"}
    for one in ours:
        one.close()


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    (first,) = listening("127.0.0.1", 0)
    with first, pytest.raises(ConfigError, match=r"^PORT: can't listen on 127\.0\.0\.1:\d+: "):
        listening("127.0.0.1", first.getsockname()[1])


@pytest.mark.parametrize("host", ["no such host", "256.1.1.1", "a" * 70])
def test_a_host_that_is_none_is_one_clear_line(host: str) -> None:
    with pytest.raises(ConfigError, match=r"^HOST: "):
        listening(host, 0)


def test_an_address_of_another_machine_is_one_clear_line() -> None:
    with pytest.raises(ConfigError, match=r"^PORT: can't listen on 203\.0\.113\.1"):
        listening("203.0.113.1", 0)


def test_a_machine_that_has_none_of_the_addresses_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 0))
        for address in ("203.0.113.1", "203.0.113.2")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_named: found)
    with pytest.raises(ConfigError, match=r"^HOST: this machine has no"):
        listening("there", 0)


class Bounded(Server):
    """A server that notes how long it has to live, and lives on."""

    @override
    def exit_after(self, left_s: float) -> None:
        self.left_s = round(left_s, 1)


class House:
    """A server that runs in the test's own loop, and its application."""

    def __init__(self) -> None:
        self.drained = asyncio.Event()
        self.may_end = asyncio.Event()
        self.trouble: Exception | None = None
        self.is_closed = False
        self.app = Starlette(routes=[Route("/", self.answer)], lifespan=self.life)

    async def answer(self, _request: Request) -> Response:
        return PlainTextResponse("here")

    @asynccontextmanager
    async def life(self, _app: Starlette) -> AsyncIterator[None]:
        yield
        self.is_closed = True

    async def drain(self) -> None:
        self.drained.set()
        if self.trouble is not None:
            raise self.trouble
        await self.may_end.wait()

    async def open(self, drain: Callable[[], Awaitable[None]] | None) -> None:
        (self.door,) = listening("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.door.getsockname()[1]}/"
        self.server = Bounded(settings(self.app, stop_s=1), drain)
        self.task = asyncio.create_task(self.server.serve([self.door]))
        await self.server.serving.wait()


@pytest_asyncio.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    await made.open(made.drain)
    yield made
    made.server.end()
    await made.task


@pytest.mark.asyncio
async def test_the_first_term_drains_while_the_server_goes_on_answering(house: House) -> None:
    """Requirement O-9."""
    house.server.handle_exit(SIGTERM, None)
    await house.drained.wait()
    assert house.server.left_s == EXIT_S_MAX
    async with httpx2.AsyncClient() as http:
        answer = await http.get(house.url)
    assert (answer.text, "date" in answer.headers) == ("here", True)
    assert not house.task.done()
    house.may_end.set()
    await house.task
    assert house.is_closed


@pytest.mark.asyncio
async def test_the_second_term_is_now(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAME_S_MAX", 0)
    house.server.handle_exit(SIGTERM, None)
    await house.drained.wait()
    house.server.handle_exit(SIGTERM, None)
    await house.task
    assert house.server.left_s == NOW_S_MAX
    assert house.is_closed


@pytest.mark.asyncio
async def test_a_term_that_a_parent_passes_on_is_the_same_one(house: House) -> None:
    house.server.handle_exit(SIGTERM, None)
    house.server.handle_exit(SIGTERM, None)
    await house.drained.wait()
    await for_a_moment(0.05)
    assert not house.task.done()


@pytest.mark.asyncio
async def test_an_interrupt_is_now(house: House) -> None:
    house.server.handle_exit(SIGINT, None)
    await house.task
    assert not house.drained.is_set()
    assert house.is_closed


@pytest.mark.asyncio
async def test_a_drain_that_fails_ends_the_server_all_the_same(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.trouble = RuntimeError("a fault")
    house.server.handle_exit(SIGTERM, None)
    await house.task
    assert "the drain failed" in caplog.text


@pytest.mark.asyncio
async def test_a_server_that_is_told_before_it_runs_never_does() -> None:
    house = House()
    server = Bounded(settings(house.app, stop_s=1), house.drain)
    server.handle_exit(SIGTERM, None)
    (door,) = listening("127.0.0.1", 0)
    await server.serve([door])
    assert house.is_closed
    assert not house.drained.is_set()


@pytest.mark.asyncio
async def test_a_server_without_a_drain_leaves_the_signals_to_the_program_around_it() -> None:
    house = House()
    await house.open(None)
    house.server.handle_exit(SIGTERM, None)
    await house.task
    assert house.is_closed


@pytest.mark.asyncio
async def test_the_date_of_an_answer_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_S", 0.01)
    house.server.server_state.default_headers = []
    await wait_until(
        lambda: bool(house.server.server_state.default_headers), description="it is renewed"
    )
