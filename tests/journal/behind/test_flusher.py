"""O-6, R-3: what is told to the store, in which order, and what is never told."""

from collections.abc import Sequence
from typing import Any

import pytest

from service.errors import StoreUnavailable
from service.journal.behind.branch import Branch
from service.journal.behind.entries import Leaving, Writing
from service.journal.behind.flusher import NOTE_BYTES_MAX, NOTE_WRITES_MAX, Flusher
from service.journal.behind.held import Held
from service.journal.values import Claim, NotDurable, Outcome, Reading
from tests.journal.backends import orphan
from tests.journal.behind.faults import CALL, FaultyStore

pytestmark = pytest.mark.asyncio
NOW_MS = 1_790_000_000_000


@pytest.fixture
def flusher(faulty: FaultyStore) -> Flusher:
    return Flusher(faulty, orphan)


async def begun(faulty: FaultyStore) -> Branch:
    """A branch of a call that was claimed once, with two writes to come."""
    await faulty.start()
    claim = await faulty.real.claim(CALL, [b"o"], owner="us", until_ms=NOW_MS, now_ms=NOW_MS)
    assert isinstance(claim, Claim)
    branch = Branch("b", CALL, incarnation=claim.incarnation, epoch=1, head=1, at_ms=NOW_MS)
    branch.owner = "us"
    for key in "ab":
        branch.append([key.encode()], epoch=1, after=None, key=key, at_ms=NOW_MS)
    return branch


async def outside(faulty: FaultyStore, body: bytes) -> None:
    await faulty.real.append(CALL, [body], epoch=None, after=None, key=body.hex(), now_ms=NOW_MS)


async def test_writes_are_told_in_order_and_once(faulty: FaultyStore, flusher: Flusher) -> None:
    branch = await begun(faulty)
    faulty.way = "lost_reply"
    with pytest.raises(StoreUnavailable):
        await flusher.flush(branch, None, NOW_MS)
    faulty.way = "well"
    assert await flusher.flush(branch, None, NOW_MS) == 2
    assert await faulty.bodies() == [b"o", b"a", b"b"]
    assert not branch.is_shifted
    await faulty.close()


async def test_writes_stand_behind_what_others_wrote(faulty: FaultyStore, flusher: Flusher) -> None:
    branch = await begun(faulty)
    await outside(faulty, b"note")
    assert await flusher.flush(branch, None, NOW_MS) == 2
    assert await faulty.bodies() == [b"o", b"note", b"a", b"b"]
    assert branch.is_shifted
    await faulty.close()


