import asyncio
from collections import deque

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from service.call.inputs import IDLE
from service.errors import RemoteProtocolError
from service.session.session import SHUTDOWN
from service.web.stream import socket as module
from service.web.stream.socket import REASON_BYTES_MAX, MediaSocket
from service.wire.websocket import UNANSWERED


class Wire:
    """The server's side of one ASGI WebSocket: what it brings, and what was sent through it."""

    def __init__(self, *brings: Message) -> None:
        self._brings = deque(brings)
        self.sent: list[Message] = []
        self.is_stuck = False

    async def receive(self) -> Message:
        return self._brings.popleft()

    async def send(self, message: Message) -> None:
        if self.is_stuck:
            await asyncio.Event().wait()
        self.sent.append(message)


async def opened(*brings: Message) -> tuple[Wire, MediaSocket]:
    wire = Wire({"type": "websocket.connect"}, *brings)
    websocket = WebSocket({"type": "websocket", "headers": []}, wire.receive, wire.send)
    await websocket.accept()
    return wire, MediaSocket(websocket)


def text(text: str) -> Message:
    return {"type": "websocket.receive", "text": text}


def gone(code: int) -> Message:
    return {"type": "websocket.disconnect", "code": code}


@pytest.mark.asyncio
async def test_text_goes_both_ways() -> None:
    wire, socket = await opened(text("hello"))
    await socket.send("good day")
    assert await socket.receive() == "hello"
    assert wire.sent[-1] == {"type": "websocket.send", "text": "good day"}


@pytest.mark.asyncio
async def test_a_binary_message_is_outside_the_protocol() -> None:
    _, socket = await opened({"type": "websocket.receive", "bytes": b"\0"})
    with pytest.raises(RemoteProtocolError):
        await socket.receive()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("code", "told"), [(1006, "closed 1006"), (1012, SHUTDOWN), (UNANSWERED, IDLE)]
)
async def test_the_end_of_the_socket_says_how_it_ended(code: int, told: str) -> None:
    _, socket = await opened(gone(code))
    with pytest.raises(ConnectionError, match=told):
        await socket.receive()


@pytest.mark.asyncio
async def test_nothing_is_sent_after_the_end_and_closing_again_is_harmless() -> None:
    wire, socket = await opened(gone(1000))
    with pytest.raises(ConnectionError):
        await socket.receive()
    with pytest.raises(ConnectionError):
        await socket.send("too late")
    await socket.close(1000, "")
    assert [message["type"] for message in wire.sent] == ["websocket.accept"]


@pytest.mark.asyncio
async def test_a_close_has_a_reason_that_fits_into_its_frame() -> None:
    wire, socket = await opened()
    await socket.close(4409, "ü" * 200)
    assert wire.sent[-1]["code"] == 4409
    assert len(wire.sent[-1]["reason"].encode()) <= REASON_BYTES_MAX


@pytest.mark.asyncio
async def test_a_peer_that_never_reads_can_not_hold_up_its_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CLOSE_MS_MAX", 1)
    wire, socket = await opened()
    wire.is_stuck = True
    await socket.close(1000, "")
    with pytest.raises(ConnectionError):
        await socket.send("too late")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("code", "words"), [(1006, "closed 1006"), (1012, SHUTDOWN), (UNANSWERED, IDLE)]
)
async def test_whoever_notices_the_end_first_has_the_same_words_for_it(
    code: int, words: str
) -> None:
    _, socket = await opened(gone(code))
    with pytest.raises(ConnectionError, match=words):
        await socket.receive()
    with pytest.raises(ConnectionError, match=words):
        await socket.send("more")
