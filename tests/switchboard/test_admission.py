import asyncio
import random

import pytest

from service.meter import Meter
from service.switchboard import admission as module
from service.switchboard.admission import AT_ONCE_MAX, Admission
from service.wire.turnstile import Turnstile
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


class Gate:
    """An admission, and who passed it in which order."""

    def __init__(self) -> None:
        self.meter = Meter()
        self.admission = Admission(self.meter, Turnstile())
        self.order: list[int] = []
        self.refused: list[int] = []
        self.inside = self.inside_max = 0
        self.may_leave = asyncio.Event()

    async def comes(self, opened_s: int) -> None:
        async with self.admission.admit(opened_s) as is_inside:
            if not is_inside:
                self.refused.append(opened_s)
                return
            self.order.append(opened_s)
            self.inside += 1
            self.inside_max = max(self.inside_max, self.inside)
            await self.may_leave.wait()
            self.inside -= 1

    def waiting(self) -> int:
        return int(self.meter.text().split(b"\nstayline_streams_waiting ")[1].split(b".")[0])


async def test_five_hundred_at_one_instant_all_come_in_the_oldest_call_first() -> None:
    """O-1."""
    gate, ages = Gate(), list(range(500))
    random.Random(5).shuffle(ages)
    arrivals = [asyncio.create_task(gate.comes(opened_s)) for opened_s in ages]
    await wait_until(lambda: gate.waiting() == 500 - AT_ONCE_MAX, description="all have arrived")
    gate.may_leave.set()
    await asyncio.gather(*arrivals)
    assert gate.inside_max == AT_ONCE_MAX
    assert gate.refused == []
    assert sorted(gate.order) == sorted(ages)
    assert gate.order[AT_ONCE_MAX:] == sorted(gate.order[AT_ONCE_MAX:])
    assert gate.waiting() == 0


async def test_who_waits_too_long_is_told_and_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AT_ONCE_MAX", 1)
    monkeypatch.setattr(module, "WAIT_MS_MAX", 20)
    gate = Gate()
    first = asyncio.create_task(gate.comes(1))
    await wait_until(lambda: gate.order == [1], description="the first is in")
    await gate.comes(2)
    assert gate.refused == [2]
    gate.may_leave.set()
    await first
    await gate.comes(3)
    assert gate.order == [1, 3]


async def test_one_too_many_is_told_at_once_and_those_who_went_away_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AT_ONCE_MAX", 1)
    monkeypatch.setattr(module, "WAITING_MAX", 2)
    gate = Gate()
    arrivals = [asyncio.create_task(gate.comes(1))]
    await wait_until(lambda: gate.order == [1], description="the first is in")
    arrivals += [asyncio.create_task(gate.comes(opened_s)) for opened_s in (2, 3)]
    await wait_until(lambda: gate.waiting() == 2, description="two wait")
    await gate.comes(4)
    assert gate.refused == [4]
    arrivals[1].cancel()
    await asyncio.gather(arrivals[1], return_exceptions=True)
    arrivals.append(asyncio.create_task(gate.comes(5)))
    await wait_until(lambda: gate.waiting() == 2, description="there was room again")
    gate.may_leave.set()
    await asyncio.gather(*arrivals, return_exceptions=True)
    assert gate.order == [1, 3, 5]


async def test_a_place_given_to_one_who_just_went_away_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AT_ONCE_MAX", 1)
    gate = Gate()
    async with gate.admission.admit(1):
        second = asyncio.create_task(gate.comes(2))
        await wait_until(lambda: gate.waiting() == 1, description="one waits")
    await asyncio.sleep(0)
    second.cancel()  # Its place was given, and it does not know yet.
    await asyncio.gather(second, return_exceptions=True)
    gate.may_leave.set()
    await gate.comes(3)
    assert gate.order == [3]


async def test_a_closed_gate_lets_nobody_in_and_nobody_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "AT_ONCE_MAX", 1)
    gate = Gate()
    inside = asyncio.create_task(gate.comes(1))
    waiting = asyncio.create_task(gate.comes(2))
    await wait_until(lambda: gate.waiting() == 1, description="one waits")
    gate.admission.close()
    await waiting
    await gate.comes(3)
    assert gate.refused == [2, 3]
    gate.may_leave.set()
    await inside
