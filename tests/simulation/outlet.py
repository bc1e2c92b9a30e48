"""A server's connection to the store, with all that can go wrong on the way there and back.

    asked ──> (away? refused? late) ──> the store does it, in one step ──> copied ──> (the answer is lost?)
                                                 └── a fail-over in between loses it ──┘

What was sent arrives or not whatever becomes of the sender. An answer says that a replica has the write.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any, TypeVar

from typing_extensions import TypeVarTuple

from service.errors import StoreUnavailable
from service.journal.limits import PAGE_RECORDS
from service.journal.tailing import Bells, Page, follow
from service.journal.values import (
    Appended,
    Claim,
    Durability,
    Ear,
    Fenced,
    Gone,
    Headline,
    Known,
    Lease,
    Missing,
    Outcome,
    Reading,
    Record,
    Reset,
    Room,
    Spent,
    Unspendable,
)
from tests.simulation.store import Cabinet

RECHECK_MS = 5_000
AWAY_LOOK_MS = 100  # what waits for a store that is away looks so often whether it is back
HALF = 0.5
REFUSED = 0.7
WAY_MS = 3  # one way takes less, when nothing makes it slow
GIVE_UP_MS = 2_000  # a connection without an answer is given up, as a client library does

T = TypeVar("T")
_Ts = TypeVarTuple("_Ts")


class Weather:
    """How the store is at the moment, for everybody."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.slow_ms = 0
        self.is_away = False  # it answers nobody until it is back, and then does what it was asked
        self.is_refusing = False
        self.loses_answers = False
        self.era = 0  # fail-overs so far

    @property
    def is_fair(self) -> bool:
        """Whether the store answers everybody soon."""
        return not (self.slow_ms or self.is_away or self.is_refusing or self.loses_answers)

    def wait_ms(self) -> int:
        """How long one way takes."""
        return int(self.chance.random() * (WAY_MS + self.slow_ms))


@dataclass(slots=True)
class _Order:
    """Something that the store was asked."""

    work: Callable[[], Any]
    answer: "asyncio.Future[Any]"
    ring: str
    era: int
    until_s: float
    reads: bool

    def fail(self, why: str) -> None:
        if not self.answer.done():
            self.answer.set_exception(StoreUnavailable(why))


