"""S-5: what is open ends when its person signs out, and asks again every five minutes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from service.web.door import bearer
from tests.conftest import wait_until
from tests.web.front import CALL, PUBLIC_URL, Front

OURS = {"origin": PUBLIC_URL, "x-stayline": "1"}
EVENTS = f"/api/calls/{CALL}/events"
STREAM = {"accept": "text/event-stream"}


@asynccontextmanager
async def reading(
    host: str, headers: dict[str, str], path: str = EVENTS
) -> AsyncIterator[list[str]]:
    """Read a stream of events; the list ends with "the end" when the server has ended them."""
    lines: list[str] = []

    async def read() -> None:
        async with httpx2.AsyncClient(base_url=f"http://{host}") as web:
            async with web.stream("GET", path, headers={**STREAM, **headers}) as answer:
                lines.append(str(answer.status_code))
                async for _ in answer.aiter_lines():
                    pass
            lines.append("the end")

    task = asyncio.create_task(read())
    try:
        await wait_until(lambda: bool(lines) or task.done(), description="the stream began")
        yield lines
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def badge(front: Front, shown: str = "act") -> dict[str, str]:
    answer = await front.web.post("/api/session", json={"token": shown})
    return {"cookie": answer.headers["set-cookie"].partition(";")[0]}


@pytest.mark.asyncio
@pytest.mark.parametrize("path", [EVENTS, "/api/board"])
async def test_signing_out_ends_the_streams_of_this_badge_and_of_no_other(
    front: Front, host: str, path: str
) -> None:
    await front.token()
    mine, theirs = await badge(front), await badge(front)
    async with reading(host, mine, path) as ended, reading(host, theirs, path) as going_on:
        assert (ended, going_on) == (["200"], ["200"])
        front.web.cookies.clear()
        await front.web.request("DELETE", "/api/session", headers={**OURS, **mine})
        await wait_until(lambda: ended == ["200", "the end"], description="the stream ended")
        assert going_on == ["200"]
    async with reading(host, mine, path) as refused:
        assert refused[0] == "401"


@pytest.mark.asyncio
async def test_a_stream_asks_again_after_its_time_but_a_programs_does_not(
    front: Front, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bearer, "ASKED_AGAIN_MS", 50)
    await front.token()
    program = {"authorization": "Bearer act"}
    async with reading(host, program) as going_on, reading(host, await badge(front)) as ended:
        await wait_until(lambda: ended == ["200", "the end"], description="the stream ended")
        assert going_on == ["200"]


@pytest.mark.asyncio
async def test_who_is_not_admitted_is_told_so(front: Front) -> None:
    answer = await front.web.get(EVENTS, headers={**STREAM, "cookie": "stayline=1.2.3.4.5"})
    assert answer.status_code == 401
    other = await badge(front, "other")
    assert (await front.web.get(EVENTS, headers={**STREAM, **other})).status_code == 404
