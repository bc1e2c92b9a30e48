import asyncio

import pytest

from service.chaos.callers.chance import chance
from service.chaos.network.proxy import Proxy, Target
from service.chaos.servers.server import free_port
from service.clock import Clock
from tests.chaos.pair import far_end
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


async def asked(targets: list[Target | None]) -> tuple[bytes, int]:
    """Return what a carrier is answered when these are chosen in turn, and how often nobody was there."""
    proxy = Proxy(lambda: targets.pop(0) if targets else None, chance=chance(1), clock=Clock())
    await proxy.start()
    reader, writer = await asyncio.open_connection(*proxy.place)
    answer = await reader.read(100)
    writer.close()
    await proxy.close()
    return answer, proxy.refused


async def test_with_no_server_the_answer_is_503() -> None:
    answer, refused = await asked([None, ("127.0.0.1", free_port())])
    assert answer.startswith(b"HTTP/1.1 503")
    assert refused == 1


async def test_a_server_that_is_gone_is_passed_over() -> None:
    async with far_end() as far:
        targets = [("127.0.0.1", free_port()), ("127.0.0.1", far.port)]
        proxy = Proxy(lambda: targets.pop(0), chance=chance(1), clock=Clock())
        await proxy.start()
        _, writer = await asyncio.open_connection(*proxy.place)
        writer.write(b"hello")
        await wait_until(lambda: far.got == b"hello", description="the second one has it")
        link = proxy.link(writer.get_extra_info("sockname"))
        assert link is not None
        assert link.port == far.port
        writer.close()
        await proxy.close()
    assert proxy.link(("127.0.0.1", 1)) is None