class Outlet:
    """See Journal. One per server."""

    def __init__(self, cabinet: Cabinet, weather: Weather, bells: Bells) -> None:
        self.is_dead = False
        self._cabinet = cabinet
        self._weather = weather
        self._bells = bells
        self._outside = Context()  # the store's own machine
        self._loop = asyncio.get_event_loop()

    async def _ask(self, work: Callable[[], T], ring: str = "", *, reads: bool = False) -> T:
        """Have the store do it. Raises StoreUnavailable when no answer comes."""
        weather, loop = self._weather, self._loop
        if self.is_dead or (weather.is_refusing and weather.chance.random() < REFUSED):
            raise StoreUnavailable("the store refuses")
        answer: asyncio.Future[T] = loop.create_future()
        order = _Order(work, answer, ring, weather.era, loop.time() + GIVE_UP_MS / 1_000, reads)
        self._later(weather.wait_ms(), self._arrive, order)
        return await answer

    def _later(self, wait_ms: int, what: Callable[[*_Ts], object], *about: *_Ts) -> None:
        self._loop.call_later(wait_ms / 1_000, what, *about, context=self._outside)

    def _arrive(self, order: "_Order") -> None:
        weather = self._weather
        if weather.era != order.era:
            order.fail("the connection is gone")
            return
        if weather.is_away:
            if self._loop.time() >= order.until_s:
                order.fail("no answer came")
            self._later(AWAY_LOOK_MS, self._arrive, order)
            return
        before = self._cabinet.writes
        try:
            result = order.work()
        except ValueError as trouble:
            order.answer.set_exception(trouble)
            return
        if order.ring and self._cabinet.writes > before:
            self._bells.ring(order.ring, result.position if isinstance(result, Appended) else None)
        if (
            order.reads
        ):  # A reader waits for no copy, and the way back is as good as part of the way there.
            self._answer(order, result)
        else:
            self._later(weather.wait_ms(), self._copied, order, result, self._cabinet.writes)

    def _copied(self, order: "_Order", result: Any, write: int) -> None:
        weather = self._weather
        if weather.era != order.era:
            order.fail("the connection is gone")
            return
        self._cabinet.confirm(write)
        self._answer(order, result)

    def _answer(self, order: "_Order", result: Any) -> None:
        weather = self._weather
        if weather.loses_answers and weather.chance.random() < HALF:
            order.fail("the connection went before the answer came")
        elif not order.answer.done():
            order.answer.set_result(result)

    # The promise.

    async def start(self) -> None:
        return

    async def close(self) -> None:
        return

    async def check(self, *, now_ms: int) -> Durability:
        del now_ms
        return await self._ask(lambda: Durability.REPLICA, reads=True)

    async def open(self, call_sid: str, opening: Sequence[bytes], *, now_ms: int) -> Headline:
        return await self._ask(lambda: self._cabinet.open(call_sid, opening, now_ms), call_sid)

    async def claim(
        self,
        call_sid: str,
        opening: Sequence[bytes],
        *,
        owner: str,
        until_ms: int,
        now_ms: int,
        known: Known | None = None,
        expected: int | None = None,
    ) -> Claim | Fenced:
        return await self._ask(
            lambda: self._cabinet.claim(
                call_sid, opening, owner, until_ms, now_ms, known, expected
            ),
            call_sid,
        )

    async def append(
        self,
        call_sid: str,
        bodies: Sequence[bytes],
        *,
        epoch: int | None,
        after: int | None,
        key: str,
        now_ms: int,
    ) -> Outcome:
        return await self._ask(
            lambda: self._cabinet.append(call_sid, bodies, epoch, after, key, now_ms), call_sid
        )

    async def read(self, call_sid: str, *, after: int = 0) -> Reading | Missing:
        return await self._ask(lambda: self._cabinet.read(call_sid, after), reads=True)

    async def _page(self, call_sid: str, after: int) -> Page | None:
        return await self._ask(
            lambda: self._cabinet.page(call_sid, after, PAGE_RECORDS), reads=True
        )

    async def tail(
        self, call_sid: str, *, incarnation: str | None, after: int
    ) -> AsyncGenerator[Record | Reset | Gone, None]:
        async for item in follow(
            self._bells,
            self._page,
            call_sid,
            incarnation=incarnation,
            after=after,
            recheck_ms=RECHECK_MS,
        ):
            yield item

    def listen(self, call_sid: str, ear: Ear) -> Callable[[], None]:
        return self._bells.listen(call_sid, ear)

    async def snapshot(self, call_sid: str, *, epoch: int, position: int, body: bytes) -> bool:
        return await self._ask(lambda: self._cabinet.snapshot(call_sid, epoch, position, body))

    async def lease(
        self, call_sid: str, *, epoch: int, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        return await self._ask(
            lambda: self._cabinet.lease(call_sid, epoch, owner, until_ms, now_ms)
        )

    async def adopt(
        self, call_sid: str, *, lapsed: Lease | None, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        return await self._ask(
            lambda: self._cabinet.adopt(call_sid, lapsed, owner, until_ms, now_ms)
        )

    async def release(self, call_sid: str, *, epoch: int) -> bool:
        return await self._ask(lambda: self._cabinet.release(call_sid, epoch))

    async def lapsed(self, *, now_ms: int, limit: int) -> tuple[Headline, ...]:
        return await self._ask(lambda: self._cabinet.lapsed(now_ms, limit), reads=True)

    async def remember(self, name: str, call_sid: str, *, ttl_ms: int, now_ms: int) -> None:
        await self._ask(lambda: self._cabinet.remember(name, call_sid, ttl_ms, now_ms))

    async def recall(self, name: str, *, now_ms: int) -> str | None:
        return await self._ask(lambda: self._cabinet.recall(name, now_ms), reads=True)

    async def spend(
        self,
        call_sid: str,
        nonce: str,
        *,
        stream_sid: str,
        window_ms: int,
        uses_max: int,
        now_ms: int,
    ) -> Spent | Unspendable:
        return await self._ask(
            lambda: self._cabinet.spend(call_sid, nonce, stream_sid, window_ms, uses_max, now_ms)
        )

    async def open_calls(self) -> tuple[Headline, ...]:
        return await self._ask(self._cabinet.headlines, reads=True)

    async def room(self) -> Room:
        return await self._ask(self._cabinet.room, reads=True)

    async def erase(self, call_sid: str) -> bool:
        return await self._ask(lambda: self._cabinet.erase(call_sid), call_sid)

    async def prune(self, call_sid: str) -> bool:
        return await self._ask(lambda: self._cabinet.prune(call_sid), call_sid)

    async def sweep(self, *, now_ms: int) -> int:
        return await self._ask(lambda: self._cabinet.sweep(now_ms))
