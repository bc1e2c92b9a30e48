import json
from typing import Any

import httpx2
import pytest

from service.call import events as e
from tests.web.front import CALL, Front, ring
from tests.web.reading.test_live import reading

pytestmark = pytest.mark.asyncio
ONE = f"/api/calls/{CALL}"
TIMELINE = {
    "incarnation",
    "from_ms",
    "to_ms",
    "position",
    "streams",
    "gaps",
    "speech",
    "keys",
    "tools",
    "acts",
    "levels",
    "incidents",
}


def is_problem(answer: httpx2.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["detail"])


async def listed(front: Front, query: str) -> list[str]:
    answer = await front.api("GET", f"/api/calls?{query}", bearer="see")
    assert answer.status_code == 200, answer.text
    return [one["call_sid"] for one in answer.json()["calls"]]


async def test_a_list_is_searched_and_read_piece_by_piece(front: Front) -> None:
    for number in range(1, 6):
        await front.hook("/twiml/voice", ring(CallSid=f"CA{number}", From=f"+1555100{number}"))
    assert await listed(front, "q=%2B15551003") == ["CA3"]
    assert await listed(front, "q=ca2%20nobody") == []
    assert await listed(front, "limit=2") == ["CA4", "CA5"]
    assert await listed(front, "limit=2&before=CA4") == ["CA2", "CA3"]
    assert await listed(front, "before=CA3&q=%2B15551001&phase=ringing") == ["CA1"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "before=CA9", "phase=asleep", f"q={'x' * 600}", f"q={'a+' * 30}"],
)
async def test_a_list_of_nonsense_is_refused(front: Front, query: str) -> None:
    assert is_problem(await front.api("GET", f"/api/calls?{query}"), 400)


async def test_the_board_is_shown_as_json_and_to_the_tenant_alone(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    (one,) = (await front.api("GET", "/api/board", bearer="see")).json()["calls"]
    assert (one["call_sid"], one["phase"], one["position"]) == (CALL, "ringing", 1)
    assert (await front.api("GET", "/api/board", bearer="other")).json() == {"calls": []}
    assert (await front.api("GET", "/api/board?phase=ended")).json() == {"calls": []}
    is_problem(await front.api("GET", "/api/board", bearer="nobody"), 401)


async def test_the_board_goes_on_as_events(front: Front, host: str) -> None:
    await front.hook("/twiml/voice", ring())
    async with reading(host, "/api/board") as reader:
        first = await reader.event()
        assert (first["event"], len(json.loads(first["data"])["calls"])) == ("board", 1)
        await front.write(e.NoteAdded(text="x"))
        changed = await reader.event()
        assert (changed["event"], json.loads(changed["data"])["position"]) == ("call", 2)


async def test_a_call_is_shown_as_of_a_position(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    await front.write(e.NoteAdded(text="a"), e.NoteAdded(text="b"))
    then = (await front.api("GET", f"{ONE}?at=2")).json()
    assert (then["position"], [note["text"] for note in then["notes"]]) == (2, ["a"])
    assert (await front.api("GET", f"{ONE}?at=3")).json() == (await front.api("GET", ONE)).json()
    for at in ("0", "4", "x", "-1", "9" * 20):
        is_problem(await front.api("GET", f"{ONE}?at={at}"), 400)


async def test_a_timeline_is_shown(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    shown = (await front.api("GET", f"{ONE}/timeline", bearer="see")).json()
    assert set(shown) == TIMELINE
    assert shown["position"] == 1
    is_problem(await front.api("GET", f"{ONE}/timeline", bearer="other"), 404)


async def test_a_call_is_exported_to_those_who_may(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    is_problem(await front.api("GET", f"{ONE}/export", bearer="see"), 403)
    answer = await front.api("GET", f"{ONE}/export", bearer="act")
    assert answer.headers["content-disposition"] == f'attachment; filename="{CALL}.json"'
    whole: dict[str, Any] = answer.json()
    assert set(whole) == {"call", "timeline", "events"}
    assert [one["kind"] for one in whole["events"]] == ["call_opened"]
    text = await front.api("GET", f"{ONE}/export?format=text", bearer="act")
    assert text.headers["content-type"].startswith("text/plain")
    assert text.text.startswith(f"Call: {CALL}\n")
    is_problem(await front.api("GET", f"{ONE}/export?format=pdf", bearer="act"), 400)


async def test_records_are_shown_after_a_position(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    await front.write(e.NoteAdded(text="a"))
    shown = (await front.api("GET", f"{ONE}/events?after=1")).json()
    assert (shown["position"], [one["position"] for one in shown["events"]]) == (2, [2])
    for after in ("x", "-1", "1.5", "9" * 13):
        is_problem(await front.api("GET", f"{ONE}/events?after={after}"), 400)
    is_problem(await front.api("GET", f"{ONE}/events?after=1&wait_s=51"), 400)