async def test_a_branch_that_another_owner_overtook_is_kept_beside(
    faulty: FaultyStore, flusher: Flusher
) -> None:
    """Never merged; but what had arrived before is not lost, and a note is a note."""
    branch = await begun(faulty)
    await faulty.real.append(CALL, [b"a"], epoch=1, after=1, key="a", now_ms=NOW_MS)
    await faulty.real.claim(CALL, [], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    branch.claim([], owner="us", until_ms=NOW_MS, at_ms=NOW_MS)
    branch.append([b"c"], epoch=2, after=None, key="c", at_ms=NOW_MS)
    branch.append([b"note"], epoch=None, after=None, key="n", at_ms=NOW_MS)
    await flusher.flush(branch, None, NOW_MS)
    assert branch.is_fenced
    assert await faulty.bodies() == [b"o", b"a", b"note", b"orphan of 2: b c"]
    await flusher.flush(branch, None, NOW_MS)
    assert len(await faulty.bodies()) == 4
    await faulty.close()


async def test_a_branch_that_goes_on_losing_lists_that_too(
    faulty: FaultyStore, flusher: Flusher
) -> None:
    branch = await begun(faulty)
    await faulty.real.claim(CALL, [], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    await flusher.flush(branch, None, NOW_MS)
    branch.append([b"c"], epoch=1, after=None, key="c", at_ms=NOW_MS)
    await flusher.flush(branch, None, NOW_MS)
    assert await faulty.bodies() == [b"o", b"orphan of 1: a b", b"orphan of 1: c"]
    await faulty.close()


async def test_a_call_that_was_left_is_found_though_it_was_released(
    faulty: FaultyStore, flusher: Flusher
) -> None:
    """Seeds 322431 and 10016991 of the simulation: what was asked of a tool had no end for ever."""
    branch = await begun(faulty)
    await faulty.real.release(CALL, epoch=1)
    branch.leave()
    await flusher.flush(branch, None, NOW_MS)
    assert branch.is_told
    (lapsed,) = await faulty.real.lapsed(now_ms=NOW_MS, limit=9)
    assert (lapsed.epoch, lapsed.head) == (1, 3)
    assert lapsed.lease is not None
    assert lapsed.lease.renewed_ms == NOW_MS, "when its holder wrote last"
    await faulty.close()


async def test_a_call_that_was_left_and_is_somebody_elses_stays_theirs(
    faulty: FaultyStore, flusher: Flusher
) -> None:
    branch = await begun(faulty)
    later_ms = NOW_MS + 5_000
    await faulty.real.claim(CALL, [], owner="them", until_ms=later_ms, now_ms=NOW_MS)
    branch.leave()
    await flusher.flush(branch, None, NOW_MS)
    assert branch.is_told
    (call,) = await faulty.real.open_calls()
    assert call.lease is not None
    assert (call.lease.owner, call.lease.until_ms) == ("them", later_ms)
    await faulty.close()


async def test_a_call_that_only_rang_is_nobodys_when_it_is_left(
    faulty: FaultyStore, flusher: Flusher
) -> None:
    await faulty.start()
    branch = Branch("b", CALL, incarnation="here", epoch=0, head=0, at_ms=NOW_MS)
    branch.open([b"o"], NOW_MS)
    branch.leave()
    await flusher.flush(branch, None, NOW_MS)
    assert branch.is_told
    (call,) = await faulty.real.open_calls()
    assert (call.epoch, call.lease) == (0, None)
    await faulty.close()


async def test_who_lost_a_call_does_not_release_it_for_who_has_it(
    faulty: FaultyStore, flusher: Flusher
) -> None:
    """Seed 359895: both had counted to the same claim, and nobody looked after the call any more."""
    branch = await begun(faulty)
    await faulty.real.claim(CALL, [], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    branch.claim([], owner="us", until_ms=NOW_MS, at_ms=NOW_MS)
    branch.enlist(Leaving(2, NOW_MS))
    await flusher.flush(branch, None, NOW_MS)
    assert branch.is_told
    (lapsed,) = await faulty.real.lapsed(now_ms=NOW_MS, limit=9)
    assert lapsed.lease is not None
    assert (lapsed.lease.owner, lapsed.epoch) == ("them", 2)
    await faulty.close()


async def test_many_writes_that_are_lost_are_all_listed(
    faulty: FaultyStore, flusher: Flusher
) -> None:
    branch = await begun(faulty)
    more = [b"%d" % number for number in range(2 * NOTE_WRITES_MAX)]
    for body in more:
        branch.append([body], epoch=1, after=None, key=f"k{body.decode()}", at_ms=NOW_MS)
    branch.append([b"x" * NOTE_BYTES_MAX], epoch=1, after=None, key="x", at_ms=NOW_MS)
    await faulty.real.claim(CALL, [], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    await flusher.flush(branch, None, NOW_MS)
    notes = (await faulty.bodies())[1:]
    listed = [body for note in notes for body in note.removeprefix(b"orphan of 1: ").split()]
    assert listed == [b"a", b"b", *more, b"x" * NOTE_BYTES_MAX]
    assert len(notes) == 4
    await faulty.close()


async def test_a_loss_that_the_store_did_not_hear_of_is_told_again_and_stands_once(
    faulty: FaultyStore, flusher: Flusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch = await begun(faulty)
    await faulty.real.claim(CALL, [], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    append = faulty.append

    async def unheard(call_sid: str, bodies: Sequence[bytes], **named: Any) -> Outcome:
        outcome = await append(call_sid, bodies, **named)
        return NotDurable(2) if named["epoch"] is None else outcome

    with monkeypatch.context() as patch:
        patch.setattr(faulty, "append", unheard)
        with pytest.raises(StoreUnavailable, match="durable"):
            await flusher.flush(branch, None, NOW_MS)
    assert not branch.entries
    assert not branch.is_told
    assert [entry.key for entry in branch.untold if isinstance(entry, Writing)] == ["a", "b"]
    await flusher.flush(branch, None, NOW_MS)
    assert branch.is_told
    assert await faulty.bodies() == [b"o", b"orphan of 1: a b"]
    await faulty.close()


async def test_a_branch_that_lost_its_call_takes_it_no_more_by_a_later_claim(
    faulty: FaultyStore, flusher: Flusher
) -> None:
    """Seed 2128: the facts between two claims would be missing, the end of a tool among them."""
    await faulty.start()
    branch = Branch("b", CALL, incarnation="ours", epoch=0, head=0, at_ms=NOW_MS)
    branch.open([b"o"], NOW_MS)
    for epoch in (1, 2):
        branch.claim([], owner="us", until_ms=NOW_MS + 5, at_ms=NOW_MS)
        branch.append([b"%d" % epoch], epoch=epoch, after=None, key=f"k{epoch}", at_ms=NOW_MS)
    await faulty.real.claim(CALL, [b"o"], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    await flusher.flush(branch, None, NOW_MS)
    reading = await faulty.real.read(CALL)
    assert isinstance(reading, Reading)
    assert reading.epoch == 1, "theirs"
    assert await faulty.bodies() == [b"o", b"orphan of 2: 1 2"]
    await faulty.close()


async def test_a_claim_of_which_only_the_answer_got_lost_is_ours(
    faulty: FaultyStore, flusher: Flusher
) -> None:
    branch = await begun(faulty)
    branch.claim([], owner="us", until_ms=NOW_MS, at_ms=NOW_MS)
    branch.append([b"c"], epoch=2, after=None, key="c", at_ms=NOW_MS)
    for _ in range(2):
        first = branch.entries[0]
        assert isinstance(first, Writing)
        await flusher._write(branch, None, first)
    faulty.way = "lost_reply"
    with pytest.raises(StoreUnavailable):
        await flusher.flush(branch, None, NOW_MS)
    faulty.way = "well"
    await flusher.flush(branch, None, NOW_MS)
    assert await faulty.bodies() == [b"o", b"a", b"b", b"c"]
    reading = await faulty.real.read(CALL)
    assert isinstance(reading, Reading)
    assert reading.epoch == 2
    assert not branch.is_fenced
    await faulty.close()


async def test_a_call_that_rang_meanwhile_is_opened_claimed_and_written(
    faulty: FaultyStore, flusher: Flusher
) -> None:
    await faulty.start()
    branch = Branch("b", CALL, incarnation="ours", epoch=0, head=0, at_ms=NOW_MS)
    branch.open([b"o"], NOW_MS)
    branch.claim([b"p"], owner="us", until_ms=NOW_MS + 5, at_ms=NOW_MS)
    branch.append([b"a"], epoch=1, after=1, key="a", at_ms=NOW_MS)
    await flusher.flush(branch, None, NOW_MS)
    assert await faulty.bodies() == [b"o", b"a"]
    assert branch.is_shifted
    assert branch.store_incarnation != "ours"
    (headline,) = await faulty.real.open_calls()
    assert headline.lease is not None
    assert headline.lease.owner == "us"
    await faulty.close()


async def test_what_the_store_lost_is_written_again_first(
    faulty: FaultyStore, flusher: Flusher
) -> None:
    """R-3: a fail-over took acknowledged records with it."""
    branch = await begun(faulty)
    held = Held(CALL, owner="us", incarnation="i", epoch=1, head=1, lease_ms=5_000)
    await flusher.flush(branch, held, NOW_MS)
    branch.append([b"c"], epoch=1, after=3, key="c", at_ms=NOW_MS)
    await faulty.forget(2)
    assert await faulty.bodies() == [b"o"]
    await flusher.flush(branch, held, NOW_MS)
    assert await faulty.bodies() == [b"o", b"a", b"b", b"c"]
    assert not branch.is_shifted
    await faulty.close()


async def test_a_call_that_the_store_no_longer_knows_is_dropped(
    faulty: FaultyStore, flusher: Flusher
) -> None:
    branch = await begun(faulty)
    await faulty.real.erase(CALL)
    assert await flusher.flush(branch, None, NOW_MS) == 0
    assert branch.is_missing
    assert not branch.entries
    await faulty.close()


async def test_what_is_not_durable_yet_stays(
    faulty: FaultyStore, flusher: Flusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch = await begun(faulty)

    async def short_of_replicas(*_words: object, **_named: object) -> NotDurable:
        return NotDurable(2)

    with monkeypatch.context() as patch:
        patch.setattr(faulty, "append", short_of_replicas)
        with pytest.raises(StoreUnavailable, match="durable"):
            await flusher.flush(branch, None, NOW_MS)
    assert await flusher.flush(branch, None, NOW_MS) == 2
    await faulty.close()
