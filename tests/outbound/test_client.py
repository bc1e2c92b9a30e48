"""S-11: where requests of our own go, and where they never do."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpcore2
import httpx2
import pytest
import pytest_asyncio

from service.outbound.client import ADDRESSES_MAX, open_client, permitted
from service.outbound.rules import ANYWHERE, Rules, parsed
from tests.answering import answering

TIMEOUT = httpx2.Timeout(2.0)
PUBLIC = "93.184.216.34"

# What the names of these tests are answered with, one answer a time; the last goes on.
NAMES: dict[str, list[list[str]]] = {
    "public.example": [[PUBLIC]],
    "private.example": [["10.0.0.7"]],
    "loopback.example": [["127.0.0.1"]],
    "cloud.example": [["169.254.169.254"]],
    "six.example": [["fd00:ec2::254"]],
    "mapped.example": [["::ffff:10.0.0.1"]],
    "mixed.example": [[PUBLIC, "127.0.0.1"]],
    "last.example": [[PUBLIC, "2606:4700::1111", "::1"]],
    "rebinding.example": [["127.0.0.1"], [PUBLIC]],
    "foo.localhost": [["127.0.0.1"]],
    "wpad.internal": [["192.168.1.1"]],
}

INSIDE = Path(__file__).with_name("inside.txt").read_text(encoding="utf-8").splitlines()
VECTORS = (
    *(url for url in INSIDE if url and not url.startswith("#")),
    *(f"http://{name}/" for name in NAMES if name != "public.example"),
)


class Network:
    """The connections that were asked for, none of which comes about; and the names, as answered."""

    def __init__(self) -> None:
        self.connects: list[str] = []
        self._asked: dict[str, int] = {}

    async def connect(self, host: str, *_: object, **__: object) -> None:
        self.connects.append(host)
        raise httpcore2.ConnectError("nobody is there")

    async def look_up(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        """Answer as the system does, but for the names of these tests."""
        answers = NAMES.get(host)
        if answers is None:
            if host.endswith(".example"):
                raise socket.gaierror("no such name")
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        turn = self._asked[host] = self._asked.get(host, -1) + 1
        return [(0, 0, 0, "", (one, port)) for one in answers[min(turn, len(answers) - 1)]]


@pytest_asyncio.fixture
async def network(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Network]:
    network = Network()
    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", network.connect)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", network.look_up)
    yield network


async def ask(url: str, rules: Rules = ANYWHERE, *, bytes_max: int = 1_000) -> httpx2.Response:
    async with open_client(rules, bytes_max=bytes_max, timeout=TIMEOUT) as http:
        return await http.get(url)


def test_there_are_eighty_ways_and_more() -> None:
    assert len(set(VECTORS)) >= 80


@pytest.mark.asyncio
@pytest.mark.parametrize("url", VECTORS)
async def test_no_way_leads_inside(url: str, network: Network) -> None:
    """S-11: no spelling, no name and no scheme leads to a connection."""
    with pytest.raises((httpx2.HTTPError, httpx2.InvalidURL)):
        await ask(url)
    assert network.connects == []


@pytest.mark.asyncio
async def test_a_name_that_is_answered_otherwise_a_moment_later_leads_nowhere_else(
    network: Network,
) -> None:
    """S-11: the connection goes to the address that was judged; the name is not looked up again."""
    NAMES["turning.example"] = [[PUBLIC], ["127.0.0.1"]]
    with pytest.raises(httpx2.ConnectError, match="nobody is there"):
        await ask("http://turning.example/")
    assert network.connects == [PUBLIC]
    with pytest.raises(httpx2.ConnectError):
        await ask("http://turning.example/")
    assert network.connects == [PUBLIC]
    del NAMES["turning.example"]


@pytest.mark.asyncio
async def test_a_refusal_is_told_with_the_setting_that_would_allow_it(
    network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(httpx2.ConnectError):
        await ask("http://private.example/secret?number=123")
    assert "OUTBOUND_NETWORKS" in caplog.text
    assert "secret" not in caplog.text
    assert "123" not in caplog.text
    rules = parsed([], ["10.0.0.0/8"])
    with pytest.raises(httpx2.ConnectError):
        await ask("http://private.example/", rules)
    assert network.connects == ["10.0.0.7"]


@pytest.mark.asyncio
async def test_a_host_that_is_not_listed_is_not_even_looked_up(network: Network) -> None:
    with pytest.raises(httpcore2.ConnectError, match="OUTBOUND_HOSTS"):
        await permitted(parsed(["desk.example.com"], []), "public.example", 80)
    assert await permitted(parsed(["public.example"], []), "public.example", 80) == [PUBLIC]
    assert network.connects == []


@pytest.mark.asyncio
async def test_a_host_with_many_addresses_is_tried_at_a_few(network: Network) -> None:
    NAMES["many.example"] = [[f"93.184.216.{n}" for n in range(1, 100)]]
    with pytest.raises(httpx2.ConnectError):
        await ask("http://many.example/")
    assert len(network.connects) == ADDRESSES_MAX
    del NAMES["many.example"]


@pytest.mark.asyncio
async def test_no_redirect_is_followed() -> None:
    with answering((200, b"inside")) as inside:

        async def move(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            head = f"HTTP/1.1 302 Found\r\nlocation: {inside.url}/\r\ncontent-length: 0\r\n\r\n"
            writer.write(head.encode())
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(move, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            found = await ask(url, ANYWHERE.naming(url, inside.url))
    assert found.status_code == 302
    assert inside.asked == []


@pytest.mark.asyncio
async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering((200, b"proxied")) as proxy, answering((200, b"straight")) as target:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        found = await ask(target.url, ANYWHERE.naming(target.url))
    assert found.content == b"straight"


@pytest.mark.asyncio
async def test_an_answer_is_read_up_to_its_limit() -> None:
    with answering((200, b"x" * 1_000)) as script:
        assert len((await ask(script.url, ANYWHERE.naming(script.url))).content) == 1_000
    with (
        answering((200, b"x" * 1_001)) as script,
        pytest.raises(httpx2.ReadError, match="longer than it may be"),
    ):
        await ask(script.url, ANYWHERE.naming(script.url))


@pytest.mark.asyncio
async def test_a_name_that_cannot_be_looked_up_in_time_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    monkeypatch.setattr("service.outbound.client.LOOK_UP_S_MAX", 0.01)
    with pytest.raises(httpx2.ConnectError, match="looked up"):
        await ask("http://public.example/")
