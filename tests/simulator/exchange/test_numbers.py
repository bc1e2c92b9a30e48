"""The account's phone numbers, by the REST API and by who rings them."""

from typing import Any

import httpx2
import pytest

from service.simulator.exchange.exchange import Exchange
from service.simulator.exchange.numbers import DEMONSTRATION
from tests.simulator.talker import ACCOUNT, TOKEN, Talker

pytestmark = pytest.mark.asyncio

NUMBER = "+15551234567"


async def ask(
    exchange: Exchange, method: str, path: str, **fields: str
) -> tuple[int, dict[str, Any]]:
    url = f"{exchange.api_url}/2010-04-01/Accounts/{ACCOUNT}{path}"
    async with httpx2.AsyncClient(trust_env=False, auth=(ACCOUNT, TOKEN)) as client:
        answer = await client.request(method, url, data=fields or None)
    return answer.status_code, answer.json()


async def test_the_account_is_shown(exchange: Exchange) -> None:
    status, told = await ask(exchange, "GET", ".json")
    assert (status, told["sid"], told["status"]) == (200, ACCOUNT, "active")


async def test_numbers_are_listed_by_pages_and_by_name(exchange: Exchange) -> None:
    bought = [exchange.numbers.buy(f"+1555000000{last}") for last in range(5)]
    _, told = await ask(exchange, "GET", "/IncomingPhoneNumbers.json?PageSize=2&Page=1")
    shown = [one["phone_number"] for one in told["incoming_phone_numbers"]]
    assert shown == [one.phone_number for one in bought[2:4]]
    assert told["next_page_uri"].endswith("?PageSize=2&Page=2")
    _, told = await ask(exchange, "GET", "/IncomingPhoneNumbers.json?PhoneNumber=%2B15550000003")
    (one,) = told["incoming_phone_numbers"]
    assert (one["sid"], one["voice_url"]) == (bought[3].sid, DEMONSTRATION)
    assert told["next_page_uri"] is None


async def test_a_number_is_changed_and_shown(exchange: Exchange) -> None:
    line = exchange.numbers.buy(NUMBER)
    path = f"/IncomingPhoneNumbers/{line.sid}.json"
    status, told = await ask(exchange, "POST", path, VoiceUrl="https://h/v", VoiceMethod="GET")
    assert (status, told["voice_url"], told["voice_method"]) == (200, "https://h/v", "GET")
    assert (await ask(exchange, "GET", path))[1]["voice_url"] == "https://h/v"
    assert (await ask(exchange, "POST", path, VoiceUrl=""))[1]["voice_url"] == ""


@pytest.mark.parametrize(
    ("fields", "code"), [({"VoiceUrl": "calls"}, 21502), ({"VoiceMethod": "PUT"}, 21403)]
)
async def test_a_wrong_change_is_refused(
    exchange: Exchange, fields: dict[str, str], code: int
) -> None:
    line = exchange.numbers.buy(NUMBER)
    status, told = await ask(exchange, "POST", f"/IncomingPhoneNumbers/{line.sid}.json", **fields)
    assert (status, told["code"]) == (400, code)
    assert line.voice_url == DEMONSTRATION


async def test_a_number_of_somebody_else_is_not_there(exchange: Exchange) -> None:
    assert (await ask(exchange, "GET", "/IncomingPhoneNumbers/PN0.json"))[1]["code"] == 20404


async def test_a_number_rings_where_it_points_to(exchange: Exchange, talker: Talker) -> None:
    line = exchange.numbers.buy(NUMBER)
    line.voice_url = f"{talker.url}/other"
    phone = await exchange.call(to=NUMBER)
    await phone.until(lambda it: it.is_live, "the stream is there")
    assert talker.at("/other")
    assert not talker.at("/twiml/voice")
