import socket
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette

from service.call.acts import Act, Say
from service.call.state import Call, Turn
from service.errors import StoreUnavailable
from service.testing.server import Server, listening
from service.testing.stayline import Stayline
from tests.testing.agents import Echo


class Leaving:
    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        del call
        if turn.reason != "opening":
            sys.exit(3)
        yield Say("Hello there.")


@asynccontextmanager
async def broken(_app: Starlette) -> AsyncIterator[None]:
    raise OSError("the store is away")
    yield


def test_a_server_that_cannot_start_says_so() -> None:
    def make() -> Starlette:
        app = Starlette(lifespan=broken)
        app.state.parts = SimpleNamespace(journal=SimpleNamespace(engine=SimpleNamespace()))
        return app

    with listening() as door, pytest.raises(RuntimeError, match="did not start"):
        Server(make, door)


def test_an_agent_that_ends_the_program_ends_its_server_and_is_named(stayline: Stayline) -> None:
    call = stayline.call(Leaving).hears("Hello there")
    call.says("how are you")
    with pytest.raises(RuntimeError, match=r"the server ended by SystemExit\(3\)"):
        call.hears("I am fine")


def test_a_killed_server_writes_nothing_any_more(stayline: Stayline) -> None:
    call = stayline.call(Echo, client_name="Maria")
    call.hears("what can I do for you")
    dead = call.house.server
    call.kill_server()
    call.comes_back()
    epochs = [one["epoch"] for one in call.journal() if one["epoch"]]
    assert epochs == sorted(epochs)
    assert set(epochs) == {1, 2}
    assert call.journal("stream_detached") == []
    with pytest.raises(StoreUnavailable):
        dead.parts.journal.open("CA1", (), now_ms=1).send(None)


def test_a_server_that_is_stopped_writes_where_its_calls_stand(stayline: Stayline) -> None:
    call = stayline.call(Echo, client_name="Maria")
    call.hears("what can I do for you")
    call.restart_server()
    call.comes_back()
    (detached,) = call.journal("stream_detached")
    assert detached["reason"] == "shutdown"


def test_a_server_that_ended_leaves_no_thread_and_no_open_door(stayline: Stayline) -> None:
    call = stayline.call(Echo, client_name="Maria")
    port = int(call.house.url.rpartition(":")[2])
    stayline.close()
    assert not [one for one in threading.enumerate() if one.name in ("the server", "the carrier")]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
