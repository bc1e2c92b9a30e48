"""The least that a stream which comes back costs in Starlette, in a process of its own: what to compare with.

    python -m tests.bench._resumed PORT          the store comes from the environment

An upgrade in uvicorn's own hands, the token read and spent, the call claimed, its records folded, one written, and
a first sound. No signature, no session, nobody who listens, nothing that is said after that sound, no lease.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from service import config as settings
from service.audio import samples
from service.call import events as e
from service.clock import Clock
from service.journal.sqlite.journal import SqliteJournal
from service.journal.values import Claim
from service.protocol import events as s, messages
from service.protocol.stream import Stream
from service.session.kept.records import recalled
from service.trust.token import TokenMint
from tests.bench._accounts import ACCOUNT
from tests.bench._sample import SETTINGS, _now

OWNER, LEASE_MS, TTL_MS, WINDOW_MS = "bare", 5_000, 3_600_000, 60_000
SOUND = bytes(samples(200))
CLOCK = Clock()


async def started(websocket: WebSocket) -> s.Started:
    """Wait until a stream has said who it is."""
    stream = Stream()
    while True:
        for event in stream.receive(await websocket.receive_text(), CLOCK.now_ms()):
            if isinstance(event, s.Started):
                return event


async def media(websocket: WebSocket, journal: SqliteJournal, mint: TokenMint) -> None:
    """Let a stream go on with its call, say a first sound, and wait for its end."""
    await websocket.accept()
    stream, now_ms = await started(websocket), CLOCK.now_ms()
    call_sid = stream.call_sid
    token = mint.read(stream.parameters["token"], call_sid, now_ms=now_ms)
    assert not isinstance(token, str), token
    sid = stream.stream_sid
    await journal.spend(
        call_sid, token.nonce, stream_sid=sid, window_ms=WINDOW_MS, uses_max=2, now_ms=now_ms
    )
    claim = await journal.claim(
        call_sid, (), owner=OWNER, until_ms=now_ms + LEASE_MS, now_ms=now_ms
    )
    assert isinstance(claim, Claim), claim
    call = await recalled(claim.snapshot, claim.records)
    fact = e.StreamAttached(stream_sid=sid, cause="drop", gap_ms=0, server=OWNER)
    await journal.append(
        call_sid, (e.encode(fact),), epoch=claim.epoch, after=call.position, key="back", now_ms=now_ms
    )  # fmt: skip
    await websocket.send_text(messages.media(sid, SOUND))
    with suppress(WebSocketDisconnect):
        while True:
            await websocket.receive_text()


def main() -> None:
    """Serve."""
    path = Path(settings.load().store_url.removeprefix("sqlite:///"))
    journal = SqliteJournal(path, ttl_ms=TTL_MS)
    resumed = partial(media, journal=journal, mint=TokenMint((ACCOUNT.auth_token,)))

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        await journal.start()
        yield
        await journal.close()

    routes = [WebSocketRoute("/media", resumed), Route("/bench/now", _now)]
    app = Starlette(routes=routes, lifespan=life)
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", **SETTINGS)


if __name__ == "__main__":
    main()
