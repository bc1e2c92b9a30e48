"""An event loop in a thread of its own, so that a test may be an ordinary function.

A loop can be asked to do something, and it can be halted: from that moment none of its code runs, as in
a process that was killed.
"""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

WITHIN_MS = 20_000  # whatever a test waits for has a shorter limit of its own
JOIN_S_MAX = 10.0  # cancelled tasks end at once; one that doesn't must not hang the test run
ROUNDS_MAX = 5  # what is cancelled may leave a little work behind, and that a little more

T = TypeVar("T")


class LoopThread:
    """Runs until it is halted."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._last_act: Callable[[], None] = _nothing
        self._is_halted = self._has_ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def ident(self) -> int | None:
        """The thread's number, as log records have it."""
        return self._thread.ident

    def do(self, work: Coroutine[Any, Any, T], *, within_ms: int = WITHIN_MS) -> T:
        """Run `work` on the loop and return what it returns; TimeoutError when it takes too long."""
        assert threading.current_thread() is not self._thread, "the loop can't wait for itself"
        if self._is_halted or self._has_ended:
            work.close()
            raise RuntimeError("this server was stopped")
        asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return asked.result(within_ms / 1_000)
        except concurrent.futures.TimeoutError:
            asked.cancel()
            raise

    def halt(self, last_act: Callable[[], None]) -> None:
        """Stop the loop between two steps, call `last_act`, and let go of all that it was doing.

        What was under way is cancelled after `last_act`, which must see to it that it harms nobody.
        """
        if not self._is_halted:
            self._is_halted = True
            self._last_act = last_act
            with contextlib.suppress(RuntimeError):  # it may have ended by itself
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(JOIN_S_MAX)

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        except (SystemExit, KeyboardInterrupt):
            self._has_ended = True  # what would have ended a program ends what runs here
        self._loop.set_exception_handler(lambda *_: None)  # what falls over now falls over unheard
        self._last_act()
        for _ in range(ROUNDS_MAX):
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.wait(tasks) if tasks else asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


def _nothing() -> None:
    """Do nothing."""
