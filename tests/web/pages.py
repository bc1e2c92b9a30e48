"""A page's end of a call, as tests play it."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import connect

from tests.web.front import PUBLIC_URL, Front, Stream, signature

HERE = PUBLIC_URL  # the origin of our own pages


async def open_call(front: Front, **asked: str) -> dict[str, Any]:
    """Open a call as a page of ours does, and return what it is told."""
    answer = await front.web.post("/api/phone/calls", json=asked, headers={"origin": HERE})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def resumed(
    front: Front, call_sid: str, recovery: str, attempt: str = "try"
) -> dict[str, Any]:
    """Ask whether the call is still there; it must be."""
    answer = await front.web.post(
        f"/api/phone/calls/{call_sid}/resume",
        json={"recovery": recovery, "attempt": attempt},
        headers={"origin": HERE},
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@contextlib.asynccontextmanager
async def page(
    host: str,
    stream_sid: str = "MZ1",
    *,
    path: str = "/phone/media",
    origin: str = HERE,
    signed: bool = False,
) -> AsyncIterator[Stream]:
    """Open a media socket as a page does; `signed` adds what the carrier would."""
    headers = {"Origin": origin} if origin else {}
    if signed:
        headers["X-Twilio-Signature"] = signature(f"wss://calls.example.com{path}")
    async with connect(
        f"ws://{host}{path}",
        additional_headers=headers,
        compression=None,
        ping_interval=None,
        proxy=None,
    ) as opened:
        yield Stream(opened, stream_sid)
