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
5. A thread that is done takes the next job by itself. The loop is only told: when each job waited for a turn
   of the loop first, a busy one with turns of 30 ms had the threads stand idle and callers unheard.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from itertools import chain
from threading import Lock
from typing import Any, TypeAlias, TypeVar

from service.errors import SpeechError

JOBS_A_CALL_MAX = 16  # a reply of 16 clauses is a minute of speech
JOBS_MAX = 512  # at 30 ms a job two threads clear this in 8 s; longer than that nobody waits

T = TypeVar("T")
_Row: TypeAlias = OrderedDict[str, deque["_Job"]]


class _Job:
    """One piece of work and the future that its asker waits on."""

    def __init__(self, call: str, work: Callable[[], Any], answer: asyncio.Future[Any]) -> None:
        self.call = call
        self.answer = answer
        self._work = work

    def run(self) -> None:
        """In a thread: do the work, and have whoever asked be told."""
        tell = self.answer.get_loop().call_soon_threadsafe
        try:
            outcome = self._work()
        except BaseException as trouble:  # noqa: BLE001 - whoever asked is told, whatever it is
            tell(self.settle, None, trouble)
        else:
            tell(self.settle, outcome, None)

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
        self._threads = threads
        self._lock = Lock()  # of all below: threads take their jobs by themselves
        self._free = threads
        self._wanted: _Row = OrderedDict()
        self._guesses: _Row = OrderedDict()
        self._served: Counter[str] = Counter()  # the calls that have threads
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many jobs wait for a thread."""
        with self._lock:
            return self._count()

    def _count(self) -> int:
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
        with self._lock:
            self._is_closed = True
            left = [job for row in self._rows for job in chain.from_iterable(row.values())]
            for row in self._rows:
                row.clear()
        for job in left:
            job.settle(None, SpeechError("The speech engines are shutting down."))
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
        job = _Job(call, partial(copy_context().run, work), answer)
        row = self._guesses if is_guess else self._wanted
        with self._lock:
            self._queue(row, job)
            first = self._next() if self._free else None
            if first is not None:
                self._free -= 1
                self._executor.submit(self._serve, first)
        timer = loop.call_later(within_ms / 1_000, job.give_up, within_ms)
        try:
            return await answer
        finally:
            timer.cancel()
            with self._lock:
                _forget(row, job)

    def _queue(self, row: _Row, job: _Job) -> None:
        if self._is_closed:
            raise SpeechError("The speech engines are shut down.")
        if self._count() >= JOBS_MAX:
            raise SpeechError(f"The speech engines are {JOBS_MAX} jobs behind; no more are taken.")
        jobs = row.setdefault(job.call, deque())
        if len(jobs) >= JOBS_A_CALL_MAX:
            raise SpeechError(f"This call has {JOBS_A_CALL_MAX} jobs waiting; no more are taken.")
        jobs.append(job)

    def _serve(self, first: _Job) -> None:
        """In a thread: do one job after the other, while there are any."""
        job: _Job | None = first
        while job is not None:
            job.run()
            with self._lock:
                self._served[job.call] -= 1
                if not self._served[job.call]:
                    del self._served[job.call]
                job = self._next()
                self._free += job is None

    def _next(self) -> _Job | None:
        """Take out the next job of the call whose turn it is."""
        while row := self._wanted or self._guesses:
            job = self._pop(row)
            if not job.answer.done():  # its asker may have given up a moment ago
                self._served[job.call] += 1
                return job
        return None

    def _pop(self, row: _Row) -> _Job:
        call = next((call for call in row if call not in self._served), next(iter(row)))
        jobs = row.pop(call)
        job = jobs.popleft()
        if jobs:
            row[call] = jobs
        return job


def _forget(row: _Row, job: _Job) -> None:
    jobs = row.get(job.call)
    if jobs is not None and job in jobs:
        jobs.remove(job)
        if not jobs:
            del row[job.call]
