"""Requirement S-15: what calls take in a store, which may go, and how much one may take."""

import asyncio

import pytest

from service.journal.journal import Journal
from service.journal.redis import journal as redis_journal
from service.journal.sqlite import ledger
from service.journal.stores import connect
from service.journal.values import (
    Appended,
    Claim,
    Full,
    Missing,
    Reading,
    Room,
    Spent,
    Unspendable,
)
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


async def released(journal: Journal, call_sid: str = "CA1") -> int:
    """Have a call be over; return its epoch."""
    claim = await take(journal, call_sid, [b"a"], owner="o", until_ms=NOW_MS, now_ms=NOW_MS)
    assert await journal.release(call_sid, epoch=claim.epoch)
    return claim.epoch


async def test_a_call_that_is_over_is_pruned_with_its_names(journal: Journal) -> None:
    await released(journal)
    await journal.remember("name", "CA1", ttl_ms=60_000, now_ms=NOW_MS)
    assert await journal.prune("CA1")
    assert await journal.read("CA1") == Missing()
    assert await journal.recall("name", now_ms=NOW_MS) is None
    assert (await journal.room()).over == ()
    assert await journal.open_calls() == ()
    assert not await journal.prune("CA1")
    again = await take(journal, "CA1", [b"b"], owner="o", until_ms=NOW_MS, now_ms=NOW_MS)
    assert [one.body for one in again.records] == [b"b"]
    assert [one.call_sid for one in await journal.open_calls()] == ["CA1"]


@pytest.mark.parametrize("how", ["opened", "claimed", "claimed again", "renewed", "absent", "{}"])
async def test_a_call_that_lives_is_not_pruned(journal: Journal, how: str) -> None:
    """It was released when room() told of it, and is claimed again before it goes."""
    match how:
        case "opened":
            await journal.open("CA1", [b"a"], now_ms=NOW_MS)
        case "claimed":
            await take(journal, "CA1", [b"a"], owner="o", until_ms=NOW_MS, now_ms=NOW_MS)
        case "claimed again":
            await released(journal)
            assert [sid for sid, _ in (await journal.room()).over] == ["CA1"]
            await take(journal, "CA1", [], owner="p", until_ms=NOW_MS + 9_000, now_ms=NOW_MS)
        case "renewed":
            epoch, later = await released(journal), NOW_MS + 9_000
            assert await journal.lease("CA1", epoch=epoch, owner="o", until_ms=later, now_ms=NOW_MS)
        case name:
            assert not await journal.prune(name)
            return
    assert not await journal.prune("CA1")
    reading = await journal.read("CA1")
    assert isinstance(reading, Reading)
    assert [one.body for one in reading.records] == [b"a"]


async def test_a_token_that_was_spent_on_a_pruned_call_stays_spent(journal: Journal) -> None:
    await released(journal)
    use = {"window_ms": 0, "uses_max": 1, "now_ms": NOW_MS}
    assert await journal.spend("CA1", "nonce", stream_sid="MZ1", **use) == Spent(1)
    assert await journal.prune("CA1")
    assert isinstance(await journal.spend("CA1", "nonce", stream_sid="MZ2", **use), Unspendable)


async def test_of_pruning_and_claiming_at_once_either_is_whole(shared: Store) -> None:
    """By two processes, in every order: a claimed call is there, readable, and on the list."""
    one, two = await shared.journal(), await shared.journal()
    pruned = 0
    for turn in range(20):
        sid = f"CA{turn}"
        epoch = await released(one, sid)
        claiming = take(two, sid, [b"new"], owner="p", until_ms=NOW_MS + 9_000, now_ms=NOW_MS + 1)
        works = [one.prune(sid), claiming] if turn % 2 else [claiming, one.prune(sid)]
        told = await asyncio.gather(*works)
        went, claim = told if turn % 2 else told[::-1]
        assert isinstance(claim, Claim)
        pruned += went is True
        assert (claim.epoch, claim.records[0].body) == ((1, b"new") if went else (epoch + 1, b"a"))
        for journal in (one, two):
            reading = await journal.read(sid)
            assert isinstance(reading, Reading)
            assert reading.records == claim.records
        assert sid in {headline.call_sid for headline in await one.open_calls()}
    assert 0 <= pruned <= 20


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
