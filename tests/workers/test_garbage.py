import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from service.workers import garbage as module
from service.workers.garbage import ENDED_MAX, tend
from tests.conftest import wait_until


class Knot:
    """What only a search through everything finds: it holds itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    yield
    gc.unfreeze()


class Calls:
    """How many calls ended, and how many live."""

    def __init__(self, live: int) -> None:
        self.ended = 7
        self.live = live

    def tended(self) -> asyncio.Task[None]:
        return asyncio.create_task(tend(lambda: self.ended, lambda: self.live))


async def looked() -> None:
    """Let it look several times."""
    for _ in range(5):
        await asyncio.sleep(0.002)


def old_knot() -> "weakref.ref[Knot]":
    """Something that a search of what is new does not find any more."""
    knot = Knot()
    gc.collect(1)
    gc.collect(1)
    return weakref.ref(knot)


@pytest.mark.asyncio
@pytest.mark.usefixtures("quick_looks")
async def test_all_is_gone_through_once_so_many_calls_have_ended() -> None:
    calls = Calls(live=3)
    task = calls.tended()
    await looked()
    knot = old_knot()
    calls.ended += ENDED_MAX - 1
    await looked()
    assert knot() is not None, "too early: others talk"
    calls.ended += 1
    await wait_until(lambda: knot() is None, description="it is found")
    task.cancel()


@pytest.mark.asyncio
@pytest.mark.usefixtures("quick_looks")
async def test_when_nobody_talks_any_more_all_is_gone_through() -> None:
    calls = Calls(live=1)
    task = calls.tended()
    await looked()
    knot = old_knot()
    calls.ended += 1
    await looked()
    assert knot() is not None
    calls.live = 0
    await wait_until(lambda: knot() is None, description="it is found")
    task.cancel()


@pytest.mark.asyncio
@pytest.mark.usefixtures("quick_looks")
async def test_after_a_long_time_all_is_gone_through_though_no_call_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOKS_MAX", 20)
    task = Calls(live=1).tended()
    knot = old_knot()
    await wait_until(lambda: knot() is None, description="it is found")
    task.cancel()


@pytest.mark.asyncio
@pytest.mark.usefixtures("quick_looks")
async def test_what_stays_is_out_of_sight_and_no_search_comes_by_itself_until_the_end() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    task = Calls(live=1).tended()
    await looked()
    assert gc.get_freeze_count() > frozen + 10_000
    assert gc.get_threshold()[2] > 1_000_000
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert gc.get_threshold() == before
