"""A few threads, shared fairly by all calls.

    call A: [job, job, job] --+
    call B: [job] ------------+-- in turn, one job a call --> threads
    call C: [job] ------------+
    guesses, by call: [job] --+-- when nothing else waits

Rules this file keeps:
1. Fair: the threads take one job from each call in turn, the call that waits longest first, and a call
   that has a thread already only when no other waits. So a call with a long text delays the others by one
   clause, not by the text.
2. What somebody waits for goes before what is only a guess.
3. Bounded: so many jobs a call, so many in all; one more is refused at once.
4. What nobody wants any more is not begun. What runs is let finish: an engine can't be stopped.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from itertools import chain
from typing import Any, TypeAlias, TypeVar

from service.errors import SpeechError

JOBS_A_CALL_MAX = 16  # a reply of 16 clauses is a minute of speech
JOBS_MAX = 512  # at 30 ms a job two threads clear this in 8 s; longer than that nobody waits

T = TypeVar("T")
_Row: TypeAlias = OrderedDict[str, deque["_Job"]]


class _Job:
    """One piece of work and the future that its asker waits on."""

    def __init__(self, work: Callable[[], Any], answer: asyncio.Future[Any]) -> None:
        self.work = work
        self.answer = answer

    def settle(self, outcome: Any, error: BaseException | None) -> None:
        """Pass the outcome on, unless nobody waits any more."""
        if self.answer.done():
            return
        if error is not None:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(outcome)

    def give_up(self, within_ms: int) -> None:
        """It is not done in time."""
        self.settle(None, SpeechError(f"The speech engines did not finish within {within_ms} ms."))


class Crew:
    """Threads for one kind of work, and who waits for them. For use on one event loop."""

    def __init__(self, threads: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._threads = self._free = threads
        self._wanted: _Row = OrderedDict()
        self._guesses: _Row = OrderedDict()
        self._served: Counter[str] = Counter()  # the calls that have threads
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many jobs wait for a thread."""
        return sum(len(jobs) for row in self._rows for jobs in row.values())

    @property
    def _rows(self) -> tuple[_Row, _Row]:
        return self._wanted, self._guesses

    @property
    def running(self) -> int:
        """How many jobs have a thread."""
        return self._threads - self._free

    async def close(self) -> None:
        """Refuse what waits, let what runs finish, end the threads. Closing twice is harmless."""
        self._is_closed = True
        for row in self._rows:
            for job in chain.from_iterable(row.values()):
                if not job.answer.done():
                    job.answer.set_exception(SpeechError("The speech engines are shutting down."))
            row.clear()
        await asyncio.to_thread(self._executor.shutdown)

    async def ask(
        self, call: str, work: Callable[[], T], within_ms: int, *, is_guess: bool = False
    ) -> T:
        """Have a thread do the work for a call, and return what it gives.

        A job that nobody wants any more is taken out again. Raises SpeechError when there is no room,
        or when it is not done in `within_ms`.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        job = _Job(partial(copy_context().run, work), answer)
        row = self._guesses if is_guess else self._wanted
        self._queue(row, call, job)
        self._start()
        timer = loop.call_later(within_ms / 1_000, job.give_up, within_ms)
        try:
            return await answer
        finally:
            timer.cancel()
            _forget(row, call, job)

    def _queue(self, row: _Row, call: str, job: _Job) -> None:
        if self._is_closed:
            raise SpeechError("The speech engines are shut down.")
        if self.waiting >= JOBS_MAX:
            raise SpeechError(f"The speech engines are {JOBS_MAX} jobs behind; no more are taken.")
        jobs = row.setdefault(call, deque())
        if len(jobs) >= JOBS_A_CALL_MAX:
            raise SpeechError(f"This call has {JOBS_A_CALL_MAX} jobs waiting; no more are taken.")
        jobs.append(job)

    def _start(self) -> None:
        """Give every free thread the next job of the call whose turn it is."""
        while self._free and (row := self._wanted or self._guesses):
            call = next((call for call in row if call not in self._served), next(iter(row)))
            jobs = row.pop(call)
            job = jobs.popleft()
            if jobs:
                row[call] = jobs
            if not job.answer.done():  # its asker may have given up a moment ago
                self._run(call, job)

    def _run(self, call: str, job: _Job) -> None:
        self._free -= 1
        self._served[call] += 1
        self._executor.submit(self._work, asyncio.get_running_loop(), call, job)

    def _work(self, loop: asyncio.AbstractEventLoop, call: str, job: _Job) -> None:
        """In a thread: do the job, and have the loop told."""
        finished = partial(self._finished, call, job)
        try:
            outcome = job.work()
        except BaseException as trouble:  # noqa: BLE001 - whoever asked is told, whatever it is
            loop.call_soon_threadsafe(finished, None, trouble)
        else:
            loop.call_soon_threadsafe(finished, outcome, None)

    def _finished(self, call: str, job: _Job, outcome: Any, error: BaseException | None) -> None:
        self._free += 1
        self._served[call] -= 1
        if not self._served[call]:
            del self._served[call]
        if not self._is_closed:
            self._start()
        job.settle(outcome, error)


def _forget(row: _Row, call: str, job: _Job) -> None:
    jobs = row.get(call)
    if jobs is not None and job in jobs:
        jobs.remove(job)
        if not jobs:
            del row[call]
