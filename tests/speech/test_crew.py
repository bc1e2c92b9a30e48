import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.contextvars import get_contextvars

from service import scope
from service.errors import SpeechError
from service.speech.crew import JOBS_A_CALL_MAX, JOBS_MAX, Crew

pytestmark = pytest.mark.asyncio

WITHIN_MS = 5_000


async def test_a_thread_works_in_the_scope_of_whoever_asks() -> None:
    async def ask(call: str) -> object:
        scope.of_call(call)
        return await crew.ask(call, get_contextvars, WITHIN_MS)

    crew = Crew(1, "test")
    found = await asyncio.gather(ask("CA1"), ask("CA2"))
    await crew.close()
    assert list(found) == [{"call_sid": "CA1"}, {"call_sid": "CA2"}]


class Gate:
    """Work that is done only while the gate is open; notes in which order it was begun."""

    def __init__(self) -> None:
        self.opening = threading.Event()
        self.begun: list[str] = []

    def work(self, name: str) -> str:
        self.begun.append(name)
        assert self.opening.wait(10)
        return name


class Desk:
    """A crew at a gate."""

    def __init__(self, threads: int) -> None:
        self.crew = Crew(threads, "test")
        self.gate = Gate()

    async def ask(
        self, name: str, call: str = "", within_ms: int = WITHIN_MS, *, is_guess: bool = False
    ) -> str:
        return await self.crew.ask(call, lambda: self.gate.work(name), within_ms, is_guess=is_guess)

    async def queue(
        self, *jobs: tuple[str, str], is_guess: bool = False
    ) -> list[asyncio.Task[str]]:
        """Ask for (call, name) each, and let every one run up to where it waits."""
        tasks = [
            asyncio.create_task(self.ask(name, call, is_guess=is_guess)) for call, name in jobs
        ]
        for _ in range(2 + len(tasks)):
            await asyncio.sleep(0)
        return tasks


@asynccontextmanager
async def desk(threads: int = 1) -> AsyncIterator[Desk]:
    made = Desk(threads)
    try:
        yield made
    finally:
        made.gate.opening.set()
        await made.crew.close()


async def stopped(work: list[asyncio.Task[str]]) -> None:
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)


async def test_calls_take_turns_however_much_one_of_them_asks() -> None:
    async with desk() as at:
        work = await at.queue(
            ("A", "a0"), ("A", "a1"), ("A", "a2"), ("B", "b1"), ("B", "b2"), ("C", "c1")
        )
        assert (at.crew.running, at.crew.waiting) == (1, 5)
        at.gate.opening.set()
        await asyncio.gather(*work)
        assert at.gate.begun == ["a0", "a1", "b1", "c1", "a2", "b2"]


async def test_of_fifty_calls_none_waits_behind_all_that_one_of_them_asks() -> None:
    async with desk(threads=2) as at:
        work = await at.queue(*(("A", f"a{number}") for number in range(JOBS_A_CALL_MAX)))
        others = [f"b{number}" for number in range(49)]
        work += await at.queue(*((name, name) for name in others))
        at.gate.opening.set()
        await asyncio.gather(*work)
        assert sorted(at.gate.begun[:2]) == ["a0", "a1"]
        late = set(others) - set(at.gate.begun[: 2 + 49 + 1])
        assert len(late) <= 1, "whose thread was kept from it, while the other one worked"


async def test_a_call_that_has_a_thread_comes_behind_those_that_have_none() -> None:
    async with desk() as at:
        work = await at.queue(("A", "a0"), ("B", "b1"))
        work += await at.queue(("A", "a1"))
        at.gate.opening.set()
        await asyncio.gather(*work)
        assert at.gate.begun == ["a0", "b1", "a1"]


async def test_guesses_wait_for_all_that_somebody_waits_for() -> None:
    async with desk() as at:
        work = await at.queue(("A", "running"))
        work += await at.queue(("A", "guess a"), ("B", "guess b"), is_guess=True)
        work += await at.queue(("A", "a"), ("C", "c"))
        assert at.crew.waiting == 4
        work[1].cancel()
        at.gate.opening.set()
        await asyncio.gather(*work, return_exceptions=True)
        assert at.gate.begun == ["running", "a", "c", "guess b"]


async def test_as_many_jobs_run_as_there_are_threads() -> None:
    async with desk(threads=2) as at:
        work = await at.queue(*(("", str(number)) for number in range(5)))
        assert (at.crew.running, at.crew.waiting) == (2, 3)
        at.gate.opening.set()
        assert await asyncio.gather(*work) == ["0", "1", "2", "3", "4"]


async def test_a_thread_goes_on_with_the_next_job_while_the_loop_is_busy() -> None:
    """Or a loop whose turns are long has threads stand idle, and callers unheard."""
    async with desk(threads=2) as at:
        work = await at.queue(*((name, name) for name in "abcdef"))
        last = threading.Event()
        asking = asyncio.create_task(at.crew.ask("last", last.set, WITHIN_MS))
        await asyncio.sleep(0)
        at.gate.opening.set()
        assert last.wait(10), "the loop stands still meanwhile"
        await asyncio.gather(asking, *work)


async def test_a_job_past_its_time_is_an_error_and_is_never_begun() -> None:
    async with desk() as at:
        (first,) = await at.queue(("", "first"))
        with pytest.raises(SpeechError, match="within 1 ms"):
            await at.ask("late", within_ms=1)
        assert at.crew.waiting == 0
        at.gate.opening.set()
        assert await first == "first"
        assert at.gate.begun == ["first"]


async def test_a_running_job_that_is_late_is_let_go_and_its_thread_comes_back() -> None:
    async with desk() as at:
        with pytest.raises(SpeechError, match="within 20 ms"):
            await at.ask("slow", within_ms=20)
        assert at.crew.running == 1
        at.gate.opening.set()
        assert await at.ask("next") == "next"


async def test_a_job_whose_asker_is_cancelled_is_forgotten() -> None:
    async with desk() as at:
        first, second, third = await at.queue(("", "first"), ("", "second"), ("", "third"))
        second.cancel()
        at.gate.opening.set()
        assert await first == "first"
        assert await third == "third"
        assert at.gate.begun == ["first", "third"]


async def test_one_call_may_not_queue_without_end() -> None:
    async with desk() as at:
        work = await at.queue(*(("A", str(number)) for number in range(1 + JOBS_A_CALL_MAX)))
        with pytest.raises(SpeechError, match="This call has 16 jobs waiting"):
            await at.ask("more", "A")
        work += await at.queue(("B", "other"))
        assert at.crew.waiting == JOBS_A_CALL_MAX + 1
        await stopped(work)


async def test_all_calls_together_may_not_queue_without_end() -> None:
    async with desk() as at:
        work = await at.queue(*((str(number), "x") for number in range(1 + JOBS_MAX)))
        with pytest.raises(SpeechError, match="512 jobs behind"):
            await at.ask("more", "new")
        await stopped(work)
        assert at.crew.waiting == 0


async def test_closing_refuses_what_waits_and_what_comes() -> None:
    async with desk() as at:
        running, waiting = await at.queue(("", "running"), ("", "waiting"))
        closing = asyncio.create_task(at.crew.close())
        with pytest.raises(SpeechError, match="shutting down"):
            await waiting
        at.gate.opening.set()
        assert await running == "running"
        await closing
        with pytest.raises(SpeechError, match="are shut down"):
            await at.ask("new")
