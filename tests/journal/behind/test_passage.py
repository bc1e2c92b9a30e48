"""O-6: the rest of a journal's promise while the store is away."""

import gc
import warnings
from pathlib import Path

import pytest

from service.clock import Clock
from service.errors import StoreUnavailable
from service.journal.behind.bridge import Bridge
from service.journal.behind.passage import SETTLE_MS
from service.journal.behind.shelf import Shelf
from service.journal.values import Durability, Reading, Spent, Unspendable
from tests.conftest import wait_until
from tests.journal.behind.faults import CALL, FaultyStore, bridge_to

pytestmark = pytest.mark.asyncio
NOW_MS = Clock().now_ms() - 1_000


async def spend(bridge: Bridge, stream_sid: str = "MZ1") -> Spent | Unspendable:
    return await bridge.spend(
        CALL, "n", stream_sid=stream_sid, window_ms=60_000, uses_max=3, now_ms=NOW_MS
    )


async def hold(bridge: Bridge) -> None:
    await bridge.claim(CALL, [b"o"], owner="us", until_ms=NOW_MS + 5_000, now_ms=NOW_MS)


async def test_a_token_is_spent_here_and_the_store_is_told(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    faulty.way = "away"
    assert await spend(bridge) == Spent(1)
    assert isinstance(await spend(bridge, "MZ2"), Unspendable)
    faulty.way = "well"
    await wait_until(lambda: not bridge._keeper.loose, description="the store is told")
    assert isinstance(await spend(bridge, "MZ2"), Unspendable)
    assert await spend(bridge) == Spent(2)


async def test_a_token_that_the_store_took_from_here_is_refused_without_it(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    """S-2. Seed 20048 of the simulation: a copy of a live stream's token took its call in an outage."""
    assert await spend(bridge) == Spent(1)
    faulty.way = "away"
    assert isinstance(await spend(bridge, "MZ2"), Unspendable)
    assert await spend(bridge) == Spent(2)


async def test_a_name_is_remembered_here_and_the_store_is_told(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    faulty.way = "away"
    await bridge.remember("from:1", CALL, ttl_ms=600_000, now_ms=bridge._clock.now_ms())
    assert await bridge.recall("from:1", now_ms=bridge._clock.now_ms()) == CALL
    with pytest.raises(StoreUnavailable):
        await bridge.recall("from:2", now_ms=NOW_MS)
    faulty.way = "well"
    await wait_until(lambda: not bridge._keeper.loose, description="the store is told")
    assert await faulty.real.recall("from:1", now_ms=bridge._clock.now_ms()) == CALL


async def test_a_name_for_a_store_that_is_known_to_be_away_is_not_even_sent(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    """Found by the simulation (seed 11): a question that was made, and never asked."""
    faulty.way = "away"
    bridge._keeper.lose()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        await bridge.remember("from:1", CALL, ttl_ms=600_000, now_ms=bridge._clock.now_ms())
        gc.collect()
    assert [str(one.message) for one in told] == []
    assert await bridge.recall("from:1", now_ms=bridge._clock.now_ms()) == CALL


async def test_a_call_stays_held_and_is_let_go_in_its_branch(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    await hold(bridge)
    faulty.way = "away"
    assert await bridge.release(CALL, epoch=1)
    assert await bridge.lease(CALL, epoch=1, owner="us", until_ms=NOW_MS, now_ms=NOW_MS)
    assert not await bridge.lease(CALL, epoch=2, owner="us", until_ms=NOW_MS, now_ms=NOW_MS)
    assert not await bridge.release(CALL, epoch=2)
    with pytest.raises(StoreUnavailable):
        await bridge.erase(CALL)
    faulty.way = "well"
    await wait_until(lambda: not bridge.arrears.calls, description="the store is told")
    assert await bridge.erase(CALL)


async def test_a_store_that_is_only_slow_is_told_that_the_call_is_held(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    """Else its lease would run out while it talks, and another server would lead it away."""

    async def held_until_ms() -> int:
        (call,) = await faulty.real.open_calls()
        return call.lease.until_ms if call.lease else 0

    await hold(bridge)
    faulty.way = "slow"
    await bridge.append(CALL, [b"b"], epoch=1, after=1, key="b", now_ms=NOW_MS)
    assert bridge._roll.branches
    later_ms = NOW_MS + 9_000
    assert await bridge.lease(CALL, epoch=1, owner="us", until_ms=later_ms, now_ms=NOW_MS)
    (renewal,) = bridge._renewals
    await renewal
    assert await held_until_ms() == later_ms


async def test_a_store_that_is_away_is_told_of_no_hold(bridge: Bridge, faulty: FaultyStore) -> None:
    await hold(bridge)
    faulty.way = "away"
    await bridge.append(CALL, [b"b"], epoch=1, after=1, key="b", now_ms=NOW_MS)
    bridge._keeper.lose()
    assert await bridge.lease(CALL, epoch=1, owner="us", until_ms=NOW_MS, now_ms=NOW_MS)
    assert not await bridge.lease(CALL, epoch=2, owner="us", until_ms=NOW_MS, now_ms=NOW_MS)
    assert not bridge._renewals


async def test_a_call_that_waits_for_the_store_is_not_pruned(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    await hold(bridge)
    assert await faulty.real.release(CALL, epoch=1)
    faulty.way = "away"
    await bridge.append(CALL, [b"b"], epoch=1, after=1, key="b", now_ms=NOW_MS)
    assert not await bridge.prune(CALL)
    faulty.way = "well"
    await wait_until(lambda: not bridge.arrears.calls, description="the store is told")
    assert await bridge.release(CALL, epoch=1)
    assert await bridge.prune(CALL)
    assert not bridge._roll.held


async def test_what_only_the_store_knows_is_refused_at_once_while_it_is_away(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    faulty.way = "away"
    with pytest.raises(StoreUnavailable):
        await bridge.check(now_ms=NOW_MS)
    faulty.way = "silent"  # nobody is asked, so nobody waits
    for question in (
        bridge.check(now_ms=NOW_MS),
        bridge.open_calls(),
        bridge.sweep(now_ms=NOW_MS),
        bridge.lapsed(now_ms=NOW_MS, limit=9),
        bridge.adopt(CALL, lapsed=None, owner="us", until_ms=NOW_MS, now_ms=NOW_MS),
        bridge.release(CALL, epoch=1),
        bridge.lease(CALL, epoch=1, owner="us", until_ms=NOW_MS, now_ms=NOW_MS),
    ):
        with pytest.raises(StoreUnavailable, match="again and again"):
            await question


async def killed(bridge: Bridge) -> None:
    """End as a process does that is killed: what it has on disk stays, and is told to nobody."""
    bridge._keeper._watch.cancel()  # type: ignore[union-attr] # it runs
    await bridge._shelf.close()


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
async def test_what_two_processes_left_of_a_call_stands_under_the_fence_of_each(
    faulty: FaultyStore, tmp_path: Path, names: tuple[str, str]
) -> None:
    """Rule 2, whichever of their files is read first."""
    dead = [bridge_to(faulty, Shelf(tmp_path, name)) for name in names]
    for bridge in dead:
        await bridge.start()  # before any of them dies: neither is the other's heir
    for epoch, bridge in enumerate(dead, 1):
        await hold(bridge)
        faulty.way = "away"
        for key in "xy":
            await bridge.append(
                CALL,
                [b"%d%s" % (epoch, key.encode())],
                epoch=epoch,
                after=None,
                key=f"{epoch}{key}",
                now_ms=NOW_MS,
            )
        await killed(bridge)
        faulty.way = "well"
    heir = bridge_to(faulty, Shelf(tmp_path, "c"))
    await heir.start()
    assert not heir.arrears.calls
    reading = await heir.read(CALL)
    assert isinstance(reading, Reading)
    assert [(one.epoch, one.body) for one in reading.records] == [
        (0, b"o"),
        (0, b"orphan of 1: 1x 1y"),
        (2, b"2x"),
        (2, b"2y"),
    ]
    await heir.close()
    assert await Shelf(tmp_path, "d").take_over() == ()


async def test_nobody_is_looked_after_right_after_an_outage(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    """Their owners could not renew: all would be found at once, though nothing is wrong with them."""
    await faulty.real.claim(CALL, [], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    now_ms = bridge._clock.now_ms()
    assert len(await bridge.lapsed(now_ms=now_ms, limit=9)) == 1
    faulty.way = "away"
    with pytest.raises(StoreUnavailable):
        await bridge.check(now_ms=NOW_MS)
    faulty.way = "well"
    await wait_until(lambda: bridge._keeper.near_ms > 0, description="it is back")
    assert await bridge.lapsed(now_ms=bridge._keeper.near_ms + 1, limit=9) == ()
    assert await bridge.check(now_ms=NOW_MS) is Durability.MEMORY
    assert len(await bridge.lapsed(now_ms=bridge._keeper.near_ms + SETTLE_MS, limit=9)) == 1
