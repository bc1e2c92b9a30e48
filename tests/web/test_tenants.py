"""S-6: one tenant neither sees nor guesses another's calls, at any route.

CROSS_READS=10000 python -m pytest tests/web/test_tenants.py        as many requests of each against each
"""

import contextlib
import json
import os
import random
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
import pytest_asyncio
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from service.call import events as e
from service.journal.seal.masters import read
from service.trust.api_token import ApiToken
from tests.journal.sealing import seal_key
from tests.web.front import ACCOUNT, Front, fronted, parameters, ring, served, signature, stream

CROSS_READS = int(os.environ.get("CROSS_READS", "400"))
TENANTS = ("default", "acme", "best")
ROLES = ("viewer", "agent", "admin")
NUMBERS = {"default": "+15550001", "acme": "+15550002", "best": "+15550003"}
SIDS = {name: f"CA{n:032x}" for n, name in enumerate(TENANTS, 0xA1)}
ABSENT = f"CA{0xFFFF:032x}"
TOKENS = tuple(
    ApiToken.model_construct(token=f"{role}-{tenant}", role=role, tenant=tenant)
    for tenant in TENANTS
    for role in ROLES
)

# The lowest role that each route of the API asks for. A route that is not here fails the first test.
LOWEST = {
    "GET /api/session": "viewer",
    "DELETE /api/session": "viewer",
    "GET /api/calls": "viewer",
    "GET /api/board": "viewer",
    "GET /api/figures": "viewer",
    "GET /api/calls/{call_sid}": "viewer",
    "GET /api/calls/{call_sid}/events": "viewer",
    "GET /api/calls/{call_sid}/timeline": "viewer",
    "GET /api/calls/{call_sid}/export": "agent",
    "POST /api/calls/{call_sid}/operations/{operation}": "agent",
    "POST /api/calls/{call_sid}/takeover": "agent",
    "POST /api/calls/{call_sid}/handback": "agent",
    "POST /api/calls/{call_sid}/say": "agent",
    "POST /api/calls/{call_sid}/digits": "agent",
    "POST /api/calls/{call_sid}/transfer": "agent",
    "POST /api/calls/{call_sid}/hangup": "agent",
    "POST /api/calls/{call_sid}/notes": "agent",
    "POST /api/calls/{call_sid}/callback": "agent",
    "DELETE /api/calls": "admin",
    "GET /api/export": "admin",
    "DELETE /api/calls/{call_sid}": "admin",
}
# What asks for something else: a signature, a token of the call's own, or for nothing because it tells nothing.
OTHERWISE = re.compile(
    r"POST (/twiml/|/callbacks/|/api/session$|/api/phone/calls)"
    r"|GET (/$|/console|/phone$|/static/|/healthz$|/livez$|/readyz$|/metrics$)"
)
SOCKETS = {"/media", "/phone/media", "/api/calls/{call_sid}/voice"}


def canaries(tenant: str) -> tuple[str, ...]:
    """Return what nobody but this tenant may read."""
    return (
        SIDS[tenant],
        f"canary-{tenant}-words",
        f"Canary {tenant} Ltd",
        f"TKT-{tenant}-7",
        caller(tenant),
    )


def caller(tenant: str) -> str:
    return f"+4477009001{TENANTS.index(tenant):02}"


def routes(front: Front) -> list[str]:
    """Return method and path of every route of HTTP."""
    found = [one for one in front.app.routes if isinstance(one, Route)]
    ways = (f"{way} {one.path}" for one in found for way in sorted(one.methods or ()))
    return [way for way in ways if not way.startswith(("HEAD ", "OPTIONS "))]


@dataclass(frozen=True)
class House:
    """The application, with one call of each tenant in its store."""

    front: Front

    async def ask(self, way: str, call_sid: str, bearer: str, **more: str) -> httpx2.Response:
        method, _, path = way.partition(" ")
        path = path.replace("{call_sid}", quote(call_sid, safe="")).replace("{operation}", "t1.1")
        body = {
            "text": "x",
            "to": "+15550009",
            "digits": "1",
            "approve": True,
            "by": "x",
            "name": "x",
        }
        return await self.front.api(
            method, path, bearer=bearer, json=None if method == "GET" else body, params=more
        )

    async def write(self, tenant: str, bodies: Sequence[bytes], key: str) -> None:
        """Add facts to the tenant's call."""
        now_ms = self.front.parts.clock.now_ms()
        if bodies:
            await self.front.journal.append(
                SIDS[tenant], bodies, epoch=None, after=None, key=key, now_ms=now_ms
            )

    async def heads(self) -> dict[str, int]:
        return {one.call_sid: one.head for one in await self.front.journal.open_calls()}


