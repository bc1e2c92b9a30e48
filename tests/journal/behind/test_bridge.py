"""O-6, R-9: a call goes on while its store does not."""

import asyncio
from asyncio import Task
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from service.clock import Clock
from service.errors import StoreUnavailable
from service.journal.behind import branch as branches
from service.journal.behind.arrears import Status
from service.journal.behind.bridge import Bridge
from service.journal.behind.entries import encode
from service.journal.behind.reach import Deadlines
from service.journal.behind.shelf import Shelf
from service.journal.behind.shelffile import left_files
from service.journal.values import (
    Appended,
    Behind,
    Claim,
    Durability,
    Fenced,
    Known,
    Missing,
    Outcome,
    Reading,
    Rebased,
)
from tests.conftest import wait_until
from tests.journal.behind.faults import CALL, FaultyStore, bridge_to

T = TypeVar("T")
pytestmark = pytest.mark.asyncio
NOW_MS = Clock().now_ms()


async def hold(bridge: Bridge) -> Claim:
    claim = await bridge.claim(CALL, [b"o"], owner="us", until_ms=NOW_MS + 5_000, now_ms=NOW_MS)
    assert isinstance(claim, Claim)
    return claim


async def write(bridge: Bridge, key: str, after: int | None, *, epoch: int | None = 1) -> Outcome:
    return await bridge.append(
        CALL, [key.encode()], epoch=epoch, after=after, key=key, now_ms=NOW_MS
    )


async def all_is_told(bridge: Bridge, faulty: FaultyStore) -> None:
    faulty.way = "well"
    faulty.may_answer.set()
    await wait_until(lambda: not bridge.arrears.calls, description="all is told")


@pytest.mark.parametrize("way", ["away", "slow", "lost_reply", "silent"])
async def test_a_write_is_acknowledged_by_this_machines_disk(
    bridge: Bridge, faulty: FaultyStore, way: str
) -> None:
    await hold(bridge)
    faulty.way = way
    assert await write(bridge, "a", 1) == Appended(2, Durability.LOCAL)
    assert await write(bridge, "b", 2) == Appended(3, Durability.LOCAL)
    assert await write(bridge, "c", 2) == Behind(3)
    again = await write(bridge, "a", 1)
    assert isinstance(again, Appended)
    assert (again.position, again.repeated) == (2, True)
    reading = await bridge.read(CALL, after=1)
    assert isinstance(reading, Reading)
    assert [one.body for one in reading.records] == [b"a", b"b"]
    await all_is_told(bridge, faulty)
    assert await faulty.bodies() == [b"o", b"a", b"b"]
    assert isinstance(await write(bridge, "c", 3), Appended)


async def test_a_fact_of_the_talk_waits_for_a_silent_store_no_longer_than_a_write_may(
    faulty: FaultyStore, tmp_path: Path
) -> None:
    """O-6: what may wait longer, a claim, has another deadline."""
    bridge = bridge_to(faulty, Shelf(tmp_path, "one"), deadlines=Deadlines(0.02, 20.0))
    await bridge.start()
    await hold(bridge)
    faulty.way = "silent"
    async with asyncio.timeout(5):
        assert await write(bridge, "a", 1) == Appended(2, Durability.LOCAL)
    await all_is_told(bridge, faulty)
    await bridge.close()


