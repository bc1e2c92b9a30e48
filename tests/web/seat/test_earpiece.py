import asyncio
import json
from typing import Any

import pytest
from starlette.websockets import WebSocket
from typing_extensions import override

from service.audio import samples
from service.web.seat.earpiece import MARKS_OUT_MAX, WAITING_MAX, Farewell, WebEarpiece
from service.web.stream.socket import MediaSocket
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio

FRAME = b"\x2a" * samples(20)


class NotingSocket(MediaSocket):
    """Keeps what is sent; while `is_slow` it takes nothing."""

    def __init__(self) -> None:
        super().__init__(WebSocket({"type": "websocket"}, self._never, self._nowhere))
        self.sent: list[dict[str, Any]] = []
        self.may_take = asyncio.Event()
        self.may_take.set()

    async def _never(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def _nowhere(self, _message: object) -> None:
        return

    @override
    async def send(self, text: str) -> None:
        await self.may_take.wait()
        self.sent.append(json.loads(text))

    def count(self, event: str) -> int:
        return sum(one["event"] == event for one in self.sent)


async def test_the_caller_is_heard_at_once_and_marks_tell_how_far() -> None:
    socket = NotingSocket()
    earpiece = WebEarpiece(socket, "MZ1")
    sending = asyncio.create_task(earpiece.run())
    for _ in range(25):
        earpiece.hear(FRAME)
    await wait_until(lambda: socket.count("media") == 25, description="all of it is sent")
    await wait_until(lambda: socket.count("mark") == 1, description="half a second has a mark")
    earpiece.end(4403, "handed back")
    earpiece.end(1000, "too late")
    assert await sending == Farewell(4403, "handed back")


async def test_a_person_who_plays_nothing_is_sent_nothing_until_they_do() -> None:
    socket = NotingSocket()
    earpiece = WebEarpiece(socket, "MZ1")
    sending = asyncio.create_task(earpiece.run())
    for _ in range(25 * MARKS_OUT_MAX):
        earpiece.hear(FRAME)
        await asyncio.sleep(0)
    await wait_until(lambda: socket.count("mark") == MARKS_OUT_MAX, description="all is sent")
    sent = len(socket.sent)
    earpiece.hear(FRAME)
    earpiece.echoed("t99")
    earpiece.hear(FRAME)
    await asyncio.sleep(0)
    assert len(socket.sent) == sent
    earpiece.echoed("t3")
    earpiece.hear(FRAME)
    await wait_until(lambda: len(socket.sent) == sent + 1, description="the present is sent")
    sending.cancel()


async def test_a_slow_socket_costs_half_a_second_of_memory_and_the_oldest_sound() -> None:
    socket = NotingSocket()
    socket.may_take.clear()
    earpiece = WebEarpiece(socket, "MZ1")
    sending = asyncio.create_task(earpiece.run())
    for _ in range(1_000):
        earpiece.hear(FRAME)
    assert len(earpiece._waiting) == WAITING_MAX
    await asyncio.sleep(0)
    socket.may_take.set()
    await wait_until(lambda: socket.count("media") >= WAITING_MAX - 1, description="the rest")
    assert socket.count("media") <= WAITING_MAX + 1
    sending.cancel()
