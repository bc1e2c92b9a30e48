import asyncio

import pytest

from service.journal.behind.reach import attempted, in_time

pytestmark = pytest.mark.asyncio


async def test_what_is_answered_within_the_deadline_is_in_time() -> None:
    async def soon() -> int:
        await asyncio.sleep(0)
        return 7

    attempt = attempted(soon())
    assert await in_time(attempt, 5)
    assert attempt.result() == 7


async def test_what_is_late_goes_on_and_its_failure_is_no_news() -> None:
    may_end = asyncio.Event()

    async def late() -> None:
        await may_end.wait()
        raise RuntimeError("nobody hears it")

    attempt = attempted(late())
    assert not await in_time(attempt, 0.001)
    may_end.set()
    await asyncio.wait({attempt})


async def test_a_loop_that_was_busy_itself_does_not_make_the_store_late() -> None:
    """O-7: the answer was there; only nobody had time to read it."""
    loop = asyncio.get_running_loop()
    ours = asyncio.Event()
    theirs: asyncio.Future[None] = loop.create_future()

    async def asks() -> None:
        ours.set()
        await theirs

    attempt = attempted(asks())
    await ours.wait()

    def stall() -> None:
        due_s = loop.time() + 0.05
        while loop.time() < due_s:
            pass
        loop.call_soon(lambda: loop.call_soon(theirs.set_result, None))

    loop.call_soon(stall)
    assert await in_time(attempt, 0.01)
