import pytest

from tests.web.front import CALL, Front, ring

pytestmark = pytest.mark.asyncio


async def test_a_call_status_callback_ends_the_call_once(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    for status in ("in-progress", "completed", "completed", "ringing"):
        answer = await front.hook("/callbacks/call", ring(CallStatus=status))
        assert answer.status_code == 204
    assert [type(fact).__name__ for fact in await front.facts()] == ["CallOpened", "CallEnded"]


async def test_callbacks_about_unknown_calls_store_nothing(front: Front) -> None:
    assert (await front.hook("/callbacks/call", ring(CallStatus="completed"))).status_code == 204
    stream = {"CallSid": CALL, "StreamSid": "MZ1", "StreamEvent": "stream-error"}
    assert (await front.hook("/callbacks/stream", stream)).status_code == 204
    assert await front.journal.open_calls() == ()
