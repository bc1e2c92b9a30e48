import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from service import desk as desks
from service.desk import BODY_BYTES_MAX, TicketDesk, create_desk
from tests.desks import serving


@pytest.fixture
def desk() -> TicketDesk:
    return TicketDesk()


@pytest_asyncio.fixture
async def http(desk: TicketDesk) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(desk) as url, httpx2.AsyncClient(base_url=url) as client:
        yield client


async def post(
    http: httpx2.AsyncClient, path: str, body: object, key: str = "k1"
) -> httpx2.Response:
    return await http.post(path, json=body, headers={"Idempotency-Key": key} if key else {})


@pytest.mark.asyncio
@pytest.mark.parametrize("ticket_id", ["TKT-1234", "tkt1234", "1234"])
async def test_a_ticket_is_found_however_its_number_is_written(
    http: httpx2.AsyncClient, ticket_id: str
) -> None:
    found = (await http.get(f"/tickets/{ticket_id}")).json()
    assert (found["ticket_id"], found["client_name"]) == ("TKT-1234", "Sarah Johnson")
    assert (found["status"], found["notes"]) == ("in progress", [])


@pytest.mark.asyncio
async def test_a_ticket_that_is_not_there_is_told(http: httpx2.AsyncClient) -> None:
    for answered in (
        await http.get("/tickets/TKT-9"),
        await post(http, "/tickets/TKT-9/notes", {"text": "x"}),
    ):
        assert answered.status_code == 404
        assert "no ticket" in answered.json()["error"]


@pytest.mark.asyncio
async def test_the_same_key_is_carried_out_once_and_answered_alike(
    http: httpx2.AsyncClient, desk: TicketDesk
) -> None:
    answers = [await post(http, "/tickets/TKT-1234/notes", {"text": "beep"}) for _ in range(3)]
    assert [one.status_code for one in answers] == [201] * 3
    assert [one.json() for one in answers] == [{"ticket_id": "TKT-1234", "notes": 1}] * 3
    assert desk.tickets["TKT-1234"].notes == ["beep"]
    log = (await http.get("/log")).json()
    assert log == {"k1": {"path": "/tickets/TKT-1234/notes", "asked": 3, "executions": 1}}


@pytest.mark.asyncio
async def test_the_same_key_for_another_wish_is_refused(
    http: httpx2.AsyncClient, desk: TicketDesk
) -> None:
    await post(http, "/tickets/TKT-1234/notes", {"text": "beep"})
    other = await post(http, "/tickets/TKT-1234/notes", {"text": "boop"})
    elsewhere = await post(http, "/tickets/TKT-4821/notes", {"text": "beep"})
    assert other.status_code == elsewhere.status_code == 422
    assert desk.tickets["TKT-1234"].notes == ["beep"]


@pytest.mark.asyncio
async def test_without_a_key_every_request_is_a_wish_of_its_own(
    http: httpx2.AsyncClient, desk: TicketDesk
) -> None:
    for _ in range(2):
        await post(http, "/tickets/TKT-1234/notes", {"text": "beep"}, key="")
    assert desk.tickets["TKT-1234"].notes == ["beep", "beep"]
    assert list(desk.done) == ["without-key-1", "without-key-2"]


@pytest.mark.asyncio
async def test_a_desk_that_knows_no_keys_shows_what_is_asked_twice(
    http: httpx2.AsyncClient, desk: TicketDesk
) -> None:
    desk.honours_keys = False
    for _ in range(2):
        await post(http, "/tickets/TKT-1234/notes", {"text": "beep"})
    assert desk.executions("k1") == 2
    assert desk.executions("k2") == 0


@pytest.mark.asyncio
async def test_call_backs_and_summaries_are_kept(
    http: httpx2.AsyncClient, desk: TicketDesk
) -> None:
    call_back = await post(http, "/callbacks", {"number": "+441632", "when": "at noon"}, "k1")
    summary = await post(http, "/summaries", {"text": "All well.", "caller": "Sarah"}, "k2")
    assert call_back.json() == {"callback": "CB-1", "number": "+441632"}
    assert summary.json() == {"summaries": 1}
    assert desk.callbacks[0].when == "at noon"
    assert desk.summaries[0].caller == "Sarah"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{}", 400),
        (b"[]", 400),
        (b'{"text": 5}', 400),
        (b'{"text": "x", "more": 1}', 400),
        (b'{"text": "\xff"}', 400),
        (b"[" * 50_000, 400),
        (b"x" * (BODY_BYTES_MAX + 1), 413),
    ],
)
async def test_a_request_that_cannot_be_used_is_a_clear_error(
    http: httpx2.AsyncClient, desk: TicketDesk, content: bytes, status: int
) -> None:
    answered = await http.post("/tickets/TKT-1234/notes", content=content)
    assert answered.status_code == status
    assert answered.json()["error"]
    assert desk.done == {}


@pytest.mark.asyncio
async def test_a_closed_desk_turns_the_next_requests_away(
    http: httpx2.AsyncClient, desk: TicketDesk
) -> None:
    desk.failures = 1
    away = await post(http, "/callbacks", {"number": "+44"})
    assert (away.status_code, away.headers["retry-after"]) == (503, "0")
    assert (await post(http, "/callbacks", {"number": "+44"})).status_code == 201
    assert len(desk.callbacks) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", ["lost_answers", "slow_ms"])
async def test_a_wish_is_carried_out_though_its_answer_does_not_come(
    http: httpx2.AsyncClient, desk: TicketDesk, fault: str
) -> None:
    setattr(desk, fault, 200)
    with pytest.raises(httpx2.ReadTimeout):
        await http.post("/callbacks", json={"number": "+44"}, timeout=0.05)
    assert len(desk.callbacks) == 1


@pytest.mark.asyncio
async def test_a_slow_desk_answers_all_the_same(http: httpx2.AsyncClient, desk: TicketDesk) -> None:
    desk.slow_ms = 20
    asked = asyncio.create_task(http.get("/tickets/TKT-1234"))
    assert (await asked).status_code == 200


@pytest.mark.asyncio
async def test_the_desk_keeps_no_more_than_its_limits(
    http: httpx2.AsyncClient, desk: TicketDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "KEYS_MAX", 2)
    monkeypatch.setattr(desks, "RECORDS_MAX", 2)
    for number in range(4):
        await post(http, "/callbacks", {"number": f"+{number}"}, f"k{number}")
    assert list(desk.done) == ["k2", "k3"]
    assert [one.number for one in desk.callbacks] == ["+2", "+3"]


def test_a_desk_can_be_made_without_more_ado() -> None:
    assert create_desk().routes
