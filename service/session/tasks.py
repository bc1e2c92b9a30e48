"""Work beside the sessions: started anywhere, waited for at the end, and never lost in silence."""

import asyncio
import logging
from collections.abc import Coroutine

CLOSE_S_MAX = 2.0  # a drain has waited before, and a platform waits for 30 s in all

_log = logging.getLogger(__name__)


class Tasks:
    """Tasks that outlive the call stack that started them. A failing one is logged and kills nothing."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._named: dict[str, asyncio.Task[None]] = {}

    def start(self, work: Coroutine[None, None, None], name: str = "") -> asyncio.Task[None]:
        """Run `work` in the background, to be found again by its name while it runs."""
        task = asyncio.create_task(work, name=name or None)
        self._running.add(task)
        if name:
            self._named[name] = task
        task.add_done_callback(self._finish)
        return task

    def find(self, name: str) -> asyncio.Task[None] | None:
        """Return the work of this name that was started last, if it still runs."""
        return self._named.get(name)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._named.get(task.get_name()) is task:
            del self._named[task.get_name()]
        if not task.cancelled() and task.exception() is not None:
            _log.error(
                "! background work failed",
                exc_info=task.exception(),
                extra={"action": "task_failed"},
            )

    async def rest(self) -> None:
        """Wait until nothing runs."""
        while self._running:
            await asyncio.wait(self._running)

    async def close(self) -> None:
        """Wait a moment for what runs, then cancel the rest."""
        if self._running:
            await asyncio.wait(self._running, timeout=CLOSE_S_MAX)
        rest = tuple(self._running)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
