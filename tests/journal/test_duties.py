"""Who looks after a call, and which names mean it, on every backend: R-2, R-3."""

import asyncio

import pytest

from service.journal.journal import Journal
from service.journal.limits import LAPSED_MAX, UNCLAIMED_MS
from service.journal.values import Fenced, Known, Lease, Missing, Reading, Snapshot
from tests.journal.backends import TTL_MS, Store
from tests.journal.taking import take

CALL = "CA" + "1" * 32
NOW_MS = 1_790_000_000_000
HELD_MS = 5_000


async def held(journal: Journal, call_sid: str = CALL, *, at_ms: int = NOW_MS) -> Lease:
    """Let "one" claim the call, and return its lease."""
    claim = await take(
        journal, call_sid, [b"a"], owner="one", until_ms=at_ms + HELD_MS, now_ms=at_ms
    )
    return Lease("one", claim.epoch, at_ms, at_ms + HELD_MS)


async def lapsed(journal: Journal, at_ms: int, limit: int = 10) -> list[str]:
    return [one.call_sid for one in await journal.lapsed(now_ms=at_ms, limit=limit)]


async def adopted(
    journal: Journal, lease: Lease | None, at_ms: int, *, owner: str = "two", call_sid: str = CALL
) -> bool:
    return await journal.adopt(
        call_sid, lapsed=lease, owner=owner, until_ms=at_ms + 15_000, now_ms=at_ms
    )


async def lease_of(journal: Journal) -> Lease | None:
    (headline,) = await journal.open_calls()
    return headline.lease


