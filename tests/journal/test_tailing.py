"""Tails on every backend: no gap, no duplicate, whatever happens meanwhile (R-16, R-17)."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from service.errors import StoreUnavailable
from service.journal.journal import Journal
from service.journal.limits import PAGE_RECORDS
from service.journal.tailing import Bells, Page, follow
from service.journal.values import Appended, Gone, Record, Reset
from tests.conftest import wait_until
from tests.journal.backends import TTL_MS, Store

CALL = "CA" + "2" * 32
NOW_MS = 1_790_000_000_000
PATIENCE_S = 10

Item = Record | Reset | Gone


async def opened(journal: Journal, records: int) -> str:
    headline = await journal.open(CALL, [b"%d" % n for n in range(1, records + 1)], now_ms=NOW_MS)
    return headline.incarnation


async def note(journal: Journal, key: str, body: bytes = b"note") -> int:
    outcome = await journal.append(CALL, [body], epoch=None, after=None, key=key, now_ms=NOW_MS)
    assert isinstance(outcome, Appended)
    return outcome.position


async def take(tail: AsyncIterator[Item], count: int) -> list[Item]:
    async with asyncio.timeout(PATIENCE_S):
        return [await anext(tail) for _ in range(count)]


def positions(items: list[Item]) -> list[int]:
    return [item.position for item in items if isinstance(item, Record)]


@pytest.mark.asyncio
async def test_the_backlog_comes_first_then_what_is_new(journal: Journal) -> None:
    incarnation = await opened(journal, 3)
    async with aclosing(journal.tail(CALL, incarnation=incarnation, after=1)) as tail:
        assert positions(await take(tail, 2)) == [2, 3]
        waiting = asyncio.create_task(take(tail, 1))
        await note(journal, "k", b"new")
        assert await waiting == [Record(4, 0, NOW_MS, b"new")]


@pytest.mark.asyncio
async def test_a_backlog_of_many_pages_comes_in_order(journal: Journal) -> None:
    await opened(journal, 5 * PAGE_RECORDS)
    async with aclosing(journal.tail(CALL, incarnation=None, after=0)) as tail:
        items = await take(tail, 5 * PAGE_RECORDS)
    assert positions(items) == list(range(1, 5 * PAGE_RECORDS + 1))


@pytest.mark.asyncio
async def test_who_listens_is_told_of_what_others_write_until_they_leave(shared: Store) -> None:
    here, there = await shared.journal(), await shared.journal()
    await opened(here, 1)
    told: list[int | None] = []
    leave = here.listen(CALL, told.append)

    async def is_told(head: int | None) -> None:
        """None, that there may be anything, is as good, whatever head is right."""
        await wait_until(lambda: bool({head, None} & {*told}), description=f"{head} is told")
        told.clear()

    await is_told(await note(here, "k1"))
    await is_told(await note(there, "k2"))
    await there.erase(CALL)
    await is_told(None)
    leave()
    told.clear()
    await opened(here, 1)
    assert told == []


@pytest.mark.asyncio
async def test_another_journals_appends_are_tailed(shared: Store) -> None:
    here, there = await shared.journal(), await shared.journal()
    await opened(here, 1)
    async with aclosing(here.tail(CALL, incarnation=None, after=0)) as tail:
        assert positions(await take(tail, 1)) == [1]
        for n in range(2, 5):
            waiting = asyncio.create_task(take(tail, 1))
            await note(there, f"k{n}")
            assert positions(await waiting) == [n]


@pytest.mark.asyncio
async def test_another_incarnation_is_reset_then_told_from_the_start(journal: Journal) -> None:
    incarnation = await opened(journal, 3)
    async with aclosing(journal.tail(CALL, incarnation="of old", after=2)) as tail:
        first, *records = await take(tail, 4)
    assert first == Reset(incarnation)
    assert positions(records) == [1, 2, 3]


@pytest.mark.asyncio
@pytest.mark.parametrize("after", [4, 10**30])
@pytest.mark.parametrize("is_known", [True, False])
async def test_a_position_beyond_the_head_is_reset(
    journal: Journal, after: int, *, is_known: bool
) -> None:
    incarnation = await opened(journal, 3)
    known = incarnation if is_known else None
    async with aclosing(journal.tail(CALL, incarnation=known, after=after)) as tail:
        first, *records = await take(tail, 4)
    assert first == Reset(incarnation)
    assert positions(records) == [1, 2, 3]


@pytest.mark.asyncio
async def test_a_position_before_the_first_is_the_first(journal: Journal) -> None:
    incarnation = await opened(journal, 2)
    async with aclosing(journal.tail(CALL, incarnation=incarnation, after=-7)) as tail:
        assert positions(await take(tail, 2)) == [1, 2]


@pytest.mark.asyncio
async def test_a_call_opened_anew_resets_its_running_tail(journal: Journal) -> None:
    await opened(journal, 3)
    tail = journal.tail(CALL, incarnation=None, after=0)
    async with aclosing(tail):
        await take(tail, 3)
        await journal.erase(CALL)
        incarnation = await opened(journal, 5)
        first, *records = await take(tail, 6)
    assert first == Reset(incarnation)
    assert positions(records) == [1, 2, 3, 4, 5]


@pytest.mark.asyncio
async def test_the_tail_of_an_unknown_call_is_gone_at_once(journal: Journal) -> None:
    for call_sid in (CALL, "no name\n"):
        assert [item async for item in journal.tail(call_sid, incarnation="x", after=9)] == [Gone()]


@pytest.mark.asyncio
async def test_the_tail_of_an_erased_call_is_gone(shared: Store) -> None:
    here, there = await shared.journal(), await shared.journal()
    await opened(here, 1)
    for eraser in (here, there):
        await opened(here, 1)
        tail = here.tail(CALL, incarnation=None, after=1)
        waiting = asyncio.create_task(take(tail, 1))
        await asyncio.sleep(0)
        await eraser.erase(CALL)
        assert await waiting == [Gone()]


@pytest.mark.asyncio
async def test_the_tail_of_a_swept_call_is_gone(journal: Journal) -> None:
    await opened(journal, 1)
    tail = journal.tail(CALL, incarnation=None, after=0)
    await take(tail, 1)
    waiting = asyncio.create_task(take(tail, 1))
    await journal.sweep(now_ms=NOW_MS + TTL_MS)
    assert await waiting == [Gone()]


@pytest.mark.asyncio
async def test_a_tail_ends_with_an_error_when_the_journal_closes(journal: Journal) -> None:
    await opened(journal, 1)
    tail = journal.tail(CALL, incarnation=None, after=0)
    await take(tail, 1)
    waiting = asyncio.create_task(take(tail, 1))
    await asyncio.sleep(0)
    await journal.close()
    with pytest.raises(StoreUnavailable):
        await waiting


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(4))
async def test_readers_that_come_and_go_miss_nothing_and_see_nothing_twice(
    shared: Store, seed: int
) -> None:
    dice = random.Random(seed)
    journals = [await shared.journal() for _ in range(2)]
    await opened(journals[0], 5)
    last = 5 + 3 * 60

    async def write(writer: int) -> None:
        pause = random.Random(seed * 10 + writer)
        for n in range(60):
            await note(journals[writer % 2], f"{writer}/{n}")
            if pause.random() < 0.2:
                await asyncio.sleep(pause.random() / 200)

    async def tail_in_pieces(journal: Journal, chance: random.Random) -> list[int]:
        seen: list[int] = []
        while not seen or seen[-1] < last:
            after = seen[-1] if seen else 0
            async with aclosing(journal.tail(CALL, incarnation=None, after=after)) as tail:
                count = min(chance.randrange(1, 40), last - after)
                seen += positions(await take(tail, count))
        return seen

    readers = [
        asyncio.create_task(tail_in_pieces(journals[n % 2], random.Random(dice.random())))
        for n in range(6)
    ]
    await asyncio.gather(*map(write, range(3)))
    for seen in await asyncio.gather(*readers):
        assert seen == list(range(1, last + 1)), f"seed {seed}"


@pytest.mark.asyncio
async def test_a_slow_reader_slows_nobody(journal: Journal) -> None:
    await opened(journal, 1)
    slow = journal.tail(CALL, incarnation=None, after=0)
    await take(slow, 1)
    for n in range(3 * PAGE_RECORDS):
        await note(journal, f"k{n}")
    assert positions(await take(slow, 3 * PAGE_RECORDS)) == list(range(2, 3 * PAGE_RECORDS + 2))
    await slow.aclose()


class Pages:
    """A store that is read page by page, and notes what it was asked."""

    def __init__(self) -> None:
        self.head = 0
        self.asked: list[int] = []

    async def read(self, _: str, after: int) -> Page | None:
        self.asked.append(after)
        upto = min(self.head, after + 2)
        records = tuple(Record(n, 0, 0, b"") for n in range(after + 1, upto + 1))
        return Page("i", self.head, records)


@pytest.mark.asyncio
async def test_a_tail_that_is_closed_or_cancelled_takes_its_bell_down() -> None:
    bells, pages = Bells(), Pages()
    pages.head = 1
    tails = [
        follow(bells, pages.read, CALL, incarnation=None, after=0, recheck_ms=60_000)
        for _ in range(2)
    ]
    for tail in tails:
        assert positions(await take(tail, 1)) == [1]
    assert bells.calls() == (CALL,)
    await tails[0].aclose()
    waiting = asyncio.create_task(take(tails[1], 1))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert bells.calls() == ()


@pytest.mark.asyncio
async def test_a_silent_bell_is_not_trusted_for_ever() -> None:
    bells, pages = Bells(), Pages()
    tail = follow(bells, pages.read, CALL, incarnation=None, after=0, recheck_ms=1)
    waiting = asyncio.create_task(take(tail, 1))
    await asyncio.sleep(0)
    pages.head = 1
    assert positions(await waiting) == [1]
    await tail.aclose()


@pytest.mark.asyncio
async def test_a_ring_for_another_call_wakes_nobody() -> None:
    bells, pages = Bells(), Pages()
    tail = follow(bells, pages.read, CALL, incarnation=None, after=0, recheck_ms=60_000)
    waiting = asyncio.create_task(take(tail, 1))
    await asyncio.sleep(0)
    bells.ring("CA9")
    await asyncio.sleep(0)
    assert pages.asked == [0]
    pages.head = 1
    bells.ring_all()
    assert positions(await waiting) == [1]
    await tail.aclose()
