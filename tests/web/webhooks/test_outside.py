import pytest

from service.call import events as e
from service.errors import StoreUnavailable
from service.journal.values import Reading, Record
from service.web.webhooks.outside import Outside, refuse_unless_sure
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


async def test_a_call_that_only_rang_here_without_the_store_is_not_taken_for_new_when_it_comes_back() -> (
    None
):
    """Rule 3; seed 18065 of the simulation."""
    rang = Record(1, 0, 1_000, e.encode(e.CallOpened(call_sid=CALL)))
    taken = Record(2, 1, 1_100, e.encode(e.NoteAdded(text="x")))
    with pytest.raises(StoreUnavailable):
        refuse_unless_sure(Reading("here", 0, 1, None, (rang,)), is_final=False)
    refuse_unless_sure(Reading("here", 0, 1, None, (rang,)), is_final=True)
    refuse_unless_sure(Reading("here", 1, 2, None, (rang, taken)), is_final=False)
