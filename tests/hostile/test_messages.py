"""Media messages made bad by chance: dropped one by one, on a call that goes on."""

import asyncio
import base64
import contextlib
import random
from functools import partial
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.conftest import wait_until
from tests.hostile.conftest import Witness, start
from tests.hostile.mutation import bent, flipped, written
from tests.web.front import ACCOUNT, Stream, stream

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE = 20  # seeds of one socket
IN_THE_MIDDLE = range(0, 800, AT_ONCE)
AT_THE_START = range(0, 300, AT_ONCE)
REFUSED = (1000, 1008)
MESSAGES: list[dict[str, Any]] = [
    {"event": "connected", "protocol": "Call", "version": "1.0.0"},
    {"event": "media", "sequenceNumber": "3", "streamSid": "MZ", "media": {"track": "inbound", "chunk": "1", "timestamp": "5", "payload": base64.b64encode(b"\xff" * 160).decode()}},
    {"event": "dtmf", "sequenceNumber": "5", "streamSid": "MZ", "dtmf": {"track": "inbound_track", "digit": "1"}},
    {"event": "mark", "sequenceNumber": "4", "streamSid": "MZ", "mark": {"name": "e1.p1.160"}},
    {"event": "start", "sequenceNumber": "1", "streamSid": "MZ", "start": {"accountSid": ACCOUNT, "streamSid": "MZ", "callSid": "CA", "tracks": ["inbound"], "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}, "customParameters": {"client_name": "", "token": "x"}}},
]  # fmt: skip


def one_bad(seed: int) -> str:
    """Return one message of the seed; it may be a good one by chance, but it is never a stop."""
    rng = random.Random(seed)
    return written(rng, bent(rng, rng.choice(MESSAGES))).replace("stop", "stoq")


async def speaks(witness: Witness, line: Stream, call_sid: str) -> None:
    """See that the call of a line still takes a key."""
    session = witness.front.parts.switchboard.find(call_sid)
    assert session is not None
    for digit in "*7":  # the star takes back what was typed by chance
        await line.send("dtmf", dtmf={"digit": digit})
    await wait_until(lambda: session.call.digits_pending == "7", description="a key is noted")
    assert session.call.phase == "live"


@pytest.mark.parametrize("first", IN_THE_MIDDLE)
async def test_bad_messages_in_the_middle_of_a_call_end_nothing(
    witness: Witness, first: int
) -> None:
    call_sid = f"CAbent{first}"
    token = await witness.front.token(CallSid=call_sid)
    async with stream(witness.host, f"MZ{call_sid}") as line:
        await line.start(token, call_sid=call_sid)
        await line.hear("mark")
        for seed in range(first, first + AT_ONCE):
            await line.socket.send(one_bad(seed).replace("MZ", line.stream_sid))
        await speaks(witness, line, call_sid)
    await witness.over(call_sid)
    await witness.is_well()


@pytest.mark.parametrize("first", AT_THE_START)
async def test_bad_starts_open_no_call_but_their_own(witness: Witness, first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        rng = random.Random(seed)
        call_sid = f"CAstart{seed}"
        token = await witness.front.token(CallSid=call_sid)
        good = start(call_sid, token)
        async with stream(witness.host, f"MZ{call_sid}") as line:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(10):
                    await line.socket.send(flipped(rng, good).decode(errors="replace"))
            closing = asyncio.create_task(line.closed())
            await wait_until(
                partial(_is_settled, witness, call_sid, closing), description=f"{seed}"
            )
            if not closing.done():  # by chance it was a good one
                await line.socket.close()
            assert (await closing)[0] in REFUSED, f"seed {seed}"
    await witness.is_well()


def _is_settled(witness: Witness, call_sid: str, closing: asyncio.Task[tuple[int, str]]) -> bool:
    return closing.done() or witness.front.parts.switchboard.find(call_sid) is not None
