import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlencode, urljoin

import httpx2
import hypercorn
import pytest
import uvicorn
from fastapi import FastAPI
from hypercorn.asyncio import serve
from starlette.applications import Starlette

from service import guest, serving
from service.call import events as e
from tests.conftest import wait_until
from tests.session.parts import NotingCarrier, ScriptedAgent, ScriptedSpeech
from tests.web.front import CALL, Front, Stream, built, parameters, ring, signature, stream

pytestmark = pytest.mark.asyncio

HOUSE = "https://example.com"
FORM = {"content-type": "application/x-www-form-urlencoded"}

Serving = Callable[[Any, socket.socket], Awaitable[Callable[[], Awaitable[None]]]]


def housed(prefix: str, said: list[str]) -> tuple[FastAPI, Starlette]:
    """Return an application of somebody's, and Stayline mounted in it."""
    stayline = built(
        NotingCarrier(), ScriptedAgent(), ScriptedSpeech(), public_url=f"{HOUSE}{quote(prefix)}"
    )

    @asynccontextmanager
    async def own(_app: FastAPI) -> AsyncIterator[dict[str, str]]:
        await stayline.state.parts.journal.open_calls()  # the store is there already
        said.append("shop open")
        yield {"greeting": "hello"}
        said.append("shop closed")

    app = FastAPI(lifespan=guest.lifespan_with(stayline, own))

    @app.get("/shop")
    async def shop() -> str:
        return "open"

    app.mount(prefix, stayline)
    return app, stayline


async def by_uvicorn(app: Any, ours: socket.socket, **more: Any) -> Callable[[], Awaitable[None]]:
    """Serve as whoever knows nothing of Stayline does; return what ends it."""
    config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1, **more)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[ours]))
    await wait_until(
        lambda: server.started or task.done(), description="uvicorn serves", within_s=25
    )

    async def end() -> None:
        server.should_exit = True
        await task

    return end


async def by_ours(app: Any, ours: socket.socket) -> Callable[[], Awaitable[None]]:
    server = serving.Server(serving.settings(app, stop_s=1))
    task = asyncio.create_task(server.serve(sockets=[ours]))
    await server.serving.wait()

    async def end() -> None:
        server.end()
        await task

    return end


async def by_hypercorn(app: Any, ours: socket.socket) -> Callable[[], Awaitable[None]]:
    config = hypercorn.Config()
    config.bind, config.graceful_timeout = [f"fd://{ours.detach()}"], 1
    over = asyncio.Event()
    task = asyncio.create_task(serve(app, config, shutdown_trigger=over.wait))

    async def end() -> None:
        over.set()
        await task

    return end


@asynccontextmanager
async def open_house(
    by: Serving, prefix: str = "/calls"
) -> AsyncIterator[tuple[str, Front, list[str]]]:
    told: list[str] = []
    app, stayline = housed(prefix, told)
    ours = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{ours.getsockname()[1]}"
    end = await by(app, ours)
    try:
        yield host, Front(stayline, NotingCarrier()), told
    finally:
        await end()


async def hook(host: str, path: str, public: str = "") -> httpx2.Response:
    """Post a webhook over a real socket, signed for the public address."""
    pairs = list(ring().items())
    headers = {**FORM, "x-twilio-signature": signature(HOUSE + (public or path), pairs)}
    async with httpx2.AsyncClient(base_url=f"http://{host}") as web:
        return await web.post(path, content=urlencode(pairs), headers=headers)


@asynccontextmanager
async def attached(host: str, prefix: str, stream_sid: str, token: str) -> AsyncIterator[Stream]:
    signed = signature(f"wss://example.com{prefix}/media")
    async with stream(host, stream_sid, signed=signed, path=f"{prefix}/media") as opened:
        await opened.start(token)
        yield opened


async def went_on(host: str, front: Front, prefix: str) -> None:
    """Ring, talk, lose the stream, and go on: everything under the prefix."""
    answer = await hook(host, f"{prefix}/twiml/voice")
    assert answer.status_code == 200, answer.text
    assert f'action="{HOUSE}{prefix}/twiml/resume"' in answer.text
    assert f'url="wss://example.com{prefix}/media"' in answer.text
    async with attached(host, prefix, "MZ1", parameters(answer.text)["token"]) as first:
        await first.hear("media")
        first.socket.transport.abort()
    again = await hook(host, f"{prefix}/twiml/resume")
    async with attached(host, prefix, "MZ2", parameters(again.text)["token"]) as second:
        await second.hear("media")
        facts = await front.facts(CALL)
    streams = [fact for fact in facts if isinstance(fact, e.StreamAttached)]
    assert [one.cause for one in streams] == ["new", "drop"]
    assert sum(isinstance(fact, e.Greeted) for fact in facts) == 1


@pytest.mark.parametrize("by", [by_uvicorn, by_hypercorn, by_ours])
async def test_a_call_under_a_prefix_survives_a_drop_whoever_serves(by: Serving) -> None:
    async with open_house(by) as (host, front, told):
        async with httpx2.AsyncClient(base_url=f"http://{host}") as web:
            await wait_until(lambda: bool(told), description="the house is open")
            assert (await web.get("/shop")).json() == "open"
            assert (await web.get("/calls/healthz")).status_code == 200
            assert (await web.get("/healthz")).status_code == 404
        await went_on(host, front, "/calls")
    assert told == ["shop open", "shop closed"]


async def test_the_pages_find_everything_under_the_prefix_and_their_cookie_goes_nowhere_else() -> (
    None
):
    async with open_house(by_ours, "/our calls") as (host, _, _):
        here = f"http://{host}/our%20calls"
        async with httpx2.AsyncClient(follow_redirects=True) as web:
            front = await web.get(f"{here}/")
            assert str(front.url) == f"{here}/console"
            for path in ("/console", f"/console/calls/{CALL}", "/phone"):
                page = await web.get(here + path)
                for name in re.findall(r'(?:src|href)="([^"]+)"', page.text):
                    file = await web.get(urljoin(str(page.url), name))
                    assert file.status_code == 200, file.url
                    assert str(file.url).startswith(f"{here}/static/")
            answer = await web.post(
                f"{here}/api/session", json={"token": "act"}, headers={"origin": HOUSE}
            )
            assert "; Path=/our%20calls;" in answer.headers["set-cookie"]
            badge = answer.headers["set-cookie"].partition(";")[0]
            shown = await web.get(f"{here}/api/session", headers={"cookie": badge})
            assert shown.json()["role"] == "agent"
            made = await web.post(
                f"{here}/api/phone/calls", json={}, headers={"authorization": "Bearer act"}
            )
            assert made.json()["stream_url"] == "wss://example.com/our%20calls/phone/media"


async def test_a_lifespan_of_ones_own_is_not_needed() -> None:
    stayline = built(NotingCarrier(), ScriptedAgent(), ScriptedSpeech())
    async with guest.lifespan_with(stayline)(FastAPI()) as state:
        assert state == {}
        assert await stayline.state.parts.journal.open_calls() == ()


async def test_another_websocket_side_and_a_prefix_with_a_blank_will_do() -> None:
    async def by(app: Any, ours: socket.socket) -> Callable[[], Awaitable[None]]:
        return await by_uvicorn(app, ours, ws="wsproto")

    async with open_house(by, "/a b/c") as (host, front, _):
        await went_on(host, front, "/a%20b/c")
