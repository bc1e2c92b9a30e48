import asyncio
import logging
from collections.abc import Sequence

import pytest
from structlog.contextvars import get_contextvars

from service import scope
from service.loop_turn import TURN_MS
from service.speech.ear.batch import BATCH_MAX, Batch
from service.speech.ear.silero import SURE
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


class Caller:
    """A call with windows to be scored; notes what it was answered and told."""

    def __init__(self, name: str, windows: int) -> None:
        self.scorer = name
        self.left = [f"{name}{number}".encode() for number in range(windows)]
        self.answers: list[int] = []
        self.told = 0
        self.told_in: object = None

    @property
    def window(self) -> bytes:
        return self.left[0]

    def answer(self, score: int) -> bool:
        del self.left[0]
        self.answers.append(score)
        return bool(self.left)

    def tell(self) -> None:
        self.told += 1
        self.told_in = get_contextvars()


class Model:
    """Notes which windows it was given in one run; scores each by its last digit."""

    def __init__(self) -> None:
        self.runs: list[list[str]] = []
        self.run_in: object = None
        self.trouble: Exception | None = None

    def score_all(self, asked: Sequence[tuple[str, bytes]]) -> list[int]:
        self.run_in = get_contextvars()
        if self.trouble is not None:
            raise self.trouble
        assert all(window.decode().startswith(name) for name, window in asked)
        self.runs.append([window.decode() for _, window in asked])
        return [int(chr(window[-1])) for _, window in asked]


async def scored(*callers: Caller) -> None:
    await wait_until(lambda: not any(one.left for one in callers), description="all is scored")
    await asyncio.sleep(0)


async def test_what_is_done_for_many_is_in_the_scope_of_none() -> None:
    model = Model()
    batch = Batch(model.score_all)
    callers = []
    for name in ("CA1", "CA2"):
        scope.of_call(name)
        callers.append(Caller(name, 2))
        batch.add(callers[-1])
    await scored(*callers)
    assert model.run_in == {}
    assert [one.told_in for one in callers] == [{}, {}]


async def test_all_that_wait_go_into_one_run() -> None:
    model, callers = Model(), [Caller(name, 1) for name in "ABC"]
    batch = Batch(model.score_all)
    for one in (*callers, callers[0]):
        batch.add(one)
    assert model.runs == []
    await scored(*callers)
    assert model.runs == [["A0", "B0", "C0"]]
    assert [(one.answers, one.told) for one in callers] == [([0], 1)] * 3


async def test_a_call_s_windows_are_scored_in_order_one_a_run() -> None:
    model, long, short = Model(), Caller("A", 3), Caller("B", 1)
    batch = Batch(model.score_all)
    batch.add(long)
    batch.add(short)
    await scored(long, short)
    assert model.runs == [["A0", "B0"], ["A1"], ["A2"]]
    assert (long.answers, long.told) == ([0, 1, 2], 3)


async def test_a_run_is_short_and_who_waits_longest_comes_first() -> None:
    model, many = Model(), [Caller(f"{number:02}-", 2) for number in range(BATCH_MAX + 5)]
    batch = Batch(model.score_all)
    for one in many:
        batch.add(one)
    await scored(*many)
    assert max(map(len, model.runs)) == BATCH_MAX
    order = [window for run in model.runs for window in run]
    assert order[: len(many)] == [f"{one.scorer}0" for one in many]


async def test_a_long_turn_of_the_loop_counts_as_several() -> None:
    """Or windows pile up where the loop is busy, and each call has to score its own."""
    model, many = Model(), [Caller(f"{number:03}-", 1) for number in range(5 * BATCH_MAX)]
    batch, loop = Batch(model.score_all), asyncio.get_running_loop()
    for one in many:
        batch.add(one)
    batch._due_s -= 3 * TURN_MS / 1_000
    runs = loop.create_future()
    loop.call_soon(lambda: runs.set_result(len(model.runs)))
    assert await runs >= 3, "or more, if the machine stood still as well"
    await scored(*many)
    assert len(model.runs) == 5


async def test_when_enough_wait_nobody_waits_for_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.speech.ear.batch.TICK_MS", 3_600_000)
    model, many = Model(), [Caller(f"{number}-", 1) for number in range(BATCH_MAX)]
    batch = Batch(model.score_all)
    for one in many:
        batch.add(one)
    await asyncio.sleep(0)
    assert len(model.runs) == 1


async def test_a_call_that_is_gone_is_not_scored() -> None:
    model, gone, other = Model(), Caller("A", 1), Caller("B", 1)
    batch = Batch(model.score_all)
    batch.add(gone)
    batch.add(other)
    batch.drop(gone)
    batch.drop(gone)
    await scored(other)
    assert model.runs == [["B0"]]
    alone = Caller("C", 1)
    batch.add(alone)
    batch.drop(alone)
    batch.add(other := Caller("D", 1))
    await scored(other)
    assert (gone.answers, alone.answers) == ([], [])


async def test_a_run_that_fails_leaves_nobody_deaf(caplog: pytest.LogCaptureFixture) -> None:
    model, one = Model(), Caller("A", 1)
    model.trouble = RuntimeError("no memory")
    batch = Batch(model.score_all)
    with caplog.at_level(logging.ERROR):
        batch.add(one)
        await scored(one)
    assert one.answers == [SURE]
    assert "can't be scored" in caplog.text
    model.trouble = None
    batch.add(again := Caller("B", 1))
    await scored(again)
    assert again.answers == [0]
