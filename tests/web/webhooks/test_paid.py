import asyncio

import pytest

from service.call import events as e
from service.errors import StoreUnavailable
from service.journal.values import Missing
from service.web.webhooks import paid
from tests.web.front import Front, parameters, parsed, ring

pytestmark = pytest.mark.asyncio

BEGAN = e.CollectionBegan(
    collection="c1", field="card", keys_min=13, keys_max=19, is_card=True, sink="pay"
)
PLANNED = e.PayPlanned(collection="c1", round=1)
CARD = {
    "PaymentCardNumber": "xxxxxxxxxxxx1111",
    "PaymentCardType": "visa",
    "ExpirationDate": "1230",
    "SecurityCode": "***",
    "PaymentCardPostalCode": "94109",
    "ConnectorError": "no such 4111111111111111",
    "PaymentError": "4111111111111111 was declined",
}
PATH = "/twiml/paid?pay=c1.1"


async def asked(front: Front, *facts: e.Known) -> None:
    await front.hook("/twiml/voice", ring())
    await front.write(BEGAN, *(facts or (PLANNED,)), key="asked")


async def told(front: Front, path: str = PATH, **fields: str) -> str:
    answer = await front.hook(path, ring(CallStatus="in-progress", **CARD, **fields))
    assert answer.status_code == 200
    return answer.text


async def ended(front: Front) -> list[e.CollectionEnded]:
    return [fact for fact in await front.facts() if isinstance(fact, e.CollectionEnded)]


@pytest.mark.parametrize(
    ("fields", "outcome", "reference"),
    [
        ({"Result": "success", "PaymentToken": "tok_1"}, "taken", "tok_1"),
        ({"Result": "success", "ProfileId": "cus_1"}, "taken", "cus_1"),
        ({"Result": "success", "PaymentToken": "9418594164541111"}, "taken", "9418594164541111"),
        ({"Result": "success"}, "failed", ""),
        ({"Result": "success", "PaymentToken": "4111111111111111"}, "failed", ""),
        ({"Result": "success", "PaymentToken": "tok_4111-1111-1111-1111"}, "failed", ""),
        ({"Result": "success", "PaymentToken": "x" * 300}, "failed", ""),
        ({"Result": "success", "PaymentToken": "tok\n1"}, "failed", ""),
        ({"Result": "caller-interrupted-with-star"}, "given_up", ""),
        ({"Result": "too-many-failed-attempts"}, "given_up", ""),
        ({"Result": "payment-connector-error"}, "failed", ""),
        ({"Result": "payment-connector-error", "PayErrorCode": "64012"}, "refused", ""),
        ({"Result": "validation-error", "PayErrorCode": "64004"}, "failed", ""),
        ({"Result": "internal-error"}, "failed", ""),
        ({"Result": "a word of tomorrow 4111111111111111"}, "failed", ""),
        ({}, "failed", ""),
    ],
)
async def test_how_it_went_is_written_once_however_often_it_is_told(
    front: Front, fields: dict[str, str], outcome: str, reference: str
) -> None:
    await asked(front)
    answers = await asyncio.gather(*(told(front, **fields) for _ in range(3)))
    for answer in answers:
        assert [verb.tag for verb in parsed(answer)] == ["Connect", "Redirect"]
    assert len({parameters(answer)["token"] for answer in answers}) == 3
    (one,) = await ended(front)
    assert (one.outcome, one.reference) == (outcome, reference)
    written = "" if reference else str(await front.facts())
    for secret in ("4111111111111111", "xxxx", "1230", "94109", "visa"):
        assert secret not in written


async def test_a_late_word_of_a_number_that_is_done_with_changes_nothing(front: Front) -> None:
    await asked(front)
    await told(front, Result="caller-interrupted-with-star")
    facts = await front.facts()
    await told(front, Result="success", PaymentToken="tok_1")
    await told(front, "/twiml/paid", Result="success", PaymentToken="tok_1")
    assert await front.facts() == facts


async def test_of_an_earlier_round_only_the_token_counts(front: Front) -> None:
    again = e.CollectionRestarted(collection="c1", reason="drop")
    await asked(front, PLANNED, again, e.PayPlanned(collection="c1", round=2))
    await told(front, Result="payment-connector-error")
    await told(front, "/twiml/paid?pay=c2.1", Result="success", PaymentToken="tok_2")
    await told(front, "/twiml/paid?pay=c1", Result="success", PaymentToken="tok_3")
    assert not await ended(front)
    await told(front, Result="success", PaymentToken="tok_1")
    assert (await ended(front))[0].reference == "tok_1"


async def test_a_number_that_the_carrier_was_not_asked_for_is_none_of_its(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    own = e.CollectionBegan(collection="c1", field="pin", keys_min=4, keys_max=4)
    await front.write(own, e.CollectionPassed(collection="c1", keys=4))
    await told(front, Result="success", PaymentToken="tok_1")
    assert not await ended(front)


async def test_a_caller_who_hung_up_has_ended_the_call(front: Front) -> None:
    await asked(front)
    fields = ring(CallStatus="completed", Result="caller-hung-up")
    answer = await front.hook(PATH, fields)
    assert [verb.tag for verb in parsed(answer.text)] == ["Hangup"]
    assert not await ended(front)
    assert isinstance((await front.facts())[-1], e.CallEnded)


async def test_a_call_that_nobody_knows_goes_on(front: Front) -> None:
    answer = await told(front, Result="success", PaymentToken="tok_1")
    assert [verb.tag for verb in parsed(answer)] == ["Connect", "Redirect"]
    assert not await ended(front)


@pytest.mark.parametrize("fields", [{}, {"Result": "success", "PaymentToken": "tok_1"}])
async def test_a_form_that_the_carrier_did_not_sign_writes_nothing(
    front: Front, fields: dict[str, str]
) -> None:
    await asked(front)
    answer = await front.hook(PATH, ring(**fields), signed="a forged one")
    assert answer.status_code == 403
    assert not await ended(front)
    assert (await front.hook(PATH, {"Result": "success"})).status_code == 400


async def test_the_token_waits_for_a_store_that_is_away(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(front)
    away, reads = 3, 0
    read = front.journal.read

    async def wayward(call_sid: str, *, after: int = 0) -> object:
        nonlocal reads
        reads += 1
        if reads <= away:
            raise StoreUnavailable("away")
        return await read(call_sid, after=after)

    monkeypatch.setattr(paid, "WAIT_MS", 1)
    monkeypatch.setattr(front.journal, "read", wayward)
    await told(front, Result="success", PaymentToken="tok_1")
    monkeypatch.setattr(front.journal, "read", read)
    assert (await ended(front))[0].reference == "tok_1"


async def test_a_store_that_stays_away_keeps_the_caller_on_the_line(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(front)

    async def away(_call_sid: str, **_named: int) -> Missing:
        raise StoreUnavailable("away")

    monkeypatch.setattr(paid, "WAIT_MS", 1)
    monkeypatch.setattr(front.journal, "read", away)
    answer = await told(front, Result="success", PaymentToken="tok_1")
    assert [verb.tag for verb in parsed(answer)] == ["Say", "Redirect"]


async def test_who_asks_what_is_next_while_the_carrier_begins_is_told_the_same(
    front: Front,
) -> None:
    await asked(front)
    answer = await front.hook("/twiml/resume", ring(CallStatus="in-progress"))
    assert [verb.tag for verb in parsed(answer.text)] == ["Pay", "Redirect"]
    assert PATH in answer.text
