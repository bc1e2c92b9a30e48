import asyncio
from collections import deque

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from service.call.inputs import IDLE
from service.errors import RemoteProtocolError
from service.protocol import dialects, messages
from service.protocol.interpreter import Interpreter
from service.session.session import SHUTDOWN
from service.web.stream import socket as module
from service.web.stream.foreign import ForeignSocket
from service.web.stream.socket import REASON_BYTES_MAX, MediaSocket
from service.wire.websocket import DIRECT, UNANSWERED, Say


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


async def accepted(*brings: Message, say: Say | None = None) -> tuple[Wire, WebSocket]:
    wire = Wire({"type": "websocket.connect"}, *brings)
    extensions = {} if say is None else {DIRECT: {"say": say}}
    scope = {"type": "websocket", "headers": [], "extensions": extensions}
    websocket = WebSocket(scope, wire.receive, wire.send)
    await websocket.accept()
    return wire, websocket


async def opened(*brings: Message, say: Say | None = None) -> tuple[Wire, MediaSocket]:
    wire, websocket = await accepted(*brings, say=say)
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
async def test_a_text_goes_at_once_where_the_server_can_and_the_peer_has_room() -> None:
    said: list[str] = []

    def say(*texts: str) -> bool:
        said.append(" ".join(texts))
        return len(said) == 1

    _, plain = await opened()
    assert not plain.say("hello")
    _, socket = await opened(gone(1000), say=say)
    assert socket.say("hello", "there")
    assert not socket.say("much")
    with pytest.raises(ConnectionError):
        await socket.receive()
    assert not socket.say("too late")
    assert said == ["hello there", "much"]


@pytest.mark.asyncio
async def test_another_carrier_is_told_at_once_in_its_own_words() -> None:
    said: list[str] = []

    def say(*texts: str) -> bool:
        said.extend(texts)
        return True

    wire, websocket = await accepted(say=say)
    socket = ForeignSocket(websocket, Interpreter(dialects.TELNYX), echoes=False)
    assert socket.say(messages.clear("MZ1"), messages.clear("MZ1"))
    await socket.send(messages.clear("MZ1"))
    assert said == ['{"event":"clear"}'] * 3
    assert len(wire.sent) == 1


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
