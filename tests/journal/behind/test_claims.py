"""O-6: which calls can be taken while the store is away, and under which fence."""

import pytest

from service.errors import StoreUnavailable
from service.journal.behind.bridge import Bridge
from service.journal.behind.entries import Opening, Shelved, Taking, Writing
from service.journal.values import Appended, Claim, Fenced, Known, Outcome, Reading, Rebased
from tests.conftest import wait_until
from tests.journal.behind.faults import CALL, FaultyStore

pytestmark = pytest.mark.asyncio
NOW_MS = 1_790_000_000_000


async def take(
    bridge: Bridge, *, known: Known | None = None, expected: int | None = None
) -> Claim | Fenced:
    return await bridge.claim(
        CALL,
        [b"o"],
        owner="us",
        until_ms=NOW_MS + 5_000,
        now_ms=NOW_MS,
        known=known,
        expected=expected,
    )


async def write(bridge: Bridge, key: str, *, epoch: int, after: int) -> Outcome:
    return await bridge.append(
        CALL, [key.encode()], epoch=epoch, after=after, key=key, now_ms=NOW_MS
    )


async def all_is_told(bridge: Bridge, faulty: FaultyStore) -> None:
    faulty.way = "well"
    await wait_until(lambda: not bridge.arrears.calls, description="all is told")


@pytest.mark.parametrize("way", ["away", "slow", "lost_reply", "silent"])
async def test_a_stream_that_returns_takes_its_call_without_the_store(
    bridge: Bridge, faulty: FaultyStore, way: str
) -> None:
    first = await take(bridge)
    assert isinstance(first, Claim)
    await write(bridge, "a", epoch=1, after=1)
    faulty.way = way
    second = await take(bridge, known=Known(first.incarnation, 2))
    assert isinstance(second, Claim)
    assert (second.epoch, second.since, second.records) == (2, 2, ())
    assert second.lease is not None
    assert second.lease.owner == "us"
    assert await write(bridge, "b", epoch=1, after=2) == Fenced(2)
    assert isinstance(await write(bridge, "b", epoch=2, after=2), Appended)
    faulty.may_answer.set()
    await all_is_told(bridge, faulty)
    assert await faulty.bodies() == [b"o", b"a", b"b"]
    (headline,) = await faulty.real.open_calls()
    assert headline.epoch == 2


