"""One thread, one queue: jobs in groups, faults that stay where they belong."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event, current_thread

import pytest

from service import scope
from service.errors import StoreUnavailable
from service.journal.sqlite.lane import GROUP_MAX, QUEUE_MAX, Lane
from service.journal.sqlite.storefile import SQL, StoreFile
from tests.lines import lines


@asynccontextmanager
async def lane_on(path: Path | None) -> AsyncIterator[Lane]:
    lane = Lane(StoreFile(path, writes=True), name="lane")
    lane.start()
    try:
        yield lane
    finally:
        await lane.close()


def tide(connection: sqlite3.Connection) -> int:
    (height,) = connection.execute(SQL["tide"]).fetchone()
    return int(height)


@pytest.mark.asyncio
async def test_jobs_that_wait_together_share_one_transaction() -> None:
    async with lane_on(None) as lane:
        gate = Event()
        holding = asyncio.create_task(lane.run(lambda _: gate.wait()))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(lane.run(tide)) for _ in range(2 * GROUP_MAX)]
        await asyncio.sleep(0)
        gate.set()
        heights = await asyncio.gather(*waiting)
        assert await holding
    first = heights[0]
    assert set(heights) <= {first, first + 1, first + 2}
    assert heights.count(first + 1) >= GROUP_MAX - 1


@pytest.mark.asyncio
async def test_no_job_runs_on_the_event_loop() -> None:
    async with lane_on(None) as lane:
        assert await lane.run(lambda _: current_thread().name) == "lane"
        lane.start()


@pytest.mark.asyncio
async def test_a_job_that_fails_does_not_take_its_neighbours_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)

    def insert(connection: sqlite3.Connection, name: str) -> str:
        connection.execute(SQL["pulse"], (name, 1))
        if name == "bug":
            raise LookupError(name)
        if name == "twice":
            connection.execute("INSERT INTO pulses VALUES ('twice', 2)")
        return name

    async with lane_on(None) as lane:
        names = ("a", "bug", "b", "twice", "c")
        answers = await asyncio.gather(
            *(lane.run(lambda c, name=name: insert(c, name)) for name in names),  # type: ignore[misc]
            return_exceptions=True,
        )
        kept = await lane.run(lambda c: c.execute("SELECT journal FROM pulses").fetchall())
    assert [type(answer) for answer in answers] == [str, LookupError, str, StoreUnavailable, str]
    assert kept == [("a",), ("b",), ("c",)]


@pytest.mark.asyncio
async def test_a_job_that_fails_is_told_of_the_call_that_asked() -> None:
    def bug(_: sqlite3.Connection) -> None:
        raise LookupError

    async with lane_on(None) as lane:
        scope.of_call("CA" + "0f" * 16)
        with lines() as told, pytest.raises(LookupError):
            await lane.run(bug)
    (failed,) = (one for one in told if one.get("action") == "journal_job_failed")
    assert failed["call_sid"] == "CA" + "0f" * 16
    assert str(failed["trace"]).startswith("LookupError:")


@pytest.mark.asyncio
async def test_a_cancelled_caller_stops_nothing() -> None:
    async with lane_on(None) as lane:
        gate, ran = Event(), Event()
        holding = asyncio.create_task(lane.run(lambda _: gate.wait()))
        await asyncio.sleep(0)
        leaving = asyncio.create_task(lane.run(lambda _: ran.set()))
        await asyncio.sleep(0)
        leaving.cancel()
        gate.set()
        await holding
        await lane.run(lambda _: None)
        assert ran.is_set()
        assert leaving.cancelled()


@pytest.mark.asyncio
async def test_a_full_queue_is_refused_at_once() -> None:
    async with lane_on(None) as lane:
        gate = Event()
        waiting = [asyncio.create_task(lane.run(lambda _: gate.wait()))]
        waiting += [
            asyncio.create_task(lane.run(lambda _: True)) for _ in range(QUEUE_MAX + 2 * GROUP_MAX)
        ]
        await asyncio.wait([waiting[-1]])
        gate.set()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, StoreUnavailable)]
    assert "wait for the journal's file already" in str(refused[0])
    assert answers.count(True) + len(refused) == len(answers)
    assert GROUP_MAX <= len(refused) <= 2 * GROUP_MAX


@pytest.mark.asyncio
async def test_a_closed_lane_says_so_and_may_be_started_again(tmp_path: Path) -> None:
    lane = Lane(StoreFile(tmp_path / "calls.db", writes=True), name="lane")
    await lane.close()
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="not started, or closed"):
            await lane.scrub()
        lane.start()
        await lane.run(tide)
        assert await lane.scrub()
        await lane.close()


def test_a_lane_outlives_a_loop_that_ended_before_it(tmp_path: Path) -> None:
    lane = Lane(StoreFile(tmp_path / "calls.db", writes=True), name="lane")
    gate = Event()

    async def leave() -> None:
        lane.start()
        asyncio.get_running_loop().call_soon(gate.set)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lane.run(lambda _: gate.wait()), timeout=0)

    asyncio.run(leave())
    thread = lane._thread
    assert thread is not None
    lane._queue.put(None)
    thread.join(timeout=5)
    assert not thread.is_alive()
