"""All calls at a glance, as they change: one look a second in a process, however many watch.

    open_calls ──once a second──> Cards ──> bells ──> each watcher: what differs from what it was told

A watcher is told the newest state when it is ready for more, never what was in between. So a slow one
costs one version number a call, and no call waits for anybody.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from service import scope
from service.web.reading.cards import Cards, Search

LOOK_S = 1.0  # between two looks: people don't read faster, and a look asks the store for all calls

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class News:
    """One event for a watcher: board, call, gone, or what `post` named."""

    event: str
    told: dict[str, Any]


class Board:
    """Tells watchers what changes. It looks only while somebody watches."""

    def __init__(self, cards: Cards, *, look_s: float = LOOK_S) -> None:
        self._cards = cards
        self._look_s = look_s
        self._bells: set[asyncio.Event] = set()
        self._posted: dict[str, dict[str, Any]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._bells)

    def post(self, event: str, told: dict[str, Any]) -> None:
        """Tell all watchers something else. Of each event only the newest is kept for the slow."""
        self._posted[event] = told

    async def watch(self, search: Search) -> AsyncGenerator[News, None]:
        """Yield all that is wanted first, then each change of it. Close it, and it costs nothing."""
        bell = asyncio.Event()
        self._bells.add(bell)
        try:
            if self._looking is None:
                self._looked.clear()
                self._looking = asyncio.create_task(self._look(), context=scope.of_nobody())
            await self._looked.wait()
            seen = {one.call_sid: one.version for one in self._cards.found(search)}
            posted: dict[str, dict[str, Any]] = {}
            yield News("board", {"calls": [one.shown for one in self._cards.found(search)]})
            while True:
                for news in (*self._changes(search, seen), *self._notices(posted)):
                    yield news
                await bell.wait()
                bell.clear()
        finally:
            self._bells.discard(bell)
            if not self._bells and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    def _changes(self, search: Search, seen: dict[str, tuple[str, int]]) -> list[News]:
        """Return what a watcher was not told yet, and note that it is told now."""
        now = {one.call_sid: one for one in self._cards.found(search)}
        gone = [News("gone", {"call_sid": sid}) for sid in seen if sid not in now]
        changed = [one for sid, one in now.items() if seen.get(sid) != one.version]
        seen.clear()
        seen.update((sid, one.version) for sid, one in now.items())
        return [*gone, *(News("call", one.shown) for one in changed)]

    def _notices(self, posted: dict[str, dict[str, Any]]) -> list[News]:
        fresh = {
            event: told for event, told in self._posted.items() if posted.get(event) is not told
        }
        posted.update(fresh)
        return [News(event, told) for event, told in fresh.items()]

    async def _look(self) -> None:
        """Look again and again. A look that fails is logged; the next one may not."""
        while True:
            try:
                await self._cards.glance()
            except Exception:  # noqa: BLE001 - one bad look must not leave all watchers in the dark
                _log.exception("! the board can't look", extra={"action": "board_failed"})
            self._looked.set()
            for bell in self._bells:
                bell.set()
            await asyncio.sleep(self._look_s)
