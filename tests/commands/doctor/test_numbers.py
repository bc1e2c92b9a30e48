"""The account and its numbers, on real sockets."""

import json
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from service.clock import Clock
from service.commands.doctor import numbers
from service.commands.doctor.finding import Finding, State
from service.commands.doctor.numbers import Wish
from service.config import load
from service.simulator.account import Account
from service.simulator.exchange.exchange import Exchange
from tests.commands.clinic import ACCOUNT, NUMBER, TOKEN, answering, production, said

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("alone")]

PUBLIC_URL = "https://calls.example.com"


@pytest_asyncio.fixture
async def exchange(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Exchange]:
    async with Exchange(Account(ACCOUNT, TOKEN)) as running:
        production(monkeypatch, TWILIO_API_URL=running.api_url, PUBLIC_URL=PUBLIC_URL)
        yield running


async def looked(*named: str, is_fix: bool = False) -> list[Finding]:
    wish = Wish(numbers=named, is_fix=is_fix)
    async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
        return await numbers.look(load(), client, Clock(), wish)


async def last(*named: str, is_fix: bool = False) -> Finding:
    return (await looked(*named, is_fix=is_fix))[-1]


async def test_the_only_number_is_meant_and_mended(exchange: Exchange) -> None:
    line = exchange.numbers.buy(NUMBER)
    found = await looked()
    assert [one.name for one in found] == ["account", "clock", "number"]
    assert [one.state for one in found] == [State.WELL, State.WELL, State.WRONG]
    assert found[-1].advice == (
        f"twilio phone-numbers:update {NUMBER} --voice-url {PUBLIC_URL}/twiml/voice"
        f" --voice-fallback-url {PUBLIC_URL}/twiml/fallback"
        f" --status-callback {PUBLIC_URL}/callbacks/call"
    )
    assert (await last(is_fix=True)).state is State.WELL
    assert line.voice_fallback_url == f"{PUBLIC_URL}/twiml/fallback"
    assert (await last()).text.endswith("leads here, with fallback and status callback")


async def test_what_serves_something_else_is_never_mended(exchange: Exchange) -> None:
    line = exchange.numbers.buy(NUMBER)
    line.voice_url = "https://shop.example.com/v"
    found = await last(NUMBER, is_fix=True)
    assert (found.state, found.advice) == (
        State.WRONG,
        f"stayline number connect {NUMBER} --replace",
    )
    assert line.voice_url == "https://shop.example.com/v"


async def test_of_many_numbers_those_that_lead_here_are_looked_at(exchange: Exchange) -> None:
    for digit in range(7):
        exchange.numbers.buy(f"+1555000000{digit}")
    found = await last(is_fix=True)
    assert found.state is State.WRONG
    assert "+15550000004 and 2 more" in found.text
    line = exchange.numbers.buy(NUMBER)
    line.voice_url = f"{PUBLIC_URL}/old"
    assert "VoiceUrl" in (await last(is_fix=True)).text
    assert line.voice_url == f"{PUBLIC_URL}/twiml/voice"


async def test_the_tenants_numbers_are_ours(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.numbers.buy(NUMBER)
    with open("tenants.json", "w", encoding="utf-8") as file:  # noqa: ASYNC230, PTH123 - a small one
        json.dump({"acme": {"numbers": [NUMBER, "+15559999999"]}}, file)
    monkeypatch.setenv("TENANTS", "tenants.json")
    found = await looked(is_fix=True)
    assert found[-2].text == "the account has no +15559999999"
    assert found[-1].state is State.WELL


async def test_a_number_that_takes_no_calls_is_told(exchange: Exchange) -> None:
    exchange.numbers.buy(NUMBER, has_voice=False)
    assert "takes no calls" in (await last(NUMBER)).text


async def test_an_account_without_numbers_is_told(exchange: Exchange) -> None:
    assert not exchange.phones
    assert (await last()).text == "the account has none"


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (said("401 No", '{"code": 20003}'), State.WRONG, "do not belong together"),
        (said("503 Busy"), State.WRONG, "TWILIO_API_URL"),
        (said("200 OK", '{"status": "suspended"}'), State.WRONG, "the carrier's console"),
        (said("200 OK", '{"status": "active", "type": "Trial"}'), State.CARE, "upgrade it"),
    ],
)
async def test_an_account_that_can_not_be_used_is_told(
    answer: bytes, state: State, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = said("200 OK", '{"incoming_phone_numbers": []}')
    async with answering(lambda head: page if b"PhoneNumbers" in head else answer) as url:
        production(monkeypatch, TWILIO_API_URL=url)
        found = (await looked())[0]
    assert (found.name, found.state) == ("account", state)
    assert words in found.advice


async def test_a_token_that_is_not_promoted_yet_is_told(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not exchange.phones
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", f"{TOKEN[::-1]},{TOKEN}")
    assert "a later one" in (await looked())[0].text


async def test_without_a_token_there_is_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWILIO_AUTH_TOKEN", raising=False)
    assert [one.state for one in await looked()] == [State.OPEN]
