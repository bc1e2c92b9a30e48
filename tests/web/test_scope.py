"""What the doors tell says of which call it is, from the moment that somebody has proved to speak of it."""

import logging

import pytest

from service import scope
from tests.conftest import wait_until
from tests.lines import lines
from tests.web.front import Front, ring, stream

pytestmark = pytest.mark.asyncio

HOOKS = ("/twiml/voice", "/twiml/resume", "/twiml/fallback", "/callbacks/call", "/callbacks/stream")


@pytest.mark.parametrize("path", HOOKS)
async def test_what_is_told_of_a_signed_webhook_says_of_which_call_it_is(
    front: Front, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    call_sid = "CA" + "0f" * 16
    with lines() as told:
        await front.hook(path, ring(CallSid=call_sid, AccountSid="AC" + "ff" * 16))
        assert [one.get("call_sid") for one in told if "action" in one] == [call_sid]
        scope.of_call("")
        await front.hook(path, ring(CallSid="CA" + "1e" * 16), signed="bm9uc2Vuc2U=")
    assert "1e1e" not in str(told), "who signs nothing names no call"


async def test_a_refusal_is_told_of_the_call_once_its_stream_has_proved_that_it_is_its(
    front: Front, host: str
) -> None:
    used = await front.token()
    with lines() as told:
        async with stream(host, "MZ1") as one:
            await one.start(used)
            await one.hear("media")
        for token in ("nonsense", used):
            async with stream(host, "MZ2") as again:
                await again.start(token)
                await again.closed()
    refused = [one for one in told if one.get("action") == "stream_refused"]
    assert ["call_sid" in one for one in refused] == [False, True]


async def test_what_a_stream_brings_later_is_told_of_its_call(
    front: Front, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its messages are taken where the socket is read, and that is done for all calls."""
    caplog.set_level(logging.DEBUG, "service")
    with lines() as told:
        async with stream(host) as one:
            await one.start(await front.token())
            await one.hear("media")
            await one.socket.send("nonsense")
            await wait_until(
                lambda: any(line.get("action") == "message_dropped" for line in told),
                description="it is told of",
            )
    assert all("call_sid" in line for line in told if line.get("action") == "message_dropped")
