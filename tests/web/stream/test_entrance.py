import pytest
from starlette.websockets import WebSocket

from service.pages.lines import COME_BACK, ENDED, Lines
from service.session.line import CLOSE_OVER, CLOSE_REPLACED
from service.web.door.embedding import Origins
from service.web.stream.entrance import PageEntrance, PageSocket

pytestmark = pytest.mark.asyncio

HERE = "https://calls.example.com"


class Wire:
    """What a server passes on to the socket of a page, and what is sent there."""

    def __init__(self, origin: str = HERE) -> None:
        self.sent: list[dict[str, object]] = []
        scope = {"type": "websocket", "headers": [(b"origin", origin.encode())]}
        self.socket = WebSocket(scope, self._receive, self._send)  # type: ignore[arg-type] # of ASGI

    async def _receive(self) -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def _send(self, message: dict[str, object]) -> None:
        self.sent.append(message)


@pytest.mark.parametrize(
    ("code", "grace_ms", "sent"),
    [
        (CLOSE_OVER, 5_000, ENDED),
        (CLOSE_OVER, 0, COME_BACK),
        (CLOSE_REPLACED, 0, 4409),
        (1008, 0, 1008),
    ],
)
async def test_a_page_is_told_by_the_code_whether_to_come_back(
    code: int, grace_ms: int, sent: int
) -> None:
    wire = Wire()
    await wire.socket.accept()
    await PageSocket(wire.socket).close(code, "over", grace_ms=grace_ms)
    assert wire.sent[-1]["code"] == sent


async def test_only_pages_that_may_call_come_in() -> None:
    entrance = PageEntrance(origins=Origins(frozenset({HERE})), lines=Lines())
    assert entrance.unwelcome(Wire().socket, is_proved=False) == ""
    assert entrance.unwelcome(Wire("https://evil.example.com").socket, is_proved=False)
    assert not entrance.is_proved(Wire().socket)
