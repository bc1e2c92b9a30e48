"""The public address, from outside: our own server there, strangers, and proxies in the way."""

import httpx2
import pytest

from service.commands.doctor import address
from service.commands.doctor.finding import Finding, State
from service.config import load
from tests.commands.clinic import answering, clinic, production, said
from tests.conftest import free_port

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("alone")]

OK = said("200 OK", "ok\n")
READY = said("200 OK", '{"status":"ready"}', kind="application/json")


async def looked() -> dict[str, Finding]:
    async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
        return {one.name: one for one in await address.look(load(), client)}


async def test_our_own_server_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    async with clinic(monkeypatch):
        found = await looked()
    assert found.pop("scheme").state is State.CARE
    assert {name: one.state for name, one in found.items()} == dict.fromkeys(
        ("address", "webhooks", "sockets"), State.WELL
    )


async def test_a_server_with_another_token_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with clinic(monkeypatch):
        monkeypatch.setenv("TWILIO_AUTH_TOKEN", "9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b")
        found = await looked()
    assert (found["webhooks"].state, found["webhooks"].advice) == (State.WRONG, address.SIGN)
    assert (found["sockets"].state, found["sockets"].advice) == (State.WRONG, address.SIGN)


async def test_nobody_there_is_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    production(monkeypatch, PUBLIC_URL=f"http://127.0.0.1:{free_port()}")
    found = await looked()
    assert (found["address"].state, found["address"].advice) == (State.WRONG, address.RUN)
    assert set(found) == {"scheme", "address"}


async def test_a_strangers_page_is_not_us(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(lambda _head: said("200 OK", "<h1>Welcome</h1>")) as url:
        production(monkeypatch, PUBLIC_URL=url)
        assert "that is not us" in (await looked())["address"].text


@pytest.mark.parametrize(
    ("answers", "name", "words"),
    [
        ({b"/readyz": said("503 No", "draining")}, "address", "answers 503: draining"),
        ({b"/callbacks": said("204 OK")}, "webhooks", "a forged webhook is answered 204"),
        ({b"/callbacks": said("302 Moved")}, "webhooks", "a signed webhook is answered 302"),
        ({b"/media": said("426 Upgrade")}, "sockets", "answers 426 to an upgrade"),
        ({b"/media": said("200 OK", "hello")}, "sockets", "answers 200 to an upgrade"),
        ({b"/media": b""}, "sockets", "does not open"),
        ({b"/readyz": b""}, "address", "broke off"),
    ],
)
async def test_what_stands_in_the_way_is_named(
    answers: dict[bytes, bytes], name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(head: bytes) -> bytes:
        others = {b"/livez": OK, b"/readyz": READY}
        asked = head.split(b"\r\n", 1)[0]
        return next((told for path, told in (others | answers).items() if path in asked), OK)

    async with answering(answer) as url:
        production(monkeypatch, PUBLIC_URL=url)
        found = (await looked())[name]
    assert found.state is State.WRONG
    assert words in found.text


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("https://calls.example.com", State.WELL),
        ("http://calls.example.com", State.WRONG),
        ("http://127.0.0.1:1", State.CARE),
    ],
)
async def test_streams_need_https(url: str, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    production(monkeypatch, PUBLIC_URL=url)
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(404))
    async with httpx2.AsyncClient(transport=transport) as client:
        found = await address.look(load(), client)
    assert found[0].state is state
