"""A person's voice on real sockets: the caller on one, the person on the other."""

import asyncio
import contextlib
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from typing_extensions import override
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from service.audio import SILENCE, samples
from service.clock import Clock
from service.session.conversation import person as seats
from service.web.seat import talking
from service.web.seat.talking import Pace
from tests.conftest import wait_until
from tests.session.parts import LOUD
from tests.web.front import CALL, PUBLIC_URL, Front, Stream, stream

pytestmark = pytest.mark.asyncio

FRAME = samples(20)
VOICE = f"/api/calls/{CALL}/voice"


@contextlib.asynccontextmanager
async def person(
    host: str, seat: str = "ana", *, path: str = VOICE, **headers: str
) -> AsyncIterator[Stream]:
    shown = headers or {"Authorization": "Bearer act"}
    async with connect(
        f"ws://{host}{path}?seat={seat}", additional_headers=shown, compression=None, proxy=None
    ) as opened:
        yield Stream(opened, "MZ9")


@contextlib.asynccontextmanager
async def taken_call(front: Front, host: str) -> AsyncIterator[Stream]:
    """A call with a caller on it, that Ana has taken over."""
    async with stream(host) as caller:
        await caller.start(await front.token())
        await caller.hear("mark")
        await take_over(front)
        yield caller


async def take_over(front: Front, seat: str = "ana", from_seat: str | None = None) -> None:
    body = {"by": seat, "seat": seat, "from_seat": from_seat}
    answer = await front.api("POST", f"/api/calls/{CALL}/takeover", bearer="act", json=body)
    assert answer.status_code == 202, answer.text
    session = front.parts.switchboard.find(CALL)
    if session is not None:
        await wait_until(
            lambda: (held := session.call.taken_over) is not None and held.is_taken,
            description="the agent is silent",
        )


async def send(who: Stream, sample: bytes, number: int, frames: int = 1) -> None:
    payload = b64encode(sample * FRAME * frames).decode()
    media = {"track": "inbound", "chunk": str(number + 1), "timestamp": str(number * 20)}
    await who.send("media", sequenceNumber=str(number + 2), media={**media, "payload": payload})


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer nobody"},
        {"Authorization": "Bearer see"},
        {"Cookie": "stayline=1.a.9.b.c", "Origin": PUBLIC_URL},
        {"Origin": PUBLIC_URL},
    ],
)
async def test_a_stranger_gets_no_socket(front: Front, host: str, headers: dict[str, str]) -> None:
    await front.token()
    with pytest.raises(InvalidStatus) as refused:
        async with person(host, **headers):
            pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("origin", [PUBLIC_URL, "https://evil.example", ""])
async def test_a_badge_opens_it_for_our_own_pages_alone(
    front: Front, host: str, origin: str
) -> None:
    """S-5: no page of another site talks in a person's name."""
    signed = await front.web.post(
        "/api/session", json={"token": "act"}, headers={"X-Stayline": "1"}
    )
    badge = signed.headers["set-cookie"].partition(";")[0]
    headers = {"Cookie": badge, **({"Origin": origin} if origin else {})}
    async with taken_call(front, host):
        if origin != PUBLIC_URL:
            with pytest.raises(InvalidStatus):
                async with person(host, **headers):
                    pass
            return
        async with person(host, **headers) as ana:
            await ana.start("", call_sid=CALL)
            session = front.parts.switchboard.find(CALL)
            assert session is not None
            await wait_until(
                lambda: session.person.earpiece is not None, description="she sits there"
            )
            gone = {"Cookie": badge, "Origin": PUBLIC_URL, "X-Stayline": "1"}
            left = await front.web.request("DELETE", "/api/session", headers=gone)
            assert left.status_code == 204
            assert await ana.closed() == (talking.CLOSE_SIGNED_OUT, "signed out")


async def refusal(host: str, seat: str = "ana", call_sid: str = CALL, **headers: str) -> int:
    path = f"/api/calls/{call_sid}/voice"
    async with person(host, seat, path=path, **headers) as who:
        await who.start("", call_sid=call_sid)
        return (await who.closed())[0]


async def test_only_the_seats_holder_talks_and_only_where_the_call_is_held(
    front: Front, host: str
) -> None:
    await front.token()
    assert await refusal(host, call_sid="CA9") == talking.CLOSE_NO_CALL
    assert await refusal(host, Authorization="Bearer other") == talking.CLOSE_NO_CALL
    assert await refusal(host) == seats.CLOSE_ELSEWHERE
    async with stream(host) as caller:
        await caller.start(await front.token())
        await caller.hear("mark")
        assert await refusal(host) == seats.CLOSE_NOT_YOURS
        await take_over(front)
        assert await refusal(host, Authorization="Bearer other") == talking.CLOSE_NO_CALL
        for seat in ("bob", "", "a%20b"):
            assert await refusal(host, seat) == seats.CLOSE_NOT_YOURS
        async with person(host) as ana:
            await ana.start("", call_sid="CA9")
            assert (await ana.closed())[0] == talking.POLICY


async def test_another_who_takes_the_seat_sends_the_first_away(front: Front, host: str) -> None:
    async with taken_call(front, host), person(host) as ana:
        await ana.start("", call_sid=CALL)
        await send(ana, SILENCE, 0)
        sent_away = asyncio.create_task(ana.closed())
        await take_over(front, "bob", "ana")
        assert (await sent_away)[0] == seats.CLOSE_NOT_YOURS


@pytest.mark.parametrize("changes", [{"media_idle_s": 1}])
async def test_a_socket_that_brings_nothing_is_dead_and_the_seat_stays(
    front: Front, host: str
) -> None:
    async with taken_call(front, host), person(host) as ana:
        await ana.start("", call_sid=CALL)
        assert (await ana.closed())[0] == 1000
        answer: Any = (await front.api("GET", f"/api/calls/{CALL}")).json()
        assert answer["taken_over"]["seat"] == "ana"


async def test_who_floods_is_sent_off_and_what_comes_too_early_is_not_said(
    front: Front, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talking, "MESSAGES_AT_ONCE_MAX", 50)
    monkeypatch.setattr(talking, "MESSAGES_A_S", 1)  # however long it takes to send them
    async with taken_call(front, host), person(host) as ana:
        await ana.start("", call_sid=CALL)
        await send(ana, LOUD, 0, frames=100)
        with contextlib.suppress(Exception):
            for number in range(200):  # fewer than the connection itself takes at once
                await send(ana, SILENCE, number)
        assert (await ana.closed())[0] == 1000
        session = front.parts.switchboard.find(CALL)
        assert session is not None
        assert not session.call.prompts


async def test_too_many_people_are_turned_away(
    front: Front, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talking, "TALKERS_MAX", 0)
    await front.token()
    with pytest.raises(InvalidStatus):
        async with person(host):
            pass


async def test_who_never_starts_is_sent_off(
    front: Front, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talking, "START_MS_MAX", 100)
    async with taken_call(front, host), person(host) as ana:
        await ana.socket.send(json.dumps({"event": "connected"}))
        assert (await ana.closed())[0] == talking.POLICY


async def test_a_pace_lets_through_what_time_allows() -> None:
    class StoppedClock(Clock):
        at_ms = 5_000

        @override
        def now_ms(self) -> int:
            return self.at_ms

    clock = StoppedClock()
    pace = Pace(1_000, 40_000, clock)
    assert [pace.admits(20_000) for _ in range(3)] == [True, True, False]
    clock.at_ms += 20
    assert [pace.admits(20_000) for _ in range(2)] == [True, False]
