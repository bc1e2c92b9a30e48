import asyncio

import pytest

from service.call import events as e
from service.session.kept.ring_backs import number_name
from service.web.webhooks.returning import UNTRUE
from tests.web.front import CALL, Front, ring

pytestmark = pytest.mark.asyncio

AGAIN = "CA00000000000000000000000000000002"
THIRD = "CA00000000000000000000000000000003"


async def cut_off(front: Front, *facts: e.Known) -> None:
    """A caller told something, and the line died."""
    await front.hook("/twiml/voice", ring())
    told = e.FieldFilled(name="problem", value="smoke", source="speech")
    await front.write(told, *facts, e.CallEnded(reason="completed"), key="over")
    await front.parts.ring_backs.remember(CALL, number_name("+15550001"))


async def kinds(front: Front, call_sid: str = AGAIN) -> list[str]:
    return [type(fact).__name__ for fact in await front.facts(call_sid)]


async def test_who_rings_back_brings_the_earlier_call_into_a_journal_of_its_own(
    front: Front,
) -> None:
    await cut_off(front)
    answer = await front.hook("/twiml/voice", ring(CallSid=AGAIN))
    assert "<Connect" in answer.text
    assert "smoke" not in answer.text
    opened, carried = await front.facts(AGAIN)
    assert isinstance(opened, e.CallOpened)
    assert isinstance(carried, e.EarlierCarried)
    assert (opened.continues, carried.call_sid, carried.by) == (CALL, CALL, "number")
    assert carried.fields["problem"].value == "smoke"
    assert isinstance((await front.facts())[-1], e.CarriedOn)


@pytest.mark.parametrize("times", [2, 5])
async def test_the_same_webhook_at_once_carries_it_once(front: Front, times: int) -> None:
    await cut_off(front)
    hooks = (front.hook("/twiml/voice", ring(CallSid=AGAIN)) for _ in range(times))
    answers = await asyncio.gather(*hooks)
    assert {answer.status_code for answer in answers} == {200}
    assert await kinds(front) == ["CallOpened", "EarlierCarried"]
    assert (await kinds(front, CALL)).count("CarriedOn") == 1


async def test_of_two_who_ring_back_at_once_one_goes_on(front: Front) -> None:
    await cut_off(front)
    await asyncio.gather(*(front.hook("/twiml/voice", ring(CallSid=sid)) for sid in (AGAIN, THIRD)))
    carried = [sid for sid in (AGAIN, THIRD) if "EarlierCarried" in await kinds(front, sid)]
    assert len(carried) == 1


@pytest.mark.parametrize(
    "changes", [{"ring_back": "afresh"}, {"ring_back_s": 0}], ids=["afresh", "off"]
)
async def test_where_it_is_switched_off_everybody_begins_afresh(front: Front) -> None:
    await cut_off(front)
    await front.hook("/twiml/voice", ring(CallSid=AGAIN))
    assert await kinds(front) == ["CallOpened"]


@pytest.mark.parametrize("changes", [{"ring_back": "go_on"}])
async def test_where_it_is_the_rule_they_go_on_at_once(front: Front) -> None:
    await cut_off(front)
    await front.hook("/twiml/voice", ring(CallSid=AGAIN))
    assert await kinds(front) == ["CallOpened", "EarlierCarried", "EarlierTaken"]


@pytest.mark.parametrize(
    "changes_of_ring",
    [{"From": "anonymous"}, {"From": "+15550009"}, {"StirVerstat": f"{UNTRUE}-A"}],
    ids=["withheld", "another number", "not the owner of the number"],
)
async def test_others_begin_afresh(front: Front, changes_of_ring: dict[str, str]) -> None:
    await cut_off(front)
    await front.hook("/twiml/voice", ring(CallSid=AGAIN, **changes_of_ring))
    assert await kinds(front) == ["CallOpened"]


async def test_what_we_ended_is_not_brought_back(front: Front) -> None:
    await cut_off(front, e.EndingPlanned(ending="hangup"))
    await front.hook("/twiml/voice", ring(CallSid=AGAIN))
    assert await kinds(front) == ["CallOpened"]


async def test_whom_we_ring_is_the_customer_and_goes_on_with_the_call_it_is_for(
    front: Front,
) -> None:
    await cut_off(front)
    asked = (e.CallbackRequested(by="person"), e.CallbackDialled(attempt=1))
    await front.write(*asked, key="callback")
    rung = ring(CallSid=AGAIN, From="+15550002", To="+15550001", Direction="outbound-api")
    await front.hook(f"/twiml/voice?callback={CALL}", rung)
    opened, carried = await front.facts(AGAIN)
    assert isinstance(opened, e.CallOpened)
    assert opened.direction == "outbound-api"
    assert isinstance(carried, e.EarlierCarried)
    assert carried.by == "callback"


async def test_whom_we_ring_for_nothing_is_a_new_call(front: Front) -> None:
    await cut_off(front)
    rung = ring(CallSid=AGAIN, From="+15550002", To="+15550001", Direction="outbound-api")
    await front.hook("/twiml/voice", rung)
    assert await kinds(front) == ["CallOpened"]


@pytest.mark.parametrize("to", ["+15550001", "+15550009"])
async def test_an_address_alone_proves_no_ringing_back(front: Front, to: str) -> None:
    await cut_off(front)
    if to == "+15550009":  # rung for that call is another number
        asked = (e.CallbackRequested(by="person"), e.CallbackDialled(attempt=1))
        await front.write(*asked, key="callback")
    rung = ring(CallSid=AGAIN, From="+15550002", To=to, Direction="outbound-api")
    await front.hook(f"/twiml/voice?callback={CALL}", rung)
    assert await kinds(front) == ["CallOpened"]
