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
    """Runs until it is halted; then `last_act` is called, in this thread, and all work is let go."""

    def __init__(self, name: str, last_act: Callable[[], None]) -> None:
        self._loop = asyncio.new_event_loop()
        self._last_act = last_act
        self._is_running = True
        self._ended_by: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise RuntimeError, with the reason, when it doesn't run any more."""
        if not self._is_running:
            ending = f"ended by {self._ended_by!r}" if self._ended_by else "was stopped"
            raise RuntimeError(f"{self._thread.name} {ending}") from self._ended_by

    def do(self, work: Coroutine[Any, Any, T], *, within_ms: int = WITHIN_MS) -> T:
        """Run `work` on the loop and return what it returns; TimeoutError when it takes too long."""
        assert threading.current_thread() is not self._thread, "the loop can't wait for itself"
        if not self._is_running:
            work.close()
        self.check()
        asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return asked.result(within_ms / 1_000)
        except concurrent.futures.TimeoutError:
            asked.cancel()
            raise

    def halt(self) -> None:
        """Stop the loop between two steps, and return when all is let go. Halting twice is harmless.

        What was under way is cancelled after the last act, which must see to it that it harms nobody.
        """
        with contextlib.suppress(RuntimeError):  # The loop is closed: it ended before.
            self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(JOIN_S_MAX)

    def _stop(self) -> None:
        if self._is_running:
            self._loop.stop()

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as ending:
            self._ended_by = ending  # What would have ended a program ends what runs here.
        self._is_running = False
        self._loop.set_exception_handler(lambda *_: None)  # what falls over now falls over unheard
        self._last_act()
        for _ in range(ROUNDS_MAX):
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.wait(tasks) if tasks else asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
