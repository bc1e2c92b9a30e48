"""S-8: what is kept about a person goes, for an admin of the tenant, and the receipt tells nothing."""

import logging
from typing import Any

import pytest

from service.errors import CarrierBusy
from tests.journal.sealing import KEY
from tests.web.front import CALL, Front, ring

pytestmark = pytest.mark.asyncio
NUMBER = "+15550001"
OVER = {"CallStatus": "completed"}


async def rung(front: Front, *sids: str, **changes: str) -> None:
    for sid in sids:
        await front.hook("/twiml/voice", ring(CallSid=sid, **changes))
        await front.hook("/callbacks/call", ring(CallSid=sid, **changes, **OVER))


async def erased(front: Front, **asked: str) -> dict[str, Any]:
    answer = await front.api("DELETE", "/api/calls", params=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert set(told) == {"receipt", "at_ms", "erased", "going_on", "unreadable"}
    return told


async def test_a_persons_calls_go_and_nobody_elses(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await rung(front, "CA1", "CA2")
    await rung(front, "CA3", From="+15550009")
    told = await erased(front, number=NUMBER)
    assert (told["erased"], told["going_on"], told["unreadable"]) == (2, 0, 0)
    assert [one.call_sid for one in await front.journal.open_calls()] == ["CA3"]
    receipts = [one for one in caplog.records if getattr(one, "action", "") == "calls_erased"]
    assert told["receipt"] in receipts[0].getMessage()
    assert NUMBER not in receipts[0].getMessage()
    assert (await erased(front, number=NUMBER))["erased"] == 0


async def test_a_plus_that_came_as_a_space_is_a_plus(front: Front) -> None:
    await rung(front, "CA1")
    answer = await front.api("DELETE", f"/api/calls?number={NUMBER}")
    assert answer.json()["erased"] == 1


async def test_the_calls_about_a_ticket_go(front: Front) -> None:
    await rung(front, "CA1")
    assert (await erased(front, ticket="TKT-1"))["erased"] == 0


async def test_a_call_that_goes_on_is_ended_or_stays(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    front.carrier.trouble = CarrierBusy("still busy")
    assert (await erased(front, number=NUMBER))["going_on"] == 1
    front.carrier.trouble = None
    assert (await erased(front, number=NUMBER))["erased"] == 1
    assert ("hang_up", CALL) in front.carrier.asked


async def test_only_an_admin_of_the_tenant_erases(front: Front) -> None:
    await rung(front, "CA1")
    for bearer in ("see", "act"):
        answer = await front.api("DELETE", f"/api/calls?number={NUMBER}", bearer=bearer)
        assert answer.status_code == 403
    told = await front.api("DELETE", f"/api/calls?number={NUMBER}", bearer="other")
    assert told.json().get("erased", 0) == 0
    assert len(await front.journal.open_calls()) == 1


@pytest.mark.parametrize(
    "query", ["", "?number=", "?number=%2B1&ticket=2", "?ticket=" + "9" * 201, "?who=me"]
)
async def test_one_thing_must_be_named(front: Front, query: str) -> None:
    assert (await front.api("DELETE", f"/api/calls{query}")).status_code == 400


@pytest.mark.parametrize("changes", [{"seal_keys": (KEY,)}])
async def test_a_sealed_call_is_shown_and_one_without_its_key_hides_no_other(front: Front) -> None:
    await rung(front, "CA1", "CA2")
    engine: Any = front.parts.journal.engine
    raw = await engine.engine.read("CA1")
    assert not any(b"+1555" in record.body for record in raw.records)
    assert (await front.api("GET", "/api/calls/CA1")).json()["from"] == NUMBER
    await engine.vault.destroy("CA2")
    engine.keys.forget("CA2")
    shown = (await front.api("GET", "/api/calls")).json()
    assert "CA1" in str(shown)
    assert "CA2" not in str(shown)
    answer = await front.api("GET", "/api/calls/CA2")
    assert (answer.status_code, answer.json()["reason"]) == (409, "sealed")
    told = await erased(front, number=NUMBER)
    assert (told["erased"], told["unreadable"]) == (1, 1)
