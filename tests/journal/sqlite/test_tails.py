import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from sqlite3 import Connection
from typing import ClassVar, TypeVar

import pytest
from structlog.contextvars import get_contextvars
from typing_extensions import override

from service import scope
from service.errors import StoreUnavailable
from service.journal.sqlite.lane import Lane
from service.journal.sqlite.ledger import Ledger
from service.journal.sqlite.storefile import StoreFile
from service.journal.sqlite.tails import Tails
from service.journal.tailing import Bells
from service.journal.values import Durability, Gone, Record
from tests.conftest import wait_until

CALL = "CA1"
T = TypeVar("T")
LEDGER = Ledger(ttl_ms=1_000, durability=Durability.MEMORY)


async def opened(path: Path | None) -> Lane:
    lane = Lane(StoreFile(path, writes=True), name="writes")
    lane.start()
    await lane.run(lambda connection: LEDGER.open(connection, CALL, [b"a"], 5))
    return lane


@pytest.mark.asyncio
async def test_a_store_of_one_process_needs_no_poller() -> None:
    lane = await opened(None)
    tails = Tails(lane, Bells(), writing=None)
    async with aclosing(tails.tail(CALL, incarnation=None, after=0)) as tail:
        assert await anext(tail) == Record(1, 0, 5, b"a")
    assert tails._poller is None
    await tails.close()
    await lane.close()


@pytest.mark.asyncio
async def test_what_another_process_writes_is_seen_while_somebody_tails(tmp_path: Path) -> None:
    writing = await opened(tmp_path / "calls.db")
    reading = Lane(StoreFile(tmp_path / "calls.db", writes=False), name="reads")
    reading.start()
    tails = Tails(reading, Bells(), writing=StoreFile(tmp_path / "calls.db", writes=True))
    async with aclosing(tails.tail(CALL, incarnation=None, after=1)) as tail:
        waiting = asyncio.create_task(anext(tail))
        await asyncio.sleep(0)
        await writing.run(lambda connection: LEDGER.erase(connection, CALL))
        assert await waiting == Gone()
    assert tails._poller is not None
    await asyncio.wait([tails._poller])
    await tails.close()
    await tails.close()
    await reading.close()
    await writing.close()


class Noting(Lane):
    """Notes in whose scope it is asked."""

    scopes: ClassVar[list[object]] = []

    @override
    async def run(self, job: Callable[[Connection], T], *, call_sid: str = "") -> T:
        self.scopes.append(get_contextvars())
        return await super().run(job, call_sid=call_sid)


@pytest.mark.asyncio
async def test_the_poller_is_no_calls_whoever_tailed_first(tmp_path: Path) -> None:
    writing = await opened(tmp_path / "calls.db")
    reading = Noting(StoreFile(tmp_path / "calls.db", writes=False), name="reads")
    reading.start()
    tails = Tails(reading, Bells(), writing=StoreFile(tmp_path / "calls.db", writes=True))
    scope.of_call(CALL)
    async with aclosing(tails.tail(CALL, incarnation=None, after=1)) as tail:
        waiting = asyncio.create_task(anext(tail))
        await wait_until(lambda: {} in reading.scopes, description="the poller looks")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert reading.scopes[0] == {"call_sid": CALL}
    await tails.close()
    await reading.close()
    await writing.close()


@pytest.mark.asyncio
async def test_a_name_that_no_call_can_have_is_gone_without_a_look() -> None:
    file = StoreFile(None, writes=True)
    tails = Tails(Lane(file, name="idle"), Bells(), writing=file)
    assert [one async for one in tails.tail("no\nname", incarnation=None, after=0)] == [Gone()]
    with pytest.raises(StoreUnavailable):
        await anext(tails.tail(CALL, incarnation=None, after=0))
    await tails.close()
