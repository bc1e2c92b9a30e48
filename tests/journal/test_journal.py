"""The promise of journal.py, held by every backend: R-1, R-2, R-4, R-5, R-8."""

import asyncio
from itertools import chain

import pytest

from service.journal.journal import Journal
from service.journal.values import (
    RECORD_BYTES_MAX,
    RECORDS_MAX,
    Appended,
    Behind,
    Durability,
    Fenced,
    Full,
    Lease,
    Missing,
    Outcome,
    Reading,
    Record,
    Snapshot,
)
from tests.journal.backends import TTL_MS, Store
from tests.journal.taking import take

CALL = "CA" + "1" * 32
NOW_MS = 1_790_000_000_000


async def owned(journal: Journal, call_sid: str = CALL) -> int:
    claim = await take(journal, call_sid, [b"opened"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    return claim.epoch


async def note(journal: Journal, key: str, *bodies: bytes, at_ms: int = NOW_MS) -> Outcome:
    return await journal.append(
        CALL, bodies or (b"note",), epoch=None, after=None, key=key, now_ms=at_ms
    )


async def bodies_of(journal: Journal, call_sid: str = CALL) -> list[bytes]:
    reading = await journal.read(call_sid)
    assert isinstance(reading, Reading)
    assert [record.position for record in reading.records] == list(range(1, reading.head + 1))
    return [record.body for record in reading.records]


@pytest.mark.asyncio
async def test_a_store_says_how_durable_it_is(store: Store) -> None:
    journal = await store.journal()
    durability = await journal.check(now_ms=NOW_MS)
    expected = {
        "sqlite": Durability.LOCAL,
        "sentinel": Durability.REPLICA,
        "cluster": Durability.REPLICA,
    }
    assert durability is expected.get(store.kind, Durability.MEMORY)
    assert await journal.check(now_ms=NOW_MS + 1) is durability


@pytest.mark.asyncio
async def test_a_call_is_opened_once(journal: Journal) -> None:
    first = await journal.open(CALL, [b"a", b"b"], now_ms=NOW_MS)
    again = await journal.open(CALL, [b"c"], now_ms=NOW_MS + 5)
    assert again == first
    assert (first.epoch, first.head, first.lease) == (0, 2, None)
    assert first.expires_ms == NOW_MS + TTL_MS
    assert await bodies_of(journal) == [b"a", b"b"]


@pytest.mark.asyncio
async def test_parallel_openers_open_it_once(shared: Store) -> None:
    journals = [await shared.journal() for _ in range(2)]
    opened = await asyncio.gather(
        *(journals[n % 2].open(CALL, [b"%d" % n], now_ms=NOW_MS) for n in range(20))
    )
    assert len({headline.incarnation for headline in opened}) == 1
    assert len(await bodies_of(journals[0])) == 1


@pytest.mark.asyncio
async def test_a_call_may_be_opened_with_nothing(journal: Journal) -> None:
    assert (await journal.open(CALL, [], now_ms=NOW_MS)).head == 0
    assert await bodies_of(journal) == []


@pytest.mark.asyncio
async def test_a_claim_of_an_unknown_call_opens_it(journal: Journal) -> None:
    claim = await take(journal, CALL, [b"a"], owner="one", until_ms=9, now_ms=NOW_MS)
    assert (claim.epoch, claim.is_new, claim.snapshot, claim.lease) == (1, True, None, None)
    assert claim.records == (Record(1, 0, NOW_MS, b"a"),)


@pytest.mark.asyncio
async def test_a_claim_takes_the_call_over_with_all_that_is_known(journal: Journal) -> None:
    await journal.open(CALL, [b"a"], now_ms=NOW_MS)
    first = await take(journal, CALL, [b"x"], owner="one", until_ms=NOW_MS + 9, now_ms=NOW_MS)
    await journal.append(CALL, [b"b"], epoch=1, after=1, key="k", now_ms=NOW_MS + 2)
    second = await take(journal, CALL, [], owner="two", until_ms=NOW_MS + 99, now_ms=NOW_MS + 5)
    assert (first.epoch, first.is_new) == (1, False)
    assert (second.epoch, second.is_new, second.incarnation) == (2, False, first.incarnation)
    assert second.records == (Record(1, 0, NOW_MS, b"a"), Record(2, 1, NOW_MS + 2, b"b"))
    assert second.lease == Lease("one", 1, NOW_MS, NOW_MS + 9)


@pytest.mark.asyncio
async def test_parallel_claims_each_get_their_own_epoch(shared: Store) -> None:
    journals = [await shared.journal() for _ in range(2)]
    claims = await asyncio.gather(
        *(
            take(journals[n % 2], CALL, [b"a"], owner=f"o{n}", until_ms=NOW_MS, now_ms=NOW_MS)
            for n in range(40)
        )
    )
    assert sorted(claim.epoch for claim in claims) == list(range(1, 41))
    assert [claim.is_new for claim in claims].count(True) == 1
    assert len({claim.incarnation for claim in claims}) == 1


@pytest.mark.asyncio
async def test_an_append_is_read_back_in_its_place(journal: Journal) -> None:
    epoch = await owned(journal)
    outcome = await journal.append(
        CALL, [b"b", b"", b"\x00\xff"], epoch=epoch, after=1, key="k", now_ms=NOW_MS + 7
    )
    assert outcome == Appended(4, await journal.check(now_ms=NOW_MS))
    reading = await journal.read(CALL, after=2)
    assert isinstance(reading, Reading)
    assert (reading.epoch, reading.head) == (1, 4)
    assert reading.records == (Record(3, 1, NOW_MS + 7, b""), Record(4, 1, NOW_MS + 7, b"\x00\xff"))


@pytest.mark.asyncio
async def test_an_old_owner_is_fenced(shared: Store) -> None:
    old, new = await shared.journal(), await shared.journal()
    await owned(old)
    await owned(new)
    late = [
        old.append(CALL, [b"late"], epoch=1, after=1, key=f"late{n}", now_ms=NOW_MS)
        for n in range(20)
    ]
    assert await asyncio.gather(*late) == [Fenced(2)] * 20
    assert await bodies_of(new) == [b"opened"]


@pytest.mark.asyncio
async def test_an_append_that_meets_a_claim_stands_before_it_or_not_at_all(shared: Store) -> None:
    """R-2: the fence is checked in the same step as the write, not a moment before."""
    old, new = await shared.journal(), await shared.journal()
    epoch = await owned(old)
    for n in range(10):
        outcome, claim = await asyncio.gather(
            old.append(CALL, [b"%d" % n], epoch=epoch, after=None, key=f"k{n}", now_ms=NOW_MS),
            take(new, CALL, owner="two", until_ms=NOW_MS, now_ms=NOW_MS),
        )
        reading = await new.read(CALL)
        assert isinstance(reading, Reading)
        written = [record for record in reading.records if record.body == b"%d" % n]
        assert [record.epoch for record in written] == [epoch] * isinstance(outcome, Appended)
        assert written == [record for record in claim.records if record in written]
        epoch = claim.epoch


@pytest.mark.asyncio
async def test_an_owner_ahead_of_its_store_is_fenced(journal: Journal) -> None:
    await owned(journal)
    outcome = await journal.append(CALL, [b"x"], epoch=2, after=1, key="k", now_ms=NOW_MS)
    assert outcome == Fenced(1)


@pytest.mark.asyncio
async def test_an_owner_is_told_what_was_written_meanwhile(journal: Journal) -> None:
    await owned(journal)
    assert isinstance(await note(journal, "note"), Appended)
    outcome = await journal.append(CALL, [b"x"], epoch=1, after=1, key="k", now_ms=NOW_MS)
    assert outcome == Behind(2)
    again = await journal.append(CALL, [b"x"], epoch=1, after=2, key="k", now_ms=NOW_MS)
    assert isinstance(again, Appended)
    assert await bodies_of(journal) == [b"opened", b"note", b"x"]


@pytest.mark.asyncio
async def test_writers_outside_hold_no_fence(journal: Journal) -> None:
    await owned(journal)
    await owned(journal)
    assert isinstance(await note(journal, "k"), Appended)
    reading = await journal.read(CALL, after=1)
    assert isinstance(reading, Reading)
    assert [record.epoch for record in reading.records] == [0]


@pytest.mark.asyncio
async def test_a_used_key_gets_the_first_answer(journal: Journal) -> None:
    await owned(journal)
    first = await journal.append(CALL, [b"a", b"b"], epoch=1, after=1, key="k", now_ms=NOW_MS)
    assert isinstance(first, Appended)
    await note(journal, "other")
    await owned(journal)
    again = await journal.append(CALL, [b"c"], epoch=1, after=1, key="k", now_ms=NOW_MS)
    assert again == Appended(3, first.durability, repeated=True)
    assert await bodies_of(journal) == [b"opened", b"a", b"b", b"note"]


@pytest.mark.asyncio
async def test_a_refused_key_is_not_used(journal: Journal) -> None:
    await owned(journal)
    await journal.append(CALL, [b"a"], epoch=9, after=1, key="k", now_ms=NOW_MS)
    outcome = await journal.append(CALL, [b"a"], epoch=1, after=1, key="k", now_ms=NOW_MS)
    assert isinstance(outcome, Appended)
    assert not outcome.repeated


@pytest.mark.asyncio
async def test_one_key_at_once_from_everywhere_writes_once(shared: Store) -> None:
    journals = [await shared.journal() for _ in range(2)]
    await owned(journals[0])
    outcomes = await asyncio.gather(*(note(journals[n % 2], "same") for n in range(50)))
    assert [isinstance(outcome, Appended) for outcome in outcomes] == [True] * 50
    assert {outcome.position for outcome in outcomes if isinstance(outcome, Appended)} == {2}
    assert len(await bodies_of(journals[1])) == 2


@pytest.mark.asyncio
async def test_keys_belong_to_their_call(journal: Journal) -> None:
    await owned(journal)
    await owned(journal, "CA2")
    await note(journal, "k")
    other = await journal.append("CA2", [b"x"], epoch=None, after=None, key="k", now_ms=NOW_MS)
    assert isinstance(other, Appended)
    assert not other.repeated


@pytest.mark.asyncio
async def test_fifty_appenders_at_once_leave_no_gap(shared: Store) -> None:
    journals = [await shared.journal() for _ in range(2)]
    await owned(journals[0])

    async def write(writer: int) -> list[tuple[int, bytes]]:
        written = []
        for n in range(10):
            body = b"%d/%d" % (writer, n)
            outcome = await note(journals[writer % 2], f"{writer}/{n}", body)
            assert isinstance(outcome, Appended)
            written.append((outcome.position, body))
        return written

    written = dict(chain.from_iterable(await asyncio.gather(*map(write, range(50)))))
    assert sorted(written) == list(range(2, 502))
    assert await bodies_of(journals[1]) == [b"opened", *(written[n] for n in range(2, 502))]


@pytest.mark.asyncio
async def test_a_cancelled_append_can_be_repeated(journal: Journal) -> None:
    await owned(journal)
    for n in range(20):
        impatient = asyncio.create_task(note(journal, f"k{n}", b"%d" % n))
        await asyncio.sleep(0)
        impatient.cancel()
        assert isinstance(await note(journal, f"k{n}", b"%d" % n), Appended)
        await asyncio.wait([impatient])
    assert await bodies_of(journal) == [b"opened", *(b"%d" % n for n in range(20))]


@pytest.mark.asyncio
async def test_a_call_that_is_not_there_is_missing(journal: Journal) -> None:
    assert await note(journal, "k") == Missing()
    assert await journal.read(CALL) == Missing()
    assert await journal.read("no name\n") == Missing()
    assert not await journal.lease(CALL, epoch=1, owner="o", until_ms=NOW_MS, now_ms=NOW_MS)
    assert not await journal.snapshot(CALL, epoch=1, position=1, body=b"s")
    assert not await journal.erase(CALL)
    assert not await journal.erase("")


@pytest.mark.asyncio
async def test_what_no_journal_takes_is_refused_before_it_is_written(journal: Journal) -> None:
    await owned(journal)
    with pytest.raises(ValueError, match="262145 bytes"):
        await note(journal, "k", b"x", bytes(RECORD_BYTES_MAX + 1))
    with pytest.raises(ValueError, match="at least one"):
        await journal.append(CALL, [], epoch=1, after=1, key="k", now_ms=NOW_MS)
    for key in ("", "k" * 257, "a\x00", "\ud800", "{x}"):
        with pytest.raises(ValueError, match="printable"):
            await note(journal, key)
    with pytest.raises(ValueError, match="out of range"):
        await note(journal, "k", at_ms=2**63)
    assert isinstance(await note(journal, "k", bytes(RECORD_BYTES_MAX)), Appended)
    assert len(await bodies_of(journal)) == 2


@pytest.mark.asyncio
async def test_a_full_call_says_so_and_stays(journal: Journal) -> None:
    await journal.open(CALL, [b""] * 1_000, now_ms=NOW_MS)
    for n in range(50):
        await note(journal, f"k{n}", *[b""] * 1_000)
    assert await note(journal, "over", *[b""] * 201) == Full()
    assert isinstance(await note(journal, "last", *[b""] * 200), Appended)
    assert await note(journal, "one") == Full()
    reading = await journal.read(CALL, after=RECORDS_MAX - 1)
    assert isinstance(reading, Reading)
    assert (reading.head, len(reading.records)) == (RECORDS_MAX, 1)


@pytest.mark.asyncio
async def test_only_the_newest_snapshot_is_kept(journal: Journal) -> None:
    await owned(journal)
    await note(journal, "k", b"a", b"b", b"c")
    assert await journal.snapshot(CALL, epoch=1, position=3, body=b"three")
    assert await journal.snapshot(CALL, epoch=1, position=2, body=b"two")
    assert not await journal.snapshot(CALL, epoch=1, position=5, body=b"not written yet")
    claim = await take(journal, CALL, [], owner="two", until_ms=NOW_MS, now_ms=NOW_MS)
    assert claim.snapshot == Snapshot(3, b"three")
    assert [record.body for record in claim.records] == [b"c"]
    assert not await journal.snapshot(CALL, epoch=1, position=4, body=b"of an old owner")
    reading = await journal.read(CALL)
    assert isinstance(reading, Reading)
    assert (reading.snapshot, len(reading.records)) == (claim.snapshot, 4)


@pytest.mark.asyncio
async def test_a_long_call_with_a_snapshot_is_claimed_without_reading_it_all(
    journal: Journal,
) -> None:
    await owned(journal)
    for n in range(10):
        await note(journal, f"k{n}", *[b"%d" % n] * 1_000)
    assert await journal.snapshot(CALL, epoch=1, position=10_000, body=b"state")
    claim = await take(journal, CALL, [], owner="two", until_ms=NOW_MS, now_ms=NOW_MS)
    assert claim.snapshot == Snapshot(10_000, b"state")
    assert [record.position for record in claim.records] == [10_001]


@pytest.mark.asyncio
async def test_a_lease_is_renewed_by_its_owner_only(journal: Journal) -> None:
    await owned(journal)
    assert await journal.lease(CALL, epoch=1, owner="one", until_ms=NOW_MS + 20, now_ms=NOW_MS + 10)
    await owned(journal)
    assert not await journal.lease(CALL, epoch=1, owner="one", until_ms=0, now_ms=NOW_MS + 11)
    (headline,) = await journal.open_calls()
    assert headline.lease == Lease("one", 2, NOW_MS, NOW_MS)
    assert (headline.epoch, headline.head, headline.call_sid) == (2, 1, CALL)
    assert headline.expires_ms == NOW_MS + 10 + TTL_MS


@pytest.mark.asyncio
async def test_the_calls_are_listed_oldest_first(journal: Journal) -> None:
    for n in (3, 1, 2):
        await journal.open(f"CA{n}", [b"x"], now_ms=NOW_MS + n)
    headlines = await journal.open_calls()
    assert [headline.call_sid for headline in headlines] == ["CA1", "CA2", "CA3"]
    assert [headline.lease for headline in headlines] == [None] * 3


@pytest.mark.asyncio
async def test_an_erased_call_is_gone_and_its_next_life_is_another(journal: Journal) -> None:
    first = await take(journal, CALL, [b"a"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    await note(journal, "k")
    await journal.snapshot(CALL, epoch=1, position=1, body=b"s")
    assert await journal.erase(CALL)
    assert not await journal.erase(CALL)
    assert await journal.read(CALL) == Missing()
    assert await journal.open_calls() == ()
    second = await take(journal, CALL, [b"a"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    assert second.incarnation != first.incarnation
    assert (second.epoch, second.is_new, second.snapshot) == (1, True, None)
    assert await note(journal, "k") == Appended(2, await journal.check(now_ms=NOW_MS))


@pytest.mark.asyncio
async def test_a_call_past_its_time_is_swept(journal: Journal) -> None:
    await journal.open("CA1", [b"x"], now_ms=NOW_MS)
    await journal.open("CA2", [b"x"], now_ms=NOW_MS)
    await journal.append("CA2", [b"y"], epoch=None, after=None, key="k", now_ms=NOW_MS + 9)
    assert await journal.sweep(now_ms=NOW_MS + TTL_MS - 1) == 0
    assert await journal.sweep(now_ms=NOW_MS + TTL_MS) == 1
    assert [headline.call_sid for headline in await journal.open_calls()] == ["CA2"]
    assert await journal.sweep(now_ms=NOW_MS + TTL_MS + 9) == 1
    assert await journal.read("CA2") == Missing()


@pytest.mark.asyncio
async def test_a_call_past_its_time_counts_as_missing_before_it_is_swept(journal: Journal) -> None:
    first = await take(journal, CALL, [b"a"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    later_ms = NOW_MS + TTL_MS
    assert await note(journal, "k", at_ms=later_ms) == Missing()
    assert not await journal.lease(CALL, epoch=1, owner="one", until_ms=0, now_ms=later_ms)
    second = await take(journal, CALL, [b"b"], owner="one", until_ms=NOW_MS, now_ms=later_ms)
    assert second.is_new
    assert second.incarnation != first.incarnation
    assert await bodies_of(journal) == [b"b"]