@contextlib.asynccontextmanager
async def housed(folder: Path, **more: Any) -> AsyncIterator[House]:
    known = {
        caller(name): {"company": f"Canary {name} Ltd", "ticket_id": f"TKT-{name}-7"}
        for name in TENANTS
    }
    entries = {}
    for name in TENANTS:
        path = folder / f"{name}.json"
        path.write_text(json.dumps({caller(name): known[caller(name)]}))
        entries[name] = {"numbers": [NUMBERS[name]], "directory": str(path)}
    own = entries.pop("default")
    (folder / "tenants.json").write_text(json.dumps(entries))
    ours, others = str(own["directory"]), str(folder / "tenants.json")
    async with fronted(api_tokens=TOKENS, tenants=others, directory=ours, **more) as front:
        for name in TENANTS:
            call = ring(CallSid=SIDS[name], From=caller(name), To=NUMBERS[name])
            assert (await front.hook("/twiml/voice", call)).status_code == 200
            said = e.encode(e.NoteAdded(text=f"canary-{name}-words", by="x"))
            await House(front).write(name, (said,), "note")
        yield House(front)


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with housed(tmp_path) as house:
        yield house


@pytest_asyncio.fixture
async def sealed_house(tmp_path: Path) -> AsyncIterator[House]:
    async with housed(tmp_path, seal_keys=(seal_key("k1"), seal_key("acme/a1"))) as house:
        yield house


@pytest.mark.asyncio
async def test_each_tenants_calls_are_sealed_under_its_own_key(sealed_house: House) -> None:
    """S-6, S-7: a tenant without a key of its own is served by the common one."""
    engine: Any = sealed_house.front.parts.journal.engine
    wrapped = {name: read(await engine.vault.fetch(sid)) for name, sid in SIDS.items()}
    kids = {name: kept.kid for name, kept in wrapped.items() if kept is not None}
    assert kids == {"default": "k1", "acme": "acme/a1", "best": "k1"}


@pytest.mark.asyncio
async def test_every_route_says_whom_it_serves(house: House) -> None:
    found = routes(house.front)
    assert {way for way in found if not OTHERWISE.match(way)} == LOWEST.keys()
    sockets = {one.path for one in house.front.app.routes if isinstance(one, WebSocketRoute)}
    assert sockets == SOCKETS


@pytest.mark.asyncio
@pytest.mark.parametrize("way", LOWEST)
async def test_a_route_serves_its_roles_of_the_calls_own_tenant_alone(
    way: str, house: House
) -> None:
    """S-6: routes x roles x tenants."""
    before, lowest = await house.heads(), ROLES.index(LOWEST[way])
    assert (await house.ask(way, SIDS["acme"], "nobody")).status_code == 401
    for role in ROLES[:lowest]:
        for tenant in TENANTS:
            answer = await house.ask(way, SIDS["acme"], f"{role}-{tenant}")
            assert answer.status_code == 403, (role, tenant, answer.text)
    for role in ROLES[lowest:]:
        if "{call_sid}" in way:
            absent = await house.ask(way, ABSENT, f"{role}-acme")
            assert absent.status_code == 404
            for tenant in ("default", "best"):
                answer = await house.ask(way, SIDS["acme"], f"{role}-{tenant}")
                assert (answer.status_code, answer.text) == (404, absent.text)
    assert await house.heads() == before
    for role in ROLES[lowest:]:
        served = (await house.ask(way, SIDS["acme"], f"{role}-acme")).status_code
        assert served not in (401, 403), (role, served)
        assert served < 500, (role, served)
    after = await house.heads()
    for tenant in ("default", "best"):
        assert after[SIDS[tenant]] == before[SIDS[tenant]]


