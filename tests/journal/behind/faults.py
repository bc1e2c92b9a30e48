"""A store with faults: a real SQLite journal in memory that is slow, away or forgetful when told to."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from service.clock import Clock
from service.errors import StoreUnavailable
from service.journal.behind.bridge import Bridge
from service.journal.behind.flusher import Flusher
from service.journal.behind.herald import Herald
from service.journal.behind.keeper import Keeper
from service.journal.behind.reach import Deadlines
from service.journal.behind.shelf import Shelf
from service.journal.sqlite.journal import SqliteJournal
from service.journal.values import Ear, Gone, Outcome, Reading, Record, Reset
from service.meter import Meter
from tests.journal.backends import TTL_MS, orphan

T = TypeVar("T")
QUICK = Deadlines(0.02, 0.04)
CALL = "CA" + "1" * 32
WAYS = ("well", "away", "slow", "lost_reply")


class FaultyStore:
    """Keeps Journal's promise but for what `way` says. `real` is what it truly holds."""

    def __init__(self, real: SqliteJournal | None = None) -> None:
        self.real = real or SqliteJournal(None, ttl_ms=TTL_MS)
        self.way = "well"
        self.lives = 0  # a fail-over cuts every line
        self.has_worked = asyncio.Event()  # a question, or its answer, is kept back
        self.may_answer = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        async def act(*words: Any, **named: Any) -> Any:
            return await self._through(getattr(self.real, name)(*words, **named))

        return act

    async def start(self) -> None:
        await self.real.start()

    async def close(self) -> None:
        self.may_answer.set()
        await self.real.close()

    async def append(self, call_sid: str, bodies: Sequence[bytes], **named: Any) -> Outcome:
        return await self._through(self.real.append(call_sid, bodies, **named))

    def tail(
        self, call_sid: str, *, incarnation: str | None, after: int
    ) -> AsyncGenerator[Record | Reset | Gone, None]:
        return self.real.tail(call_sid, incarnation=incarnation, after=after)

    def listen(self, call_sid: str, ear: Ear) -> Callable[[], None]:
        return self.real.listen(call_sid, ear)

    async def _through(self, work: Coroutine[Any, Any, T]) -> T:
        match self.way:
            case "away":
                work.close()
                raise StoreUnavailable("away")
            case "silent":
                work.close()
                await self.may_answer.wait()
                raise StoreUnavailable("the line was cut")
            case "slow":
                lives = self.lives
                await asyncio.sleep(3 * QUICK.write_s)
                if lives != self.lives:
                    work.close()
                    raise StoreUnavailable("the line was cut")
                return await work
            case "held_up":
                self.has_worked.set()
                await self.may_answer.wait()
                return await work
            case "late_reply":
                answer = await work
                self.has_worked.set()
                await self.may_answer.wait()
                return answer
            case "lost_reply":
                await work
                raise StoreUnavailable("the answer got lost")
            case _:
                return await work

    async def forget(self, records: int) -> None:
        """Lose the last records of the call, as a fail-over to a replica that lagged does."""

        def lose(connection: Any) -> None:
            connection.execute(
                "UPDATE calls SET head = max(head - ?, 1) WHERE call_sid = ?", (records, CALL)
            )
            connection.execute(
                "DELETE FROM records WHERE position > (SELECT head FROM calls WHERE call_sid = ?)",
                (CALL,),
            )

        self.lives += 1
        await self.real._writing.run(lose, call_sid=CALL)

    async def bodies(self, call_sid: str = CALL) -> list[bytes]:
        reading = await self.real.read(call_sid)
        assert isinstance(reading, Reading)
        assert [one.position for one in reading.records] == list(range(1, reading.head + 1))
        return [one.body for one in reading.records]


def bridge_to(
    store: FaultyStore,
    shelf: Shelf | None = None,
    *,
    seed: int = 1,
    meter: Meter | None = None,
    deadlines: Deadlines = QUICK,
) -> Bridge:
    """Return a bridge to a store with faults, not yet started."""
    shelf, clock = shelf or Shelf(None, ""), Clock()
    keeper = Keeper(
        store,
        shelf,
        Flusher(store, orphan),
        Herald(meter or Meter()),
        deadlines=deadlines,
        clock=clock,
        chance=random.Random(seed),
    )
    return Bridge(store, keeper, shelf, deadlines=deadlines, clock=clock)
