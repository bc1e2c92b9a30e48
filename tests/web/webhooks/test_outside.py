import pytest

from service.call import events as e
from service.web.webhooks.outside import Outside
from tests.web.front import CALL, Front, ring

pytestmark = pytest.mark.asyncio


def outside(front: Front) -> Outside:
    return Outside(front.journal, front.parts.clock)


async def test_of_many_who_write_under_one_key_one_is_first(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    note = e.NoteAdded(text="seen")
    firsts = [await outside(front).is_first(CALL, "seen", note) for _ in range(3)]
    assert firsts == [True, False, False]


async def test_nobody_is_first_in_a_call_that_is_not_there(front: Front) -> None:
    assert not await outside(front).is_first("CA9", "seen", e.NoteAdded(text="seen"))
    assert await outside(front).call("CA9") is None


async def test_a_call_ends_once(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    for status in ("completed", "failed"):
        await outside(front).end(CALL, status)
    call = await outside(front).call(CALL)
    assert call is not None
    assert (call.phase, call.end_reason) == ("ended", "completed")
