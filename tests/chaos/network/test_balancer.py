import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from service.chaos.network.balancer import SILENCES_MAX, Balancer
from service.chaos.servers.server import free_port
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


class Backend:
    def __init__(self, status: int) -> None:
        self.status = status
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = str(self.port).encode()
        head = (
            f"HTTP/1.1 {self.status} -\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def backend(status: int = 200) -> AsyncIterator[Backend]:
    one = Backend(status)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    async with server:
        yield one


async def get(url: str) -> httpx2.Response:
    async with httpx2.AsyncClient(trust_env=False) as http:
        return await http.get(url)


async def test_the_ready_servers_take_turns_and_the_others_get_nobody() -> None:
    async with backend() as first, backend() as second, backend(503) as third:
        balancer = Balancer()
        balancer.ports = [first.port, second.port, third.port]
        await balancer.start()
        await wait_until(lambda: len(balancer.ready) == 2, description="it asked them")
        answers = [(await get(balancer.url)).text for _ in range(4)]
        assert sorted(answers) == sorted([str(first.port), str(second.port)] * 2)
        assert {balancer.choose() for _ in range(4)} == {first.port, second.port}
        await balancer.close()


async def test_with_no_server_ready_the_answer_is_503() -> None:
    balancer = Balancer()
    await balancer.start()
    assert (await get(balancer.url)).status_code == 503
    assert (balancer.refused, balancer.choose()) == (1, 0)
    await balancer.close()


async def test_a_server_that_is_gone_is_passed_over_and_then_out() -> None:
    async with backend() as here:
        gone = free_port()
        balancer = Balancer()
        balancer.ports = [gone, here.port]
        await balancer.start()
        balancer.ready = [gone, here.port]
        assert {(await get(balancer.url)).text for _ in range(2)} == {str(here.port)}
        await balancer.look()
        assert balancer.ready == [here.port]
        await balancer.close()


async def test_one_silence_is_forgiven() -> None:
    balancer = Balancer()
    balancer.ready = [1]
    balancer._silences[1] = SILENCES_MAX - 1
    assert balancer._is_trusted(1)
    balancer._silences[1] = SILENCES_MAX
    assert not balancer._is_trusted(1)


async def test_every_ready_server_has_its_turn_in_one_go() -> None:
    balancer = Balancer()
    assert balancer.turns() == []
    balancer.ready = [1, 2, 3]
    assert sorted(balancer.turns()) == [1, 2, 3]
    assert len({balancer.turns()[0] for _ in range(3)}) == 3