async def test_an_owner_hears_in_the_outage_what_was_written_here(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    await hold(bridge)
    faulty.way = "away"
    assert await write(bridge, "hang up", None, epoch=None) == Appended(2, Durability.LOCAL)
    assert await write(bridge, "a", 1) == Behind(2)
    await all_is_told(bridge, faulty)
    assert await faulty.bodies() == [b"o", b"hang up"]


async def test_a_write_that_the_store_may_have_is_not_refused_for_one_that_came_meanwhile(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    """Seed 516439: its owner decided anew, and a person took the agent's place twice."""
    await hold(bridge)
    faulty.way = "late_reply"
    writing = asyncio.create_task(write(bridge, "a", 1))
    await faulty.has_worked.wait()
    faulty.way = "away"
    assert await write(bridge, "note", None, epoch=None) == Appended(2, Durability.LOCAL)
    assert await writing == Appended(3, Durability.LOCAL)
    faulty.may_answer.set()
    await all_is_told(bridge, faulty)
    assert await faulty.bodies() == [b"o", b"a", b"note"]


async def test_records_that_came_to_stand_elsewhere_are_told_as_moved(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    await hold(bridge)
    faulty.way = "away"
    await write(bridge, "a", 1)
    await faulty.real.append(CALL, [b"n"], epoch=None, after=None, key="n", now_ms=NOW_MS)
    await all_is_told(bridge, faulty)
    assert not await bridge.snapshot(CALL, epoch=1, position=2, body=b"of the wrong records")
    reading = await bridge.read(CALL, after=2)
    assert isinstance(reading, Reading)
    assert [one.body for one in reading.records] == [b"o", b"n", b"a"], "all, until it knows"
    assert await write(bridge, "b", 2) == Rebased()
    assert isinstance(await write(bridge, "b", 3), Appended)
    await all_is_told(bridge, faulty)
    assert await bridge.snapshot(CALL, epoch=1, position=4, body=b"of the right ones")


async def test_a_call_that_another_owner_took_meanwhile_is_lost_here(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    await hold(bridge)
    faulty.way = "away"
    await write(bridge, "a", 1)
    await faulty.real.claim(CALL, [], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    await all_is_told(bridge, faulty)
    assert isinstance(await write(bridge, "b", 2), Fenced)
    assert await faulty.bodies() == [b"o", b"orphan of 1: a"]


async def test_a_fence_that_did_not_hold_is_nobodys_here_though_another_has_its_number(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    """Seed 2537: two owners under one number would both write."""
    held = await hold(bridge)
    faulty.way = "away"
    claim = await bridge.claim(
        CALL,
        [b"o"],
        owner="us",
        until_ms=NOW_MS + 9,
        now_ms=NOW_MS,
        known=Known(held.incarnation, 1),
    )
    assert isinstance(claim, Claim)
    assert claim.epoch == 2
    await write(bridge, "a", 1, epoch=2)
    assert bridge.is_final(CALL, 2) is False
    await faulty.real.claim(CALL, [], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    await all_is_told(bridge, faulty)
    assert isinstance(await write(bridge, "b", None, epoch=2), Fenced)
    assert not await bridge.lease(CALL, epoch=2, owner="us", until_ms=NOW_MS, now_ms=NOW_MS)
    assert not await bridge.release(CALL, epoch=2)
    assert bridge.is_final(CALL, 2) is None
    again = await bridge.claim(CALL, [b"o"], owner="us", until_ms=NOW_MS + 9, now_ms=NOW_MS)
    assert isinstance(again, Claim)
    assert again.epoch == 3
    assert bridge.is_final(CALL, 3) is True
    assert await bridge.lease(CALL, epoch=3, owner="us", until_ms=NOW_MS, now_ms=NOW_MS)


async def test_what_the_store_lost_of_the_newest_is_written_again(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    """R-3: a fail-over loses a suffix that was acknowledged."""
    await hold(bridge)
    for after in (1, 2, 3):
        await write(bridge, f"w{after}", after)
    await faulty.forget(2)
    assert isinstance(await write(bridge, "note", None, epoch=None), Appended)
    assert isinstance(await write(bridge, "w4", 5), Appended)
    await all_is_told(bridge, faulty)
    assert await faulty.bodies() == [b"o", b"w1", b"w2", b"w3", b"note", b"w4"]


async def begin(
    faulty: FaultyStore, work: Coroutine[Any, Any, T], way: str = "late_reply"
) -> Task[T]:
    """Let the store do the work, and keep its answer back."""
    faulty.way = way
    task = asyncio.create_task(work)
    await faulty.has_worked.wait()
    return task


async def test_an_answer_that_another_overtook_does_not_say_that_the_store_went_back(
    patient: Bridge, faulty: FaultyStore
) -> None:
    await hold(patient)
    note = await begin(faulty, write(patient, "note", None, epoch=None))
    faulty.way = "well"
    assert await write(patient, "w", 2) == Appended(3, Durability.MEMORY)
    faulty.may_answer.set()
    assert await note == Appended(2, Durability.MEMORY)
    assert not patient.arrears.calls
    assert await write(patient, "x", 3) == Appended(4, Durability.MEMORY)
    assert await faulty.bodies() == [b"o", b"note", b"w", b"x"]


async def test_a_claim_that_a_note_overtook_does_not_say_that_the_store_went_back(
    patient: Bridge, faulty: FaultyStore
) -> None:
    first = await hold(patient)
    known, until_ms = Known(first.incarnation, 1), NOW_MS + 5_000
    claiming = patient.claim(
        CALL, [b"o"], owner="us", until_ms=until_ms, now_ms=NOW_MS, known=known
    )
    claimed = await begin(faulty, claiming)
    faulty.way = "well"
    assert await write(patient, "note", None, epoch=None) == Appended(2, Durability.MEMORY)
    faulty.may_answer.set()
    again = await claimed
    assert isinstance(again, Claim)
    assert not patient.arrears.calls
    assert await write(patient, "w", 1, epoch=2) == Behind(2)
    assert await faulty.bodies() == [b"o", b"note"]


async def test_a_write_that_our_own_claim_overtook_does_not_take_the_call_from_us(
    patient: Bridge, faulty: FaultyStore
) -> None:
    await hold(patient)
    owners = await begin(faulty, write(patient, "w", 1), "held_up")
    faulty.way = "well"
    assert (await hold(patient)).epoch == 2
    faulty.may_answer.set()
    assert await owners == Fenced(2)
    faulty.way = "away"
    assert await write(patient, "x", 1, epoch=2) == Appended(2, Durability.MEMORY)


async def test_a_release_that_our_own_claim_overtook_does_not_take_the_call_from_us(
    patient: Bridge, faulty: FaultyStore
) -> None:
    await hold(patient)
    releasing = await begin(faulty, patient.release(CALL, epoch=1))
    faulty.way = "well"
    assert (await hold(patient)).epoch == 2
    faulty.may_answer.set()
    assert await releasing
    faulty.way = "away"
    assert await write(patient, "x", 1, epoch=2) == Appended(2, Durability.MEMORY)


@pytest.mark.parametrize("asked", ["release", "prune", "erase", "write", "fenced write"])
async def test_an_answer_about_an_erased_call_does_not_take_the_one_that_was_claimed_anew(
    patient: Bridge, faulty: FaultyStore, asked: str
) -> None:
    """It may bear the same epoch, and is another call all the same."""
    first = await hold(patient)
    if asked == "prune":
        await faulty.real.release(CALL, epoch=1)
    elif asked == "write":
        await faulty.real.erase(CALL)
    elif asked == "fenced write":
        await faulty.real.claim(CALL, [], owner="them", until_ms=NOW_MS, now_ms=NOW_MS)
    questions: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "release": lambda: patient.release(CALL, epoch=1),
        "prune": lambda: patient.prune(CALL),
        "erase": lambda: patient.erase(CALL),
    }
    question = questions.get(asked, lambda: write(patient, "w", 1))
    answered = await begin(faulty, question())
    faulty.way = "well"
    await faulty.real.erase(CALL)
    again = await hold(patient)
    assert again.epoch == first.epoch
    assert again.incarnation != first.incarnation
    faulty.may_answer.set()
    assert await answered in (True, Missing(), Fenced(2))
    faulty.way = "away"
    assert await write(patient, "x", 1) == Appended(2, Durability.MEMORY)


async def test_a_write_that_the_store_took_while_a_branch_began_stands_there_too(
    patient: Bridge, faulty: FaultyStore
) -> None:
    await hold(patient)
    owners = await begin(faulty, write(patient, "w", 1))
    faulty.way = "lost_reply"
    assert await write(patient, "note", None, epoch=None) == Appended(2, Durability.MEMORY)
    faulty.way = "away"
    faulty.may_answer.set()
    assert await owners == Appended(3, Durability.MEMORY)
    reading = await patient.read(CALL, after=1)
    assert isinstance(reading, Reading)
    assert [one.body for one in reading.records] == [b"note", b"w"]
    await all_is_told(patient, faulty)
    assert await write(patient, "x", 3) == Rebased()
    assert await faulty.bodies() == [b"o", b"w", b"note"]


async def test_a_process_that_starts_tells_what_one_that_died_could_not(
    faulty: FaultyStore, tmp_path: Path
) -> None:
    """R-1: what was acknowledged as local is on this machine's disk, and reaches the store."""
    dead = bridge_to(faulty, Shelf(tmp_path, "dead"))
    await dead.start()
    await hold(dead)
    faulty.way = "away"
    for after in (1, 2):
        await write(dead, f"w{after}", after)
    dead._keeper._watch.cancel()  # type: ignore[union-attr] # it runs: as good as killed
    await dead._shelf.close()
    faulty.way = "well"
    heir = bridge_to(faulty, Shelf(tmp_path, "heir"))
    await heir.start()
    assert await faulty.bodies() == [b"o", b"w1", b"w2"]
    await heir.close()
    later = Shelf(tmp_path, "later")
    assert await later.take_over() == ()


async def test_a_process_that_starts_keeps_nothing_that_the_store_had_from_one_that_died(
    faulty: FaultyStore, tmp_path: Path
) -> None:
    """Rule 8: a call that is erased stays on no disk."""
    dead = bridge_to(faulty, Shelf(tmp_path, "dead"))
    await dead.start()
    await hold(dead)
    faulty.way = "away"
    await write(dead, "w1", 1)
    dead._shelf.note(encode(dead._roll.branches[CALL].shelved(None)))
    dead._keeper._watch.cancel()  # type: ignore[union-attr] # it runs: as good as killed
    await dead._shelf.close()
    heir = bridge_to(faulty, Shelf(tmp_path, "heir"))
    await heir.start()
    assert not heir.arrears.calls
    await heir.close()
    assert await asyncio.to_thread(left_files, tmp_path) == ()


async def test_there_is_room_for_so_much(
    bridge: Bridge, faulty: FaultyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(branches, "ENTRIES_MAX", 1)
    await hold(bridge)
    faulty.way = "away"
    await write(bridge, "a", 1)
    with pytest.raises(StoreUnavailable, match="room"):
        await write(bridge, "b", 2)
    await all_is_told(bridge, faulty)
    assert isinstance(await write(bridge, "b", 2), Appended)


async def test_the_outage_is_told_and_over(bridge: Bridge, faulty: FaultyStore) -> None:
    await hold(bridge)
    assert bridge.status is Status.OK
    faulty.way = "away"
    await write(bridge, "a", 1)
    await wait_until(lambda: bridge.status is Status.DEGRADED, description="it is told")
    arrears = bridge.arrears
    assert (arrears.calls, arrears.records, arrears.is_full) == (1, 1, False)
    assert bridge.is_whole
    await all_is_told(bridge, faulty)


async def test_calls_that_are_not_held_here_are_the_stores(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    assert isinstance(await write(bridge, "a", None, epoch=None), Missing)
    faulty.way = "away"
    with pytest.raises(StoreUnavailable):
        await write(bridge, "a", None, epoch=None)
    with pytest.raises(StoreUnavailable):
        await bridge.read(CALL)


async def test_a_writer_that_is_cancelled_has_written_or_not(
    bridge: Bridge, faulty: FaultyStore
) -> None:
    await hold(bridge)
    faulty.way = "silent"
    writing = asyncio.create_task(write(bridge, "a", 1))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    faulty.way = "well"
    assert isinstance(await write(bridge, "b", 1), Appended)
    assert await faulty.bodies() == [b"o", b"b"]
