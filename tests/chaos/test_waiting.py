import pytest

from service.chaos.waiting import until

pytestmark = pytest.mark.asyncio


async def test_it_looks_until_it_holds() -> None:
    answers = iter([False, False, True])
    assert await until(lambda: next(answers), within_s=5, look_s=0.001)


async def test_an_answer_may_be_waited_for() -> None:
    async def holds() -> bool:
        return True

    assert await until(holds, within_s=5)


async def test_what_never_holds_is_told_and_ends_nothing() -> None:
    assert not await until(lambda: False, within_s=0.02, look_s=0.001)