@pytest.mark.asyncio
async def test_a_claimer_who_knows_the_call_is_told_what_followed(journal: Journal) -> None:
    first = await take(journal, CALL, [b"a", b"b"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    await journal.append(CALL, [b"c"], epoch=1, after=2, key="k", now_ms=NOW_MS)
    await journal.snapshot(CALL, epoch=1, position=3, body=b"s")
    for position, told in ((2, [b"c"]), (3, [])):
        claim = await take(
            journal,
            CALL,
            owner="two",
            until_ms=NOW_MS,
            now_ms=NOW_MS,
            known=Known(first.incarnation, position),
        )
        assert (claim.since, claim.snapshot) == (position, None)
        assert [record.body for record in claim.records] == told
        assert [record.position for record in claim.records] == list(range(position + 1, 4))


@pytest.mark.asyncio
async def test_what_a_claimer_knows_wrongly_counts_for_nothing(journal: Journal) -> None:
    first = await take(journal, CALL, [b"a", b"b"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    await journal.snapshot(CALL, epoch=1, position=1, body=b"s")
    wrong = (Known("another", 2), Known(first.incarnation, 3), Known(first.incarnation, 0))
    for known in wrong:
        claim = await take(journal, CALL, owner="two", until_ms=0, now_ms=NOW_MS, known=known)
        assert (claim.since, claim.snapshot) == (0, Snapshot(1, b"s"))
        assert [record.body for record in claim.records] == [b"b"]


@pytest.mark.asyncio
async def test_what_was_known_of_an_erased_call_is_not_known_of_the_next(journal: Journal) -> None:
    first = await take(journal, CALL, [b"a"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    await journal.erase(CALL)
    known = Known(first.incarnation, 1)
    again = await take(journal, CALL, [b"b"], owner="one", until_ms=0, now_ms=NOW_MS, known=known)
    assert (again.since, again.is_new, len(again.records)) == (0, True, 1)


@pytest.mark.asyncio
async def test_a_claim_that_expects_another_epoch_changes_nothing(journal: Journal) -> None:
    lease = await held(journal)
    for expected in (0, 2):
        outcome = await journal.claim(
            CALL, [b"x"], owner="two", until_ms=0, now_ms=NOW_MS + 9, expected=expected
        )
        assert outcome == Fenced(1)
    reading = await journal.read(CALL)
    assert isinstance(reading, Reading)
    assert (reading.epoch, reading.head) == (1, 1)
    assert await lease_of(journal) == lease
    claim = await take(journal, CALL, owner="two", until_ms=0, now_ms=NOW_MS, expected=1)
    assert claim.epoch == 2


@pytest.mark.asyncio
async def test_a_call_that_is_not_there_has_epoch_0(journal: Journal) -> None:
    refused = await journal.claim(CALL, [], owner="one", until_ms=0, now_ms=NOW_MS, expected=1)
    assert refused == Fenced(0)
    assert await journal.read(CALL) == Missing()
    claim = await take(journal, CALL, [b"a"], owner="one", until_ms=0, now_ms=NOW_MS, expected=0)
    assert (claim.epoch, claim.is_new) == (1, True)
    late_ms = NOW_MS + TTL_MS
    refused = await journal.claim(CALL, [], owner="one", until_ms=0, now_ms=late_ms, expected=1)
    assert refused == Fenced(0)


@pytest.mark.asyncio
async def test_of_many_who_expect_the_same_epoch_one_claims(shared: Store) -> None:
    journals = [await shared.journal() for _ in range(2)]
    await held(journals[0])
    outcomes = await asyncio.gather(
        *(
            journals[n % 2].claim(CALL, [], owner=f"{n}", until_ms=0, now_ms=NOW_MS, expected=1)
            for n in range(20)
        )
    )
    assert outcomes.count(Fenced(2)) == 19


@pytest.mark.asyncio
async def test_a_call_is_lapsed_when_its_lease_is_over(journal: Journal) -> None:
    lease = await held(journal)
    assert await lapsed(journal, NOW_MS + HELD_MS - 1) == []
    (headline,) = await journal.lapsed(now_ms=NOW_MS + HELD_MS, limit=1)
    assert headline == (await journal.open_calls())[0]
    assert headline.lease == lease
    renewed_ms = NOW_MS + HELD_MS
    assert await journal.lease(
        CALL, epoch=1, owner="one", until_ms=renewed_ms + HELD_MS, now_ms=renewed_ms
    )
    assert await lapsed(journal, NOW_MS + HELD_MS) == []
    assert await lapsed(journal, renewed_ms + HELD_MS) == [CALL]
    await held(journal, at_ms=renewed_ms)
    assert await lapsed(journal, renewed_ms + HELD_MS - 1) == []
    assert await lapsed(journal, renewed_ms + HELD_MS) == [CALL]


@pytest.mark.asyncio
async def test_a_call_whose_stream_never_came_is_lapsed_after_a_while(journal: Journal) -> None:
    await journal.open(CALL, [b"a"], now_ms=NOW_MS)
    due_ms = NOW_MS + UNCLAIMED_MS
    assert await lapsed(journal, due_ms - 1) == []
    assert not await adopted(journal, None, due_ms - 1)
    assert await lapsed(journal, due_ms) == [CALL]
    assert await adopted(journal, None, due_ms)
    assert not await adopted(journal, None, due_ms)
    assert await lapsed(journal, due_ms) == []
    assert await lease_of(journal) == Lease("two", 0, due_ms, due_ms + 15_000)
    assert await lapsed(journal, due_ms + 15_000) == [CALL]
    assert await journal.release(CALL, epoch=0)


@pytest.mark.asyncio
async def test_the_call_that_waits_longest_comes_first(journal: Journal) -> None:
    for n, at_ms in enumerate((30, 10, 40, 20)):
        await held(journal, f"CA{n}", at_ms=NOW_MS + at_ms)
    late_ms = NOW_MS + 2 * HELD_MS
    assert await lapsed(journal, late_ms) == ["CA1", "CA3", "CA0", "CA2"]
    assert await lapsed(journal, late_ms, limit=2) == ["CA1", "CA3"]
    assert await lapsed(journal, NOW_MS + HELD_MS + 20) == ["CA1", "CA3"]
    assert await lapsed(journal, late_ms, limit=0) == []
    assert await lapsed(journal, late_ms, limit=LAPSED_MAX + 1) == await lapsed(journal, late_ms)


@pytest.mark.asyncio
async def test_exactly_one_asker_adopts_a_call(shared: Store) -> None:
    journals = [await shared.journal() for _ in range(2)]
    lease = await held(journals[0])
    over_ms = NOW_MS + HELD_MS
    won = await asyncio.gather(
        *(adopted(journals[n % 2], lease, over_ms, owner=f"{n}") for n in range(20))
    )
    assert won.count(True) == 1
    assert await lapsed(journals[1], over_ms) == []


@pytest.mark.asyncio
async def test_an_adopted_call_keeps_its_fence_and_its_time(journal: Journal) -> None:
    lease = await held(journal)
    over_ms = NOW_MS + HELD_MS
    assert await adopted(journal, lease, over_ms)
    (headline,) = await journal.open_calls()
    assert headline.lease == Lease("two", 1, over_ms, over_ms + 15_000)
    assert (headline.epoch, headline.expires_ms) == (1, NOW_MS + TTL_MS)
    assert await lapsed(journal, over_ms + 15_000 - 1) == []
    assert await lapsed(journal, over_ms + 15_000) == [CALL]
    late = await journal.append(CALL, [b"b"], epoch=1, after=1, key="k", now_ms=over_ms)
    assert not isinstance(late, Fenced)
    assert await journal.lease(CALL, epoch=1, owner="one", until_ms=over_ms + 9, now_ms=over_ms)
    assert await lease_of(journal) == Lease("one", 1, over_ms, over_ms + 9)


@pytest.mark.asyncio
async def test_a_call_that_changed_hands_is_not_adopted(journal: Journal) -> None:
    lease = await held(journal)
    over_ms = NOW_MS + HELD_MS
    assert not await adopted(journal, lease, over_ms - 1)
    assert not await adopted(journal, None, NOW_MS + UNCLAIMED_MS)
    for other in (
        Lease("two", 1, NOW_MS, over_ms),
        Lease("one", 2, NOW_MS, over_ms),
        Lease("one", 1, NOW_MS + 1, over_ms),
        Lease("one", 1, NOW_MS, over_ms + 1),
    ):
        assert not await adopted(journal, other, over_ms + 1)
    assert not await adopted(journal, lease, over_ms, call_sid="CA2")
    assert await adopted(journal, lease, over_ms)
    late_ms = NOW_MS + TTL_MS
    assert not await adopted(journal, await lease_of(journal), late_ms)


@pytest.mark.asyncio
async def test_nobody_looks_after_a_released_call(journal: Journal) -> None:
    lease = await held(journal)
    over_ms = NOW_MS + HELD_MS
    assert not await journal.release(CALL, epoch=2)
    assert await lapsed(journal, over_ms) == [CALL]
    assert await journal.release(CALL, epoch=1)
    assert await journal.release(CALL, epoch=1)
    assert not await journal.release("CA2", epoch=1)
    assert await lapsed(journal, over_ms) == []
    assert not await adopted(journal, lease, over_ms)
    assert await lease_of(journal) == lease


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["claimed", "renewed"])
async def test_a_released_call_is_held_again(journal: Journal, how: str) -> None:
    await held(journal)
    await journal.release(CALL, epoch=1)
    later_ms = NOW_MS + 60_000
    assert await lapsed(journal, later_ms) == []
    if how == "claimed":
        await held(journal, at_ms=later_ms)
    else:
        assert await journal.lease(
            CALL, epoch=1, owner="one", until_ms=later_ms + HELD_MS, now_ms=later_ms
        )
    assert await lapsed(journal, later_ms) == []
    assert await lapsed(journal, later_ms + HELD_MS) == [CALL]


@pytest.mark.asyncio
async def test_a_released_call_is_lapsed_at_once_by_a_hold_that_is_over(journal: Journal) -> None:
    """So it is found again when what a dead server left of it comes late."""
    await held(journal)
    await journal.release(CALL, epoch=1)
    seen_ms = NOW_MS + 1_000
    assert await journal.lease(CALL, epoch=1, owner="b", until_ms=seen_ms, now_ms=seen_ms)
    assert await lapsed(journal, seen_ms) == [CALL]
    assert await adopted(journal, await lease_of(journal), seen_ms)


@pytest.mark.asyncio
async def test_a_late_owner_makes_no_released_call_its_own(journal: Journal) -> None:
    await held(journal)
    await held(journal)
    await journal.release(CALL, epoch=2)
    assert not await journal.lease(CALL, epoch=1, owner="one", until_ms=0, now_ms=NOW_MS)
    assert await lapsed(journal, NOW_MS + HELD_MS) == []


@pytest.mark.asyncio
async def test_a_call_that_is_gone_is_not_lapsed(journal: Journal) -> None:
    await held(journal)
    await held(journal, "CA2")
    await journal.erase("CA2")
    assert await lapsed(journal, NOW_MS + HELD_MS) == [CALL]
    assert await lapsed(journal, NOW_MS + TTL_MS) == []
    await journal.sweep(now_ms=NOW_MS + TTL_MS)
    assert await lapsed(journal, NOW_MS + TTL_MS) == []


@pytest.mark.asyncio
async def test_more_calls_than_are_told_of_at_once_are_told_of_in_turn(journal: Journal) -> None:
    for n in range(600):
        await journal.open(f"CA{n:03}", [], now_ms=NOW_MS + n)
    late_ms = NOW_MS + UNCLAIMED_MS + 600
    assert await lapsed(journal, late_ms, limit=600) == [f"CA{n:03}" for n in range(600)]
    for n in range(0, 600, 2):
        await journal.release(f"CA{n:03}", epoch=0)
    expected = [f"CA{n:03}" for n in range(1, 600, 2)]
    assert await lapsed(journal, late_ms, limit=600) == expected
    assert await lapsed(journal, late_ms, limit=7) == expected[:7]


@pytest.mark.asyncio
async def test_a_name_means_the_call_it_was_given_last_for_a_while(journal: Journal) -> None:
    assert await journal.recall("from:1", now_ms=NOW_MS) is None
    await journal.remember("from:1", "CA1", ttl_ms=9_000, now_ms=NOW_MS)
    await journal.remember("from:2", "CA1", ttl_ms=60_000, now_ms=NOW_MS)
    await journal.remember("from:1", "CA2", ttl_ms=19_000, now_ms=NOW_MS)
    assert await journal.recall("from:1", now_ms=NOW_MS + 18_999) == "CA2"
    assert await journal.recall("from:1", now_ms=NOW_MS + 19_000) is None
    assert await journal.recall("from:2", now_ms=NOW_MS + 19_000) == "CA1"
    await journal.sweep(now_ms=NOW_MS + 19_000)
    assert await journal.recall("from:2", now_ms=NOW_MS) == "CA1"


@pytest.mark.asyncio
async def test_an_erased_call_leaves_no_name_behind(journal: Journal) -> None:
    await held(journal)
    for name in ("a b", "ticket:ü", "moved"):
        await journal.remember(name, CALL, ttl_ms=60_000, now_ms=NOW_MS)
    await journal.remember("moved", "CA2", ttl_ms=60_000, now_ms=NOW_MS)
    assert await journal.erase(CALL)
    for name, meant in (("a b", None), ("ticket:ü", None), ("moved", "CA2")):
        assert await journal.recall(name, now_ms=NOW_MS) == meant
    assert await journal.erase("CA2")
    assert not await journal.erase("CA2")


@pytest.mark.asyncio
async def test_names_and_times_obey_the_limits(journal: Journal) -> None:
    assert await journal.recall("no\nname", now_ms=NOW_MS) is None
    with pytest.raises(ValueError, match="printable"):
        await journal.remember("{x}", CALL, ttl_ms=1, now_ms=NOW_MS)
    with pytest.raises(ValueError, match="at least 1 ms"):
        await journal.remember("x", CALL, ttl_ms=0, now_ms=NOW_MS)
    with pytest.raises(ValueError, match="out of range"):
        await journal.lapsed(now_ms=-1, limit=1)
    with pytest.raises(ValueError, match="out of range"):
        await journal.release(CALL, epoch=-1)
    with pytest.raises(ValueError, match="out of range"):
        await journal.claim(CALL, [], owner="o", until_ms=0, now_ms=NOW_MS, expected=-1)
    with pytest.raises(ValueError, match="printable"):
        await journal.adopt(CALL, lapsed=None, owner="", until_ms=1, now_ms=NOW_MS)
