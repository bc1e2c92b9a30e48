from typing import Any

import httpx2
import pytest

from service.simulator.answering import Party
from service.simulator.exchange.exchange import Exchange
from service.simulator.outbound import BAD_TO, BAD_URL, NO_FROM, NO_TO, BadCall, wanted
from service.simulator.timeline import Kind
from tests.simulator.talker import ACCOUNT, TOKEN, Talker

OUR, THEIR = "+15550100", "+15550001"


def form(**changes: str) -> dict[str, str]:
    return {"To": THEIR, "From": OUR, "Url": "https://x/twiml/voice?callback=CA1", **changes}


async def create(exchange: Exchange, **fields: str) -> tuple[int, dict[str, Any]]:
    url = f"{exchange.api_url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    async with httpx2.AsyncClient(trust_env=False, auth=(ACCOUNT, TOKEN)) as client:
        answer = await client.post(url, data=fields)
    return answer.status_code, answer.json()


def test_a_form_says_whom_to_ring_and_what_then() -> None:
    found = wanted(form(StatusCallback="https://x/over", Timeout="30", Method="get"))
    assert (found.to, found.from_) == (THEIR, OUR)
    assert (found.rung.method, found.rung.status_url, found.rung.timeout_ms) == (
        "GET", "https://x/over", 30_000,
    )  # fmt: skip
    assert wanted(form(Timeout="99999")).rung.timeout_ms == 600_000


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, NO_TO),
        ({"From": ""}, NO_FROM),
        ({"To": "anonymous"}, BAD_TO),
        ({"Url": ""}, BAD_URL),
        ({"Url": "ftp://x"}, BAD_URL),
    ],
)
def test_a_call_that_nobody_could_make_is_refused(changes: dict[str, str], code: int) -> None:
    with pytest.raises(BadCall) as bad:
        wanted(form(**changes))
    assert bad.value.code == code


@pytest.mark.asyncio
async def test_who_answers_is_led_to_the_address_and_their_end_is_told(
    exchange: Exchange, talker: Talker
) -> None:
    url = f"{talker.url}/twiml/voice?callback=CA1"
    over = f"{talker.url}/callbacks/call?callback=CA1"
    status, made = await create(exchange, **form(Url=url, StatusCallback=over))
    assert (status, made["direction"], made["to"]) == (201, "outbound-api", THEIR)
    (phone,) = exchange.rung(THEIR)
    assert made["sid"] == phone.call_sid
    await phone.until(lambda it: it.is_live, "the stream is there")
    asked = talker.at("/twiml/voice")[-1]
    fields = dict(asked.fields)
    assert (fields["Direction"], fields["To"], fields["From"]) == ("outbound-api", THEIR, OUR)
    assert fields["CallStatus"] == "in-progress"
    await phone.hang_up()
    assert dict(talker.at("/callbacks/call")[-1].fields)["CallStatus"] == "completed"


@pytest.mark.asyncio
@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed", "canceled"])
async def test_who_does_not_answer_is_told_by_the_callback_alone(
    exchange: Exchange, talker: Talker, outcome: str
) -> None:
    exchange.expect(THEIR, Party(outcome))
    over = f"{talker.url}/callbacks/call"
    await create(exchange, **form(Url=f"{talker.url}/twiml/voice", StatusCallback=over))
    (phone,) = exchange.rung(THEIR)
    await phone.finished()
    assert (phone.status, phone.is_over) == (outcome, True)
    assert not talker.at("/twiml/voice")
    assert dict(talker.at("/callbacks/call")[-1].fields)["CallStatus"] == outcome
    assert phone.timeline.of(Kind.CALLBACK)[-1].text == outcome


@pytest.mark.asyncio
async def test_the_calls_to_a_number_are_listed_newest_first(exchange: Exchange) -> None:
    await create(exchange, **form(Url="http://127.0.0.1:9/x"))
    await create(exchange, **form(Url="http://127.0.0.1:9/y"))
    status, _ = await create(exchange, **form(To=""))
    assert status == 400
    url = f"{exchange.api_url}/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    async with httpx2.AsyncClient(trust_env=False, auth=(ACCOUNT, TOKEN)) as client:
        found = (await client.get(url, params={"To": THEIR, "From": OUR})).json()["calls"]
        others = (await client.get(url, params={"To": OUR})).json()["calls"]
    assert [one["sid"] for one in found] == [
        phone.call_sid for phone in reversed(exchange.rung(THEIR))
    ]
    assert others == []
