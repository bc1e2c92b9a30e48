"""Requirement S-15: what calls take in a store, which may go, and how much one may take."""

import pytest

from service.journal.journal import Journal
from service.journal.redis import journal as redis_journal
from service.journal.sqlite import ledger
from service.journal.stores import connect
from service.journal.values import Appended, Full, Room
from tests.journal.backends import Store
from tests.journal.taking import take

pytestmark = pytest.mark.asyncio
NOW_MS = 1_790_000_000_000


async def test_calls_that_are_over_are_told_of_the_oldest_first(journal: Journal) -> None:
    empty = await journal.room()
    assert empty.over == ()
    for number, sid in enumerate(("CA2", "CA1", "CA3")):
        claim = await take(journal, sid, owner="o", until_ms=NOW_MS + 9_000, now_ms=NOW_MS + number)
        written = await journal.append(
            sid, [b"x" * 9_000], epoch=claim.epoch, after=None, key="k", now_ms=NOW_MS + number
        )
        assert isinstance(written, Appended)
        if sid != "CA1":
            assert await journal.release(sid, epoch=claim.epoch)
    room = await journal.room()
    assert isinstance(room, Room)
    assert [sid for sid, _ in room.over] == ["CA2", "CA3"]
    assert all(9_000 <= weight < 10_000 for _, weight in room.over)
    assert room.used - empty.used >= 24_000  # pages that were begun are filled first
    for sid, _ in room.over:
        await journal.erase(sid)
    assert (await journal.room()).over == ()
    assert (await journal.room()).used < room.used


async def test_one_call_takes_so_much_and_no_more(
    monkeypatch: pytest.MonkeyPatch, redis: Store
) -> None:
    monkeypatch.setattr(ledger, "CALL_BYTES_MAX", 1_000)
    monkeypatch.setattr(redis_journal, "BOUNDS", (100, 1_000))
    memory = connect("sqlite://:memory:", ttl_ms=60_000)
    await memory.start()
    for journal in (memory, await redis.journal()):
        await journal.open("CA1", [b"x" * 100], now_ms=NOW_MS)
        outcomes = [
            await journal.append(
                "CA1", [b"x" * 400], epoch=None, after=None, key=f"{n}", now_ms=NOW_MS
            )
            for n in range(3)
        ]
        assert [type(one) for one in outcomes] == [Appended, Appended, Full]
        small = await journal.append("CA1", [b"x"], epoch=None, after=None, key="s", now_ms=NOW_MS)
        assert isinstance(small, Appended)
    await memory.close()