@pytest.mark.asyncio
@pytest.mark.timeout(60 + CROSS_READS // 50)
async def test_nobody_reads_what_is_another_tenants(house: House) -> None:
    """S-6: every route, with every id, by everybody: 0 cross reads."""
    chance = random.Random(7)
    ways = [way for way in LOWEST if way.startswith("GET ")]
    ids = [
        *SIDS.values(),
        ABSENT,
        "",
        "*",
        "%",
        "..",
        "CA%",
        SIDS["acme"].lower(),
        SIDS["best"][:-1],
    ]
    for n in range(CROSS_READS):
        tenant, role = chance.choice(TENANTS), chance.choice(ROLES)
        asked = {
            name: chance.choice(["", "0", "1", "live", *canaries(chance.choice(TENANTS)), "*", "%"])
            for name in chance.sample(["q", "phase", "after", "at", "limit", "tenant", "number"], 2)
        }
        more = asked | {"wait": "0"}
        answer = await house.ask(
            chance.choice(ways), chance.choice(ids), f"{role}-{tenant}", **more
        )
        assert answer.status_code < 500, (n, answer.text)
        shown = (
            json.dumps(answer.json()) if "json" in answer.headers["content-type"] else answer.text
        )
        for word in asked.values():
            shown = shown.replace(json.dumps(word)[1:-1], "")  # what was asked may be told again
        for other in TENANTS:
            for canary in canaries(other) if other != tenant else ():
                assert canary not in shown, (n, tenant, role, other, str(answer.url))


@pytest.mark.asyncio
async def test_a_list_is_of_ones_own_calls(house: House) -> None:
    for tenant in TENANTS:
        shown = (await house.ask("GET /api/calls", "", f"viewer-{tenant}")).text
        assert SIDS[tenant] in shown
        assert all(SIDS[other] not in shown for other in TENANTS if other != tenant)


@pytest.mark.asyncio
async def test_erasing_takes_ones_own_calls_alone(house: House) -> None:
    gone = await house.ask("DELETE /api/calls", "", "admin-best", number=caller("acme"))
    assert gone.json()["erased"] == 0
    gone = await house.ask("DELETE /api/calls", "", "admin-acme", number=caller("acme"))
    assert gone.json()["erased"] == 1
    assert (await house.heads()).keys() == {SIDS["default"], SIDS["best"]}


@pytest.mark.asyncio
async def test_telling_of_a_person_tells_of_ones_own_calls_alone(house: House) -> None:
    for bearer, count in (("admin-best", 0), ("admin-acme", 1)):
        told = await house.ask("GET /api/export", "", bearer, number=caller("acme"))
        assert len(told.json()["calls"]) == count


@pytest.mark.asyncio
async def test_a_persons_voice_is_for_ones_own_callers(house: House) -> None:
    """S-6: the one socket that takes a bearer token; over or not, another's call is none."""
    over = e.encode(e.CallEnded(reason="completed"))
    async with served(house.front) as host:
        for key, bodies in (("", ()), ("over", (over,))):
            await house.write("acme", bodies, key)
            told = {
                (bearer, sid): await talking(host, sid, bearer)
                for bearer in ("agent-best", "viewer-acme", "nobody")
                for sid in (SIDS["acme"], ABSENT)
            }
            for bearer in ("agent-best", "viewer-acme", "nobody"):
                assert told[bearer, SIDS["acme"]] == told[bearer, ABSENT]
            assert told["agent-best", ABSENT] == (4404, "there is no such call")


async def talking(host: str, call_sid: str, bearer: str) -> tuple[int, str]:
    """Ask for the voice socket of a call; return with what it is closed or refused."""
    headers = {"authorization": f"Bearer {bearer}"}
    url = f"ws://{host}/api/calls/{call_sid}/voice"
    try:
        async with connect(url, additional_headers=headers, proxy=None) as opened:
            await opened.wait_closed()
    except InvalidStatus as refused:
        return refused.response.status_code, ""
    return opened.close_code or 0, opened.close_reason or ""


@pytest.mark.asyncio
async def test_who_rings_a_tenant_is_known_from_its_own_directory(house: House) -> None:
    """S-6: another tenant's caller is a stranger here, and their cut-off call is not gone on with."""
    call = ring(CallSid=ABSENT, From=caller("acme"), To=NUMBERS["best"])
    told = parameters((await house.front.hook("/twiml/voice", call)).text)
    assert told["company"] == told["ticket_id"] == ""
    assert told["tenant"] == "best"
    told = parameters((await house.front.hook("/twiml/voice", ring(To=NUMBERS["default"]))).text)
    assert "tenant" not in told
    back = ring(
        CallSid=f"{ABSENT[:-1]}0", From=NUMBERS["acme"], To=caller("acme"), Direction="outbound-api"
    )
    told = parameters((await house.front.hook("/twiml/voice", back)).text)
    assert told["tenant"] == "acme"
    assert told["company"] == "Canary acme Ltd"


@pytest.mark.asyncio
async def test_a_call_whose_journal_is_gone_stays_its_tenants(house: House) -> None:
    call = ring(CallSid=ABSENT, From="+447700900999", To=NUMBERS["acme"])
    told = parameters((await house.front.hook("/twiml/voice", call)).text)
    await house.front.journal.erase(ABSENT)
    async with (
        served(house.front) as host,
        stream(host, signed=signature("wss://calls.example.com/media")) as line,
    ):
        await line.start(told["token"], call_sid=ABSENT, customParameters=told, accountSid=ACCOUNT)
        await line.hear("media")
    shown = await house.ask("GET /api/calls/{call_sid}", ABSENT, "viewer-acme")
    assert shown.status_code == 200
    assert shown.json()["parameters"].keys() <= {"client_name", "company", "ticket_id"}
    assert (
        await house.ask("GET /api/calls/{call_sid}", ABSENT, "viewer-default")
    ).status_code == 404
