"""A lane: one thread, one side of the SQLite file, one queue. It keeps the disk off the event loop.

    run(job) ──> queue ──> [ begin · job · job · job … · commit ] ──> the waiting callers, all at once

1.  All jobs that wait at a moment go into one transaction: one fsync for many appends. Each job checks
    its own fence, position and key, and answers with a value.
2.  What was accepted is finished, even when its caller was cancelled meanwhile or the lane closes.
3.  A fault of the store fails the group's callers with StoreUnavailable; the thread goes on, and the
    next group tries afresh. A job that fails by itself (a damaged call, a bug) is found by running
    each alone, so that it does not take its neighbours with it.
4.  A lane serves one event loop.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from service.errors import StoreUnavailable
from service.journal.sqlite.storefile import StoreFile

QUEUE_MAX = 4_096  # orders that wait: 2 s of 2,000 writes/s, as long as a lock is waited for
GROUP_MAX = 256  # orders in one transaction: about 5 ms of work, so none waits long for the others

logger = logging.getLogger(__name__)

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]


@dataclass(slots=True)
class _Order:
    """A job, who waits for it, in which scope, and how it came out. No job means: scrub the file."""

    job: Job[Any] | None
    future: asyncio.Future[Any]
    call_sid: str
    result: Any = None
    error: BaseException | None = None
    scope: Context = field(default_factory=copy_context)


class Lane:
    """Runs jobs on `file` in its own thread; `done` hears of each call that a job was about, and of its answer."""

    def __init__(
        self,
        file: StoreFile,
        *,
        name: str,
        group_max: int = GROUP_MAX,
        done: Callable[[str, object], None] = lambda _sid, _answer: None,
    ) -> None:
        self._file = file
        self._name = name
        self._group_max = group_max
        self._done = done
        self._queue: SimpleQueue[_Order | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    def start(self) -> None:
        """Start the thread, for the running event loop. Starting twice is starting once."""
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._ended = asyncio.Event()
            self._thread = Thread(target=self._serve, name=self._name, daemon=True)
            self._thread.start()

    async def run(self, job: Job[T], *, call_sid: str = "") -> T:
        """Run the job inside a transaction and return its answer. Raises StoreUnavailable.

        Cancelling the wait does not undo the job: it may or may not have run.
        """
        answer: T = await self._wait(job, call_sid)
        return answer

    async def scrub(self) -> bool:
        """See StoreFile.scrub. Raises StoreUnavailable."""
        is_clean: bool = await self._wait(None, "")
        return is_clean

    async def close(self) -> None:
        """Finish what was accepted, close the file, end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None and self._ended is not None:
            self._queue.put(None)
            await self._ended.wait()
            thread.join()

    async def _wait(self, job: Job[Any] | None, call_sid: str) -> Any:
        if self._thread is None:
            raise StoreUnavailable("The journal is not started, or closed.")
        if self._queue.qsize() >= QUEUE_MAX:
            raise StoreUnavailable(f"{QUEUE_MAX} writes wait for the journal's file already.")
        future = asyncio.get_running_loop().create_future()
        self._queue.put(_Order(job, future, call_sid))
        return await future

    def _serve(self) -> None:
        is_open = True
        while is_open:
            orders, is_open = self._take()
            jobs = [order for order in orders if order.job is not None]
            if jobs:
                self._settle(jobs)
            for order in orders:
                if order.job is None:
                    self._scrub(order)
            self._report(orders)
        self._file.close()
        assert self._ended is not None
        self._tell(self._ended.set)

    def _take(self) -> tuple[list[_Order], bool]:
        """Wait for an order, then take all that stand behind it. False at the end of the lane."""
        orders: list[_Order] = []
        order = self._queue.get()
        while order is not None:
            orders.append(order)
            if len(orders) == self._group_max:
                return orders, True
            try:
                order = self._queue.get_nowait()
            except Empty:
                return orders, True
        return orders, False

    def _settle(self, orders: list[_Order]) -> None:
        try:
            connection = self._file.begin()
            for order in orders:
                assert order.job is not None
                order.result = order.job(connection)
            self._file.commit(connection)
        except StoreUnavailable as error:
            self._fail(orders, error)
        except sqlite3.OperationalError as error:
            self._fail(orders, self._file.give_up(error))
        except Exception as error:  # noqa: BLE001 - told below, in the scope of whoever asked
            self._file.roll_back()
            if len(orders) > 1:
                for order in orders:
                    self._settle([order])
            elif isinstance(error, sqlite3.Error):
                self._fail(orders, self._file.give_up(error))
            else:
                orders[0].scope.run(_tell_fault, error)
                self._fail(orders, error)

    def _scrub(self, order: _Order) -> None:
        try:
            order.result = self._file.scrub()
        except sqlite3.Error as error:
            self._fail([order], self._file.give_up(error))

    def _fail(self, orders: list[_Order], error: BaseException) -> None:
        for order in orders:
            order.error = error

    def _report(self, orders: list[_Order]) -> None:
        if orders:
            self._tell(lambda: self._deliver(orders))

    def _deliver(self, orders: list[_Order]) -> None:
        for order in orders:
            if not order.future.done():
                if order.error is None:
                    order.future.set_result(order.result)
                else:
                    order.future.set_exception(order.error)
            self._done(order.call_sid, order.result)

    def _tell(self, news: Callable[[], None]) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(news)
        except RuntimeError:
            # The loop was closed before the journal was: nobody is left to hear it.
            logger.debug("= nobody waits for the journal", extra={"action": "journal_unheard"})


def _tell_fault(error: Exception) -> None:
    logger.error("! a job failed", exc_info=error, extra={"action": "journal_job_failed"})
