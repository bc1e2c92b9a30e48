import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from typing_extensions import override

from service.call import events as e
from service.clock import Clock
from service.meter import Meter
from service.switchboard.allotment import COMING_MS, Allotment
from service.trust.api_token import ApiToken
from service.trust.tenants import Tenant, Tenants
from service.web import phone
from tests.session.house import CALL, House
from tests.web.front import Front, fronted, parsed, ring

pytestmark = pytest.mark.asyncio
TENANTS = Tenants({"acme": Tenant((), calls_max=2), "best": Tenant((), calls_max=1)})
OPENED = e.CallOpened(call_sid=CALL, tenant="acme")


class SteppedClock(Clock):
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_ms = 0

    @override
    def now_ms(self) -> int:
        return 1_790_000_000_000 + self.ahead_ms


async def test_a_tenant_that_fills_its_places_takes_no_other_tenants(house: House) -> None:
    meter = Meter()
    allotment = Allotment(TENANTS, house.switchboard, meter, SteppedClock())
    told = [allotment.admits("acme", f"CA{n}") for n in range(4)]
    assert told == [True, True, False, False]
    assert allotment.admits("acme", "CA1")  # its webhook is repeated
    assert [allotment.admits("best", f"CAb{n}") for n in range(2)] == [True, False]
    assert all(allotment.admits("default", f"CAd{n}") for n in range(50))
    assert all(allotment.admits("nobody", f"CAn{n}") for n in range(50))
    allotment.tell("CA3")
    assert meter.value("stayline_refused_total", door="tenant") == 1


async def test_a_call_that_never_comes_gives_its_place_back(house: House) -> None:
    clock = SteppedClock()
    allotment = Allotment(TENANTS, house.switchboard, Meter(), clock)
    assert allotment.admits("best", "CA1")
    clock.ahead_ms = COMING_MS - 1
    assert not allotment.admits("best", "CA2")
    clock.ahead_ms = COMING_MS
    assert allotment.admits("best", "CA2")


async def test_a_call_that_is_held_here_keeps_its_place_until_it_is_over(house: House) -> None:
    clock = SteppedClock()
    allotment = Allotment(TENANTS, house.switchboard, Meter(), clock)
    caller = await house.connect(opening=(e.encode(OPENED),))
    assert house.switchboard.of_tenant("acme") == {CALL}
    assert allotment.admits("acme", "CA1")
    assert not allotment.admits("acme", "CA2")
    await caller.has_dropped()
    assert not allotment.admits("acme", "CA2")
    await house.switchboard.close()
    assert house.switchboard.of_tenant("acme") == set()
    assert allotment.admits("acme", "CA2")


@pytest_asyncio.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    """A server on which one tenant has one place, and another any number."""
    path = tmp_path / "tenants.json"
    entries = {
        "acme": {"numbers": ["+15550002"], "calls_max": 1},
        "best": {"numbers": ["+15550003"]},
    }
    path.write_text(json.dumps(entries))
    tokens = tuple(
        ApiToken.model_construct(token=f"{name} token", role="agent", tenant=name, name="")
        for name in entries
    )
    async with fronted(tenants=str(path), api_tokens=tokens, phone="login") as opened:
        yield opened


async def verbs(front: Front, path: str, **changes: str) -> list[str]:
    answer = await front.hook(path, ring(**changes))
    assert answer.status_code == 200
    return [verb.tag for verb in parsed(answer.text)]


async def test_a_call_too_many_is_told_that_all_lines_are_busy(front: Front) -> None:
    """S-15: and no other tenant's call is."""
    second = "CA00000000000000000000000000000002"
    ways_in = ["Connect", "Redirect"]
    assert await verbs(front, "/twiml/voice", To="+15550002") == ways_in
    full = await front.hook("/twiml/voice", ring(To="+15550002", CallSid=second))
    assert [verb.tag for verb in parsed(full.text)] == ["Say", "Hangup"]
    assert "all our lines are busy" in full.text
    assert await front.facts(second) == []
    assert front.parts.meter.value("stayline_refused_total", door="tenant") == 1
    # The one that is in is asked for again, and comes back.
    for path in ("/twiml/voice", "/twiml/resume"):
        assert await verbs(front, path, To="+15550002") == ways_in
    for number in ("+15550003", "+15550009"):
        assert (
            await verbs(front, "/twiml/voice", To=number, CallSid=f"{second[:-7]}{number[-7:]}")
            == ways_in
        )


async def test_a_call_that_another_server_let_in_is_not_refused(front: Front) -> None:
    await verbs(front, "/twiml/voice", To="+15550002")
    elsewhere = "CA00000000000000000000000000000003"
    opened = e.CallOpened(call_sid=elsewhere, tenant="acme")
    await front.journal.open(elsewhere, (e.encode(opened),), now_ms=front.parts.clock.now_ms())
    told = await verbs(front, "/twiml/voice", To="+15550002", CallSid=elsewhere)
    assert told == ["Connect", "Redirect"]


async def test_who_is_rung_back_needs_no_place(front: Front) -> None:
    await verbs(front, "/twiml/voice", To="+15550002")
    path = f"/twiml/voice?callback={CALL}"
    rung = "CA00000000000000000000000000000004"
    told = await verbs(
        front, path, To="+15550001", From="+15550002", CallSid=rung, Direction="outbound-api"
    )
    assert told == ["Connect", "Redirect"]


async def test_a_page_too_many_is_told_so(front: Front) -> None:
    opened = [
        await front.api("POST", "/api/phone/calls", bearer=f"{name} token", json={})
        for name in ("acme", "acme", "best", "best")
    ]
    assert [one.status_code for one in opened] == [201, 429, 201, 201]
    assert "All lines are busy" in opened[1].text


async def test_a_tenants_flood_of_pages_turns_no_other_tenants_away(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "OPENINGS_A_MINUTE", 1)
    opened = [
        await front.api("POST", "/api/phone/calls", bearer=f"{name} token", json={})
        for name in ("best", "best", "acme")
    ]
    assert [one.status_code for one in opened] == [201, 429, 201]
