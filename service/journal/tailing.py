"""Tails: the backlog, then what comes, without gap or duplicate.

    append ──> ring(call) ─┬> ear    (a session's: looks when there is more than it knows)
                           └> bell ──┐
                                     v
    follow:   silence the bell ─> read a page ─> yield its records ─┬─ more? read on
                     ^                                              └─ wait for the bell ─┐
                     └────────────────────────────────────────────────────────────────────┘

1.  A bell carries no record: it only says "look again". What is yielded always comes from the store,
    in order, so a lost or doubled ring makes neither gap nor duplicate.
2.  The bell is silenced *before* the page is read. An append that the page missed rings afterwards.
3.  A slow reader holds at most one page, whatever happens to the call meanwhile.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import msgspec

from service.journal.limits import position_within
from service.journal.values import Ear, Gone, Record, Reset
from service.waiting import Flag


class Page(msgspec.Struct, frozen=True):
    """Records after a position, at most PAGE_RECORDS, and how far the call's journal goes."""

    incarnation: str
    head: int
    records: tuple[Record, ...]


ReadPage = Callable[[str, int], Awaitable[Page | None]]


class Bells:
    """Who waits for news of which call, in this process."""

    def __init__(self) -> None:
        self._ears: dict[str, dict[Ear, None]] = {}  # told in the order they came
        self._stir = Flag()

    def listen(self, call_sid: str, ear: Ear) -> Callable[[], None]:
        """Have `ear` told of news of the call; what is returned ends that."""
        self._ears.setdefault(call_sid, {})[ear] = None
        self._stir.set()
        return partial(self._leave, call_sid, ear)

    def _leave(self, call_sid: str, ear: Ear) -> None:
        ears = self._ears[call_sid]
        del ears[ear]
        if not ears:
            del self._ears[call_sid]
            self._stir.set()

    @contextmanager
    def hang(self, call_sid: str) -> Iterator[Flag]:
        """Give a bell that rings at news of the call, and take it down at the end."""
        bell = Flag()
        leave = self.listen(call_sid, lambda _head: bell.set())
        try:
            yield bell
        finally:
            leave()

    def ring(self, call_sid: str, head: int | None = None) -> None:
        """Tell of news of the call, whose journal goes as far as `head`, where that is known."""
        for ear in self._ears.get(call_sid, ()):
            ear(head)

    def ring_all(self) -> None:
        """Tell everybody: news may have been missed."""
        for call_sid in self._ears:
            self.ring(call_sid)

    def calls(self) -> tuple[str, ...]:
        """Return the calls that somebody listens to."""
        return tuple(self._ears)

    async def changed(self, known: frozenset[str]) -> None:
        """Wait until the calls that somebody listens to are others than `known`. For one waiter only."""
        while frozenset(self._ears) == known:
            self._stir.clear()
            await self._stir.wait()


async def follow(
    bells: Bells,
    read_page: ReadPage,
    call_sid: str,
    *,
    incarnation: str | None,
    after: int,
    recheck_ms: int,
) -> AsyncGenerator[Record | Reset | Gone, None]:
    """Yield what Journal.tail promises. A bell may stay silent `recheck_ms`, then we look anyway."""
    after = position_within(after)
    with bells.hang(call_sid) as bell:
        while True:
            bell.clear()
            page = await read_page(call_sid, after)
            if page is None:
                break
            known = incarnation or page.incarnation
            incarnation = page.incarnation
            if known != incarnation or after > page.head:
                after = 0
                yield Reset(incarnation)
                continue
            for record in page.records:
                after = record.position
                yield record
            if after >= page.head:
                await _heard(bell, recheck_ms)
    yield Gone()  # with the bell taken down: nobody need come back for it


async def _heard(bell: Flag, recheck_ms: int) -> None:
    try:
        async with asyncio.timeout(recheck_ms / 1_000):
            await bell.wait()
    except TimeoutError:
        return
