import pytest

from service.call import events as e
from service.session.kept.ring_backs import number_name
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


def broke(stream_sid: str = "MZ1", code: str = "31924") -> dict[str, str]:
    return {
        "CallSid": CALL, "StreamSid": stream_sid, "StreamEvent": "stream-error",
        "StreamErrorCode": code,
    }  # fmt: skip


async def test_a_stream_error_that_comes_to_another_server_is_written_once_for_its_holder(
    front: Front,
) -> None:
    """O-3."""
    await front.hook("/twiml/voice", ring())
    for _ in range(2):
        assert (await front.hook("/callbacks/stream", broke())).status_code == 204
    assert (await front.facts())[1:] == [e.StreamError(stream_sid="MZ1", code=31924)]


async def test_a_stream_error_may_name_no_stream(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    assert (await front.hook("/callbacks/stream", broke("", "?"))).status_code == 204
    assert len(await front.facts()) == 2


async def test_a_call_that_we_ended_is_not_found_by_its_caller_any_more(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    name = number_name("+15550001")
    await front.parts.ring_backs.remember(CALL, name)
    await front.write(e.EndingPlanned(ending="hangup"))
    await front.hook("/callbacks/call", ring(CallStatus="completed"))
    later_ms = front.parts.clock.now_ms() + 1_000
    assert await front.journal.recall(name, now_ms=later_ms) is None
