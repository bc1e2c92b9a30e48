"""An event loop whose clock jumps to the next timer: hours pass in seconds, and twice the same way.

    nothing is ready ──> the clock jumps to the next timer ──> it runs
    a callback belongs to a machine (its context says which) ──> held while that machine stands still

No selector, no sockets, no threads: an executor's work is done at once. Tasks are numbered, and their number
is their hash, so that a set of them is walked through in the same order each time. Futures are plain ones,
which the interpreter waits for much faster: nobody here has more than one of them in a set.
"""

import asyncio
import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

import msgspec
from typing_extensions import TypeVarTuple, override

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

START_S = 1_000.0  # any time but zero, which means "never" here and there
CANCELLED_MAX = 2_000  # timers that were taken back are thrown away when there are so many


class Machine:
    """One server's processor. What is to run on it while it stands still is held."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_still = False
        self.held: list[_Due] = []


MACHINE: ContextVar[Machine | None] = ContextVar("machine", default=None)


class _Task(asyncio.Task[Any]):
    """A task that is its number's hash; it has one from the first time that somebody asks."""

    _number = 0

    @override
    def __hash__(self) -> int:
        self._number = self._number or next(_numbers(self))
        return self._number


def _numbers(one: asyncio.Task[Any]) -> Iterator[int]:
    loop = one.get_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.numbers


class _Due(msgspec.Struct, eq=False):
    """A callback that is due, or will be: what of asyncio's own handles is used, at a fraction of the cost."""

    work: Any
    args: tuple[Any, ...]
    context: Context
    is_off: bool = False

    def cancel(self) -> None:
        self.is_off = True
        self.work, self.args = None, ()

    def cancelled(self) -> bool:
        return self.is_off


class _Timer(_Due, eq=False):
    """A callback that is due at a time of the loop's."""

    when_s: float = 0.0
    loop: Any = None

    @override
    def cancel(self) -> None:
        if not self.is_off:
            super().cancel()
            self.loop.take_back()

    def when(self) -> float:
        return self.when_s


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs callbacks in the order in which they became due.

    `grain_s`: of a busy processor, which looks so seldom at what has become due, and then runs all of it in one
    turn: what others write, what callers do and what a pacer sends fall together as they never do on an idle one.
    """

    def __init__(self, grain_s: float = 0.0) -> None:
        super().__init__()
        self._grain_s = grain_s
        self._now_s = START_S
        self._now_ns = round(START_S * 1e9)
        self.numbers = itertools.count(1)
        self._ready: deque[_Due]  # the standard loop's own, which the type stubs don't show
        self._timers: list[tuple[float, int, _Timer]] = []
        self._turns = itertools.count()  # of two timers that are due at once the older goes first
        self._stopping: bool
        self._taken_back = 0
        self._stills = 0  # machines that stand still
        self.callbacks = 0
        self.set_exception_handler(lambda _loop, _context: None)

    # Much of a run's time goes by here, so these do without what the standard loop checks.

    @override
    def create_task(self, coro: Any, **named: Any) -> asyncio.Task[Any]:
        return _Task(coro, loop=self, **named)

    @override
    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    @override
    def call_soon(  # type: ignore[override] # what is returned has all that is used of a handle
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> _Due:
        due = _Due(callback, args, copy_context() if context is None else context)
        self._ready.append(due)
        return due

    call_soon_threadsafe = call_soon  # type: ignore[assignment] # there are no threads

    @override
    def call_later(  # type: ignore[override] # likewise
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> _Timer:
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    @override
    def call_at(  # type: ignore[override] # likewise
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> _Timer:
        context = copy_context() if context is None else context
        timer = _Timer(callback, args, context, when_s=when, loop=self)
        heapq.heappush(self._timers, (when, next(self._turns), timer))
        return timer

    @override
    def time(self) -> float:
        return self._now_s

    def now_ns(self) -> int:
        """Return the loop's time, to the microsecond."""
        return self._now_ns

    @override
    def run_in_executor(
        self, executor: Any, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as trouble:  # noqa: BLE001 - whatever the work raises is its outcome
            future.set_exception(trouble)
        return future

    def _run_once(self) -> None:
        """Run what is ready; when nothing is, let the time pass until something is. Until stopped."""
        timers, ready = self._timers, self._ready
        while True:
            if not ready:
                self._jump()
            while timers and timers[0][0] <= self._now_s:
                timer = heapq.heappop(timers)[2]
                if not timer.is_off:
                    ready.append(timer)
            turn = tuple(ready)
            ready.clear()
            self.callbacks += len(turn)
            for due in turn:
                if not due.is_off and not (self._stills and self._is_held(due)):
                    due.context.run(due.work, *due.args)
            if self._stopping:
                return

    def _is_held(self, due: _Due) -> bool:
        """Whether what is due stays until its machine goes on."""
        machine = due.context.get(MACHINE)
        if machine is None or not machine.is_still:
            return False
        machine.held.append(due)
        return True

    def _jump(self) -> None:
        timers = self._timers
        while timers and timers[0][2].is_off:
            heapq.heappop(timers)
        if not timers:
            raise RuntimeError("everybody waits for somebody else: nothing will ever happen")
        self._now_s = max(self._now_s, timers[0][0])
        if self._grain_s:
            grains = math.ceil(self._now_s / self._grain_s)
            self._now_s = max(self._now_s, grains * self._grain_s)
        self._now_ns = round(self._now_s * 1e6) * 1_000

    def take_back(self) -> None:
        """A timer was cancelled; it is thrown away with many others."""
        self._taken_back += 1
        if self._taken_back > CANCELLED_MAX:
            self._taken_back = 0
            self._timers[:] = [one for one in self._timers if not one[2].is_off]
            heapq.heapify(self._timers)

    def _process_events(self, _events: Any) -> None:
        """There is no selector that could have any."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""

    def freeze(self, machine: Machine) -> None:
        """Let the machine stand still; what becomes due on it waits."""
        self._stills += not machine.is_still
        machine.is_still = True

    def thaw(self, machine: Machine) -> None:
        """Let it go on, beginning with what became due meanwhile."""
        self._stills -= machine.is_still
        machine.is_still = False
        held, machine.held = machine.held, []
        self._ready.extend(held)

    def on(self, machine: Machine, work: Any, context: Context) -> asyncio.Task[Any]:
        """Run a coroutine on a machine, in a copy of its context."""
        own = context.copy()
        own.run(MACHINE.set, machine)
        return self.create_task(work, context=own)
