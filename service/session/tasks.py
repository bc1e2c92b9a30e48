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

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run `work` in the background."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finish)
        return task

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
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
