"""Slow and silent peers on the real port: each is let go in its time, and the call beside goes on (S-3, O-3).

What bounds them: five seconds for the head of a request, five for a start after the upgrade, ten messages
before it, pings from then on, and the idle time of a stream.
"""

import asyncio
import contextlib

import pytest
import pytest_asyncio

from service.web.stream import media
from service.wire import request as requests
from tests.hostile.conftest import Witness
from tests.hostile.raw import CLOSE, PING, TEXT, RawSocket, connected, frame, request, upgraded

pytestmark = pytest.mark.asyncio(loop_scope="module")

START_MS = 400  # in the place of the five seconds
CROWD = 60


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "START_MS_MAX", START_MS)


async def told(raw: RawSocket) -> int:
    """Return the code of the close that comes when the server's patience ends, and then answer it."""
    async with asyncio.timeout(5):
        while True:
            opcode, body = await raw.frame()
            if opcode == CLOSE:
                await raw.send(frame(CLOSE, body))
                return int.from_bytes(body[:2])


async def test_a_crowd_that_upgrades_and_says_nothing_is_let_go(witness: Witness) -> None:
    async with contextlib.AsyncExitStack() as crowd:
        sockets = [await crowd.enter_async_context(upgraded(witness.host)) for _ in range(CROWD)]
        codes = await asyncio.gather(*map(told, sockets))
    assert codes == [1008] * CROWD
    await witness.is_well()


@pytest.mark.parametrize(
    "sent",
    [
        frame(PING) * 1_000,
        frame(TEXT, b"{", fin=False) + frame(0, fin=False) * 500,
        b"\x81\xfe",
        b"\x81",
    ],
    ids=["only-pings", "an-endless-message", "half-a-header", "one-byte"],
)
async def test_who_only_pretends_to_speak_is_let_go(witness: Witness, sent: bytes) -> None:
    async with upgraded(witness.host) as raw:
        await raw.send(sent)
        assert await told(raw) == 1008
    await witness.is_well()


async def test_who_speaks_a_byte_at_a_time_is_let_go(witness: Witness) -> None:
    async with upgraded(witness.host) as raw:
        whole = frame(TEXT, b'{"event":"connected","protocol":"Call","version":"1.0.0"}') * 50
        ending = asyncio.create_task(told(raw))
        for at in range(len(whole)):
            await raw.send(whole[at : at + 1])
            if (await asyncio.wait({ending}, timeout=0.02))[0]:
                break
        assert await ending == 1008
    await witness.is_well()


async def test_requests_that_are_never_finished_take_nobody_elses_place(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-3: they hold no call, no row and no agent, and are let go in their time."""
    monkeypatch.setattr(requests, "HEAD_S_MAX", 2.0)
    rows = len(await witness.front.journal.open_calls())
    async with contextlib.AsyncExitStack() as crowd:
        silent = [await crowd.enter_async_context(connected(witness.host)) for _ in range(CROWD)]
        halves = [await crowd.enter_async_context(connected(witness.host)) for _ in range(CROWD)]
        for at, raw in enumerate(halves):
            await raw.send(request()[: 3 * at])
        async with upgraded(witness.host) as one:
            await witness.start(one)
        await witness.is_well()
        for raw in silent + halves:
            async with asyncio.timeout(5):
                answer = await raw.reader.read()
            assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
    assert len(await witness.front.journal.open_calls()) == rows + 1
