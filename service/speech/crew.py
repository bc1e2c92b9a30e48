"""A few threads, shared fairly by all calls.

    call A: [job, job, job] --+
    call B: [job] ------------+-- in turn, one job a call --> threads
    call C: [job] ------------+

Fair: the threads take one job from each call in turn, so a call with a long text delays the others by
one clause, not by the text. Bounded: so many jobs a call, so many in all; one more is refused at once.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from service.errors import SpeechError

JOBS_A_CALL_MAX = 16  # a reply of 16 clauses is a minute of speech
JOBS_MAX = 512  # at 30 ms a job two threads clear this in 8 s; longer than that nobody waits

T = TypeVar("T")


class _Job:
    """One piece of work and the future that its asker waits on."""

    def __init__(self, work: Callable[[], Any], answer: asyncio.Future[Any]) -> None:
        self.work = work
        self.answer = answer

    def settle(self, done: asyncio.Future[Any]) -> None:
        """Pass the outcome on, unless nobody waits any more."""
        error = done.exception()
        if self.answer.done():
            return
        if error is not None:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(done.result())


class Crew:
    """Threads for one kind of work, and who waits for them. For use on one event loop."""

    def __init__(self, threads: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads
        self._waiting: OrderedDict[str, deque[_Job]] = OrderedDict()
        self._running: set[asyncio.Future[Any]] = set()
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many jobs wait for a thread."""
        return sum(map(len, self._waiting.values()))

    @property
    def running(self) -> int:
        """How many jobs have a thread."""
        return len(self._running)

    async def close(self) -> None:
        """Refuse what waits, let what runs finish, end the threads. Closing twice is harmless."""
        self._is_closed = True
        for jobs in self._waiting.values():
            for job in jobs:
                if not job.answer.done():
                    job.answer.set_exception(SpeechError("The speech engines are shutting down."))
        self._waiting.clear()
        if self._running:
            await asyncio.wait(self._running)
        await asyncio.to_thread(self._executor.shutdown)

    async def ask(self, call: str, work: Callable[[], T], within_ms: int) -> T:
        """Have a thread do the work for a call, and return what it gives.

        A job that nobody wants any more is taken out again. Raises SpeechError when there is no room,
        or when it is not done in `within_ms`.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        job = _Job(work, answer)
        self._queue(call, job)
        self._start()
        try:
            async with asyncio.timeout(within_ms / 1_000):
                return await answer
        except TimeoutError:
            raise SpeechError(f"The speech engines did not finish within {within_ms} ms.") from None
        finally:
            self._forget(call, job)

    def _queue(self, call: str, job: _Job) -> None:
        if self._is_closed:
            raise SpeechError("The speech engines are shut down.")
        if self.waiting >= JOBS_MAX:
            raise SpeechError(f"The speech engines are {JOBS_MAX} jobs behind; no more are taken.")
        jobs = self._waiting.setdefault(call, deque())
        if len(jobs) >= JOBS_A_CALL_MAX:
            raise SpeechError(f"This call has {JOBS_A_CALL_MAX} jobs waiting; no more are taken.")
        jobs.append(job)

    def _start(self) -> None:
        """Give every free thread the next job of the call whose turn it is."""
        while self._free and self._waiting:
            call, jobs = self._waiting.popitem(last=False)
            job = jobs.popleft()
            if jobs:
                self._waiting[call] = jobs
            if not job.answer.done():  # its asker may have given up a moment ago
                self._run(job)

    def _run(self, job: _Job) -> None:
        self._free -= 1
        done = asyncio.get_running_loop().run_in_executor(self._executor, job.work)
        self._running.add(done)
        done.add_done_callback(self._finished)
        done.add_done_callback(job.settle)

    def _finished(self, done: asyncio.Future[Any]) -> None:
        self._running.discard(done)
        self._free += 1
        if not self._is_closed:
            self._start()

    def _forget(self, call: str, job: _Job) -> None:
        jobs = self._waiting.get(call)
        if jobs is not None and job in jobs:
            jobs.remove(job)
            if not jobs:
                del self._waiting[call]
