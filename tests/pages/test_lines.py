import pytest

from service.pages.lines import COME_BACK, ENDED, Lines
from tests.pages.sockets import NotingSocket

pytestmark = pytest.mark.asyncio


async def test_only_the_sockets_of_a_call_are_closed() -> None:
    lines, one, newer, other = Lines(), NotingSocket(), NotingSocket(), NotingSocket()
    lines.join("WB1", one)
    lines.join("WB1", newer)
    lines.join("WB2", other)
    await lines.call_back("WB1")
    assert one.closed == newer.closed == [(COME_BACK, "come back")]
    assert other.closed == []
    await lines.end("WB2")
    assert other.closed == [(ENDED, "ended")]


async def test_a_socket_that_is_gone_is_left_alone() -> None:
    lines, one = Lines(), NotingSocket()
    lines.join("WB1", one)
    lines.part(one)
    lines.part(one)
    await lines.end("WB1")
    assert one.closed == []
