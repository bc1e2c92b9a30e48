from typing import Any

import httpx2
import pytest

from service.simulator.exchange.exchange import Exchange
from service.simulator.phone import Phone
from service.simulator.timeline import Kind
from tests.simulator.talker import ACCOUNT, TOKEN, Talker

pytestmark = pytest.mark.asyncio


async def live(exchange: Exchange) -> Phone:
    phone = await exchange.call()
    await phone.until(lambda it: it.is_live, "the stream is there")
    return phone


async def update(
    exchange: Exchange, sid: str, token: str = TOKEN, account: str = ACCOUNT, **fields: str
) -> tuple[int, dict[str, Any]]:
    url = f"{exchange.api_url}/2010-04-01/Accounts/{account}/Calls/{sid}.json"
    async with httpx2.AsyncClient(trust_env=False, auth=(ACCOUNT, token)) as client:
        answer = await client.post(url, data=fields)
    return answer.status_code, answer.json()


async def test_new_twiml_cuts_the_stream_and_runs_at_once(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await live(exchange)
    twiml = talker.document().replace("<Response>", '<Response><Play digits="1w2"/>')
    status, shown = await update(exchange, phone.call_sid, Twiml=twiml)
    assert (status, shown["sid"], shown["status"]) == (200, phone.call_sid, "in-progress")
    await phone.until(lambda it: it.streams == 2 and it.is_live, "the stream comes back")
    assert [event.text for event in phone.timeline.of(Kind.DIGITS_SENT)] == ["1w2"]
    assert talker.streams[0].of("stop")
    assert not talker.at("/twiml/resume")


async def test_a_new_url_is_asked_for_its_document(exchange: Exchange, talker: Talker) -> None:
    phone = await live(exchange)
    status, _ = await update(exchange, phone.call_sid, Url=talker.url + "/other", Method="GET")
    assert status == 200
    await phone.until(lambda it: it.streams == 2 and it.is_live, "the stream comes back")
    assert talker.at("/other")


async def test_completed_hangs_up(exchange: Exchange, talker: Talker) -> None:
    phone = await live(exchange)
    assert (await update(exchange, phone.call_sid, Status="completed"))[0] == 200
    await phone.until(lambda it: it.is_over, "the call is over")
    await phone.finished()
    assert talker.at("/callbacks/call")
    assert phone.course.ended_by == "the service ended the call"


async def test_a_call_that_is_over_is_not_updated(exchange: Exchange) -> None:
    phone = await live(exchange)
    await phone.hang_up()
    status, told = await update(exchange, phone.call_sid, Twiml="<Response/>")
    assert (status, told["code"], told["status"]) == (400, 21220, 400)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"Twiml": "<Response>" + " " * 4_000}, 400, 32018),
        ({"Twiml": "hello"}, 400, 12100),
        ({}, 400, 21218),
        ({"Twiml": "<Response/>", "Url": "http://h/a"}, 400, 21218),
        ({"Status": "canceled"}, 400, 21224),
        ({"Twiml": "x" * 300_000}, 413, 20001),
    ],
)
async def test_a_wrong_update_is_refused_and_the_call_goes_on(
    exchange: Exchange, fields: dict[str, str], status: int, code: int
) -> None:
    phone = await live(exchange)
    answered, told = await update(exchange, phone.call_sid, **fields)
    assert (answered, told["code"]) == (status, code)
    assert phone.is_live


async def test_strangers_and_strange_calls_are_refused(exchange: Exchange) -> None:
    phone = await live(exchange)
    assert (await update(exchange, "CA0", Status="completed"))[1]["code"] == 20404
    sid = phone.call_sid
    assert (await update(exchange, sid, token="wrong", Status="completed"))[0] == 401
    assert (await update(exchange, sid, account="AC0", Status="completed"))[1]["code"] == 20404
    async with httpx2.AsyncClient(trust_env=False) as client:
        url = f"{exchange.api_url}/2010-04-01/Accounts/{ACCOUNT}/Calls/{sid}.json"
        for header in ("", "Basic", "Basic ???", "Bearer x"):
            answer = await client.get(url, headers={"Authorization": header})
            assert answer.status_code == 401


async def test_a_busy_api_answers_429_as_often_as_told(exchange: Exchange) -> None:
    phone = await live(exchange)
    exchange.answer_busy(2)
    answers = [await update(exchange, phone.call_sid, Status="completed") for _ in range(3)]
    assert [status for status, _ in answers] == [429, 429, 200]
    assert answers[0][1]["code"] == 20429


async def test_calls_are_shown_one_by_one_and_all_together(exchange: Exchange) -> None:
    phone, other = await live(exchange), await live(exchange)
    await other.hang_up()
    root = f"{exchange.api_url}/2010-04-01/Accounts/{ACCOUNT}/Calls"
    async with httpx2.AsyncClient(trust_env=False, auth=(ACCOUNT, TOKEN)) as client:
        one = (await client.get(f"{root}/{phone.call_sid}.json")).json()
        listed = (await client.get(f"{root}.json", params={"Status": "in-progress"})).json()
    assert one["status"] == "in-progress"
    assert [call["sid"] for call in listed["calls"]] == [phone.call_sid]