async def test_a_call_that_rings_is_served_without_the_store(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    faulty.way = "away"
    headline = await bridge.open(CALL, [b"o"], now_ms=NOW_MS)
    assert (headline.epoch, headline.head) == (0, 1)
    assert await bridge.open(CALL, [b"again"], now_ms=NOW_MS) == headline
    claim = await take(bridge, expected=0)
    assert isinstance(claim, Claim)
    assert [one.body for one in claim.records] == [b"o"]
    assert await take(bridge, expected=0) == Fenced(1)
    await write(bridge, "a", epoch=1, after=1)
    await all_is_told(bridge, faulty)
    assert isinstance(await write(bridge, "b", epoch=1, after=2), Rebased)
    assert isinstance(await write(bridge, "b", epoch=1, after=2), Appended)
    assert await faulty.bodies() == [b"o", b"a", b"b"]


async def test_a_stream_of_a_call_that_rang_elsewhere_is_taken_provisionally(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    await faulty.real.open(CALL, [b"there", b"too"], now_ms=NOW_MS)
    faulty.way = "away"
    claim = await take(bridge, expected=0)
    assert isinstance(claim, Claim)
    await write(bridge, "a", epoch=1, after=1)
    await all_is_told(bridge, faulty)
    assert await faulty.bodies() == [b"there", b"too", b"a"]
    assert isinstance(await write(bridge, "b", epoch=1, after=2), Rebased)
    reading = await bridge.read(CALL)
    assert isinstance(reading, Reading)
    assert reading.head == 3


async def test_who_comes_back_is_not_taken_for_a_call_that_only_rings_here(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    """Seed 333588 of the simulation: a webhook that came twice had the call ring anew, and it was greeted again."""
    await faulty.real.claim(CALL, [b"there"], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    faulty.way = "away"
    await bridge.open(CALL, [b"o"], now_ms=NOW_MS)
    with pytest.raises(StoreUnavailable):
        await take(bridge)
    await all_is_told(bridge, faulty)
    claim = await take(bridge)
    assert isinstance(claim, Claim)
    assert (claim.epoch, [one.body for one in claim.records]) == (2, [b"there"])


async def test_a_call_that_nobody_here_knows_is_the_stores_alone(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    await faulty.real.claim(CALL, [b"o"], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    faulty.way = "away"
    with pytest.raises(StoreUnavailable):
        await take(bridge)
    with pytest.raises(StoreUnavailable):
        await take(bridge, known=Known("inc", 1))


async def test_a_branch_is_told_before_somebody_else_here_takes_the_call(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    first = await take(bridge)
    faulty.way = "away"
    await write(bridge, "a", epoch=1, after=1)
    with pytest.raises(StoreUnavailable):
        await take(bridge)
    faulty.way = "well"
    await wait_until(lambda: not bridge.arrears.calls, description="all is told")
    again = await take(bridge)
    assert isinstance(first, Claim)
    assert isinstance(again, Claim)
    assert [one.body for one in again.records] == [b"o", b"a"]


async def test_all_that_was_left_of_a_call_is_told_before_it_is_taken(bridge: Bridge) -> None:
    """The first branch is whole, and could be taken as it is; but somebody had the call after it."""
    left = [
        Shelved("first", CALL, "here", 0, 0, Opening((b"o",), NOW_MS)),
        Shelved("first", CALL, "here", 0, 0, Taking((), "them", 1, NOW_MS, NOW_MS)),
        Shelved("second", CALL, "here", 1, 1, Writing((b"a",), 1, "a", NOW_MS, 2)),
    ]
    bridge._roll.restore(left, NOW_MS)
    claim = await take(bridge)
    assert isinstance(claim, Claim)
    assert (claim.epoch, [one.body for one in claim.records]) == (2, [b"o", b"a"])
    assert not bridge.arrears.calls


async def test_a_call_that_was_taken_elsewhere_meanwhile_is_claimed_all_the_same(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    first = await take(bridge)
    assert isinstance(first, Claim)
    await faulty.real.claim(CALL, [], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    claim = await take(bridge, known=Known(first.incarnation, 1))
    assert isinstance(claim, Claim)
    assert (claim.epoch, claim.lease.owner if claim.lease else "") == (3, "them")


async def test_what_the_store_lost_is_known_to_who_claims_again(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    first = await take(bridge)
    assert isinstance(first, Claim)
    for after in (1, 2, 3):
        await write(bridge, f"w{after}", epoch=1, after=after)
    await faulty.forget(2)
    claim = await take(bridge, known=Known(first.incarnation, 4))
    assert isinstance(claim, Claim)
    assert [one.body for one in claim.records] == [b"o", b"w1", b"w2", b"w3"]
    await all_is_told(bridge, faulty)
    assert await faulty.bodies() == [b"o", b"w1", b"w2", b"w3"]


async def test_who_wrote_on_a_branch_that_did_not_hold_is_told_all_from_the_first(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    """Seed 100727: it went on from facts that nobody has, and never learned of the other's."""
    first = await take(bridge)
    assert isinstance(first, Claim)
    faulty.way = "away"
    assert isinstance(await write(bridge, "ours", epoch=1, after=1), Appended)
    theirs = await faulty.real.claim(CALL, [], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    assert isinstance(theirs, Claim)
    await faulty.real.append(CALL, [b"theirs"], epoch=2, after=1, key="theirs", now_ms=NOW_MS)
    await all_is_told(bridge, faulty)
    claim = await take(bridge, known=Known(first.incarnation, 2))
    assert isinstance(claim, Claim)
    assert (claim.epoch, claim.since) == (3, 0)
    assert [one.body for one in claim.records][:2] == [b"o", b"theirs"]
