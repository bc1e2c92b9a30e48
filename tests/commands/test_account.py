"""The carrier's account, asked on real sockets."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from service.clock import Clock
from service.commands.account import Account, Standing
from service.commands.webhooks import Webhooks
from service.config import load
from service.errors import CarrierError
from service.simulator import account as theirs
from service.simulator.exchange.exchange import Exchange
from tests.commands.clinic import ACCOUNT, NUMBER, TOKEN, answering, production, said

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("alone")]


@asynccontextmanager
async def asking(
    monkeypatch: pytest.MonkeyPatch, url: str, **settings: str
) -> AsyncIterator[Account]:
    production(monkeypatch, TWILIO_API_URL=url, **settings)
    async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
        yield Account(load(), client, Clock())


async def test_the_account_and_its_numbers_are_shown_and_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Exchange(theirs.Account(ACCOUNT, TOKEN)) as exchange:
        for last in range(120):
            exchange.numbers.buy(f"+155512300{last:02}")
        async with asking(monkeypatch, exchange.api_url) as account:
            assert await account.standing() == Standing("active", "Full")
            assert account.is_newest_taken
            assert account.ahead_ms is not None
            assert abs(account.ahead_ms) < 2_000
            assert len(await account.numbers()) == 120
            (one,) = await account.numbers("+1 555 123 0007")
            form = {"VoiceUrl": Webhooks("https://calls.example.com").voice}
            assert (await account.change(one, form)).voice_url == form["VoiceUrl"]
            line = exchange.numbers.find(one.phone_number)
            assert line is not None
            assert line.voice_url == form["VoiceUrl"]


async def test_the_token_before_is_tried_while_one_is_rotated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = f"{TOKEN[::-1]},{TOKEN}"
    async with (
        Exchange(theirs.Account(ACCOUNT, TOKEN)) as exchange,
        asking(monkeypatch, exchange.api_url, TWILIO_AUTH_TOKEN=both) as account,
    ):
        assert (await account.standing()).status == "active"
        assert not account.is_newest_taken


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (said("401 Unauthorized", '{"code": 20003}'), "the carrier answered 401, code 20003"),
        (said("500 Oh", "<html>"), "the carrier answered 500, code 0"),
        (said("200 OK", "[]"), "the carrier's answer can't be read"),
        (said("200 OK", " " * (5 << 20)), "the carrier's answer is too long"),
        (b"", "the carrier's API can't be reached"),
        (said("200 OK", "{}", more="date: yesterday\r\n"), ""),
    ],
)
async def test_a_strange_answer_is_one_sentence(
    answer: bytes, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        answering(lambda _head: answer) as url,
        asking(monkeypatch, url) as account,
    ):
        if not complaint:
            assert await account.standing() == Standing()
            assert account.ahead_ms is None
            return
        with pytest.raises(CarrierError, match="^" + re.escape(complaint)):
            await account.standing()


async def test_a_page_of_another_place_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    page = '{"incoming_phone_numbers": [{"sid": "PN1", "phone_number": "%s", "voice_url": null}],'
    body = page % NUMBER + ' "next_page_uri": "http://evil.example.com/2010"}'
    async with (
        answering(lambda _head: said("200 OK", body)) as url,
        asking(monkeypatch, url) as account,
    ):
        assert [one.phone_number for one in await account.numbers()] == [NUMBER]
