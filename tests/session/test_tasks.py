import asyncio

import pytest

from service.session import tasks as module
from service.session.tasks import Tasks
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


async def test_work_is_waited_for_at_the_close() -> None:
    tasks, done = Tasks(), []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append(1)

    task = tasks.start(work())
    await tasks.close()
    assert task.done()
    assert done == [1]


async def test_work_that_fails_is_logged_and_kills_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks = Tasks()

    async def work() -> None:
        raise RuntimeError("a fault")

    task = tasks.start(work())
    await wait_until(lambda: "background work failed" in caplog.text, description="it is logged")
    assert isinstance(task.exception(), RuntimeError)
    await tasks.close()


async def test_work_that_never_ends_is_cancelled_at_the_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CLOSE_S_MAX", 0.01)
    tasks = Tasks()

    async def work() -> None:
        await asyncio.Event().wait()

    task = tasks.start(work())
    await tasks.close()
    assert task.cancelled()
    await tasks.close()


async def test_work_is_found_by_its_name_while_it_runs() -> None:
    tasks, may_end = Tasks(), asyncio.Event()

    async def work() -> None:
        await may_end.wait()

    first = tasks.start(work(), name="a")
    second = tasks.start(work(), name="a")
    assert tasks.find("a") is second
    assert tasks.find("b") is None
    may_end.set()
    await asyncio.gather(first, second)
    await wait_until(lambda: tasks.find("a") is None, description="nothing is at work")
