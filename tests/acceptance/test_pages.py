"""A call from a page outlives its server: killed and started anew, or simply another one on the same store."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.testing.house import House
from tests.browser.place import AGENT, house
from tests.web.pages import page

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]


async def asked(url: str, path: str, body: dict[str, str]) -> dict[str, Any]:
    async with httpx2.AsyncClient(base_url=url) as web:
        answer = await web.post(f"/api/phone/calls{path}", json=body, headers={"origin": url})
    assert answer.is_success, answer.text
    return dict(answer.json())


async def told(url: str, call_sid: str) -> dict[str, Any]:
    async with httpx2.AsyncClient(base_url=url) as web:
        bearer = {"authorization": f"Bearer {AGENT}"}
        answer = await web.get(f"/api/calls/{call_sid}", headers=bearer)
    return dict(answer.json())


async def streamed(url: str, ticket: dict[str, Any], call_sid: str, stream_sid: str) -> None:
    """Let a page's stream come in, and hear something of the agent on it."""
    host = url.removeprefix("http://")
    async with page(host, stream_sid, origin=url) as one:
        await one.start(ticket["stream_token"], call_sid=call_sid)
        await one.hear("media")


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "another"])
async def test_a_page_goes_on_with_its_call_whichever_server_answers(
    tmp_path: Path, *, is_killed: bool
) -> None:
    first: House = house(tmp_path, {"phone": "open"})
    other: House = house(tmp_path, {"phone": "open"})
    first.open()
    try:
        made = await asked(first.url, "", {"company": "Blue"})
        sid = made["call_sid"]
        await streamed(first.url, made, sid, "MZ1")
        if is_killed:
            first.kill()
        else:
            other.open()
        url = first.url if is_killed else other.url
        back = await asked(url, f"/{sid}/resume", {"recovery": made["recovery"], "attempt": "one"})
        await streamed(url, back, sid, "MZ2")
        call = await told(url, sid)
    finally:
        first.close()
        other.close()
    assert [stream["stream_sid"] for stream in call["streams"]] == ["MZ1", "MZ2"]
    assert call["parameters"]["company"] == "Blue"
