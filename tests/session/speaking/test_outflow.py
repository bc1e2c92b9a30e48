import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.clock import Clock
from service.session.speaking.outflow import SEND_MS_MAX, Outflow
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


class Gate:
    """A socket that takes texts at once, after a while, never, or not any more."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.has_room = True
        self.permits = asyncio.Semaphore(0)
        self.trouble: Exception | None = None

    def say(self, *texts: str) -> bool:
        if self.has_room:
            self.taken.extend(texts)
        return self.has_room

    def takes(self, count: int = 9) -> None:
        """Take so many texts of those that waited."""
        for _ in range(count):
            self.permits.release()

    async def send(self, text: str) -> None:
        await self.permits.acquire()
        if self.trouble is not None:
            raise self.trouble
        self.taken.append(text)

    async def close(self, code: int, reason: str, *, grace_ms: int = 0) -> None:
        raise AssertionError((code, reason, grace_ms))


class Bank:
    """What leaves by a gate, and what is told of it."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.rooms = 0
        self.lost: list[Exception] = []
        self.elapsed_ms = 0
        clock = Clock(lambda: 0, lambda: self.elapsed_ms * 1_000_000)
        self.outflow = Outflow(self.gate, clock, on_room=self._room, on_lost=self.lost.append)

    def _room(self) -> None:
        self.rooms += 1

    def stall(self) -> None:
        """From now on the peer takes nothing."""
        self.gate.has_room = False


@pytest_asyncio.fixture
async def bank() -> AsyncIterator[Bank]:
    opened = Bank()
    yield opened
    opened.outflow.stop()


async def test_what_the_socket_takes_goes_at_once_and_costs_no_task(bank: Bank) -> None:
    tasks = asyncio.all_tasks()
    bank.outflow.put("a")
    bank.outflow.put("b", "c")
    assert bank.gate.taken == ["a", "b", "c"]
    assert not bank.outflow.is_stalled
    assert asyncio.all_tasks() == tasks


async def test_what_it_does_not_take_goes_in_order_when_it_does(bank: Bank) -> None:
    bank.stall()
    bank.outflow.put("a")
    bank.outflow.put("b")
    bank.gate.has_room = True
    bank.outflow.put("c")
    assert bank.outflow.is_stalled
    assert bank.gate.taken == []
    bank.gate.takes()
    await wait_until(lambda: bank.rooms == 1, description="all was taken")
    assert bank.gate.taken == ["a", "b", "c"]
    bank.outflow.put("d")
    assert bank.gate.taken[-1] == "d"
    assert bank.lost == []


async def test_of_what_was_dropped_only_what_is_under_way_still_comes(bank: Bank) -> None:
    bank.stall()
    bank.outflow.put("under way")
    await asyncio.sleep(0)
    bank.outflow.put("stale")
    bank.outflow.drop()
    bank.outflow.put("clear")
    bank.outflow.put("new")
    bank.gate.takes()
    await wait_until(lambda: bank.rooms == 1, description="all was taken")
    assert bank.gate.taken == ["under way", "clear", "new"]


async def test_what_was_dropped_before_it_was_under_way_never_comes(bank: Bank) -> None:
    bank.stall()
    bank.gate.takes()
    bank.outflow.put("stale")
    bank.outflow.drop()
    bank.outflow.put("clear")
    await wait_until(lambda: bank.rooms == 1, description="all was taken")
    assert bank.gate.taken == ["clear"]


async def test_time_stands_still_while_nothing_is_taken(bank: Bank) -> None:
    """So nobody counts as heard what is still here."""
    bank.elapsed_ms = 500
    assert bank.outflow.now_ms() == 500
    bank.stall()
    bank.outflow.put("a")
    bank.elapsed_ms = 900
    assert bank.outflow.now_ms() == 500
    assert bank.outflow.gone_at_ms == 500 + SEND_MS_MAX
    bank.gate.takes()
    await wait_until(lambda: bank.rooms == 1, description="it was taken")
    assert bank.outflow.now_ms() == 900


async def test_each_text_that_is_taken_gives_the_peer_more_time(bank: Bank) -> None:
    bank.stall()
    bank.outflow.put("a")
    bank.outflow.put("b")
    await asyncio.sleep(0)
    bank.elapsed_ms = 1_500
    bank.gate.takes(1)
    await wait_until(lambda: bank.gate.taken == ["a"], description="the first was taken")
    assert bank.outflow.gone_at_ms == 1_500 + SEND_MS_MAX


@pytest.mark.parametrize("trouble", [ConnectionError("gone"), RuntimeError("a fault")])
async def test_a_socket_that_fails_is_told_of_once(bank: Bank, trouble: Exception) -> None:
    bank.stall()
    bank.gate.trouble = trouble
    bank.gate.takes()
    bank.outflow.put("a")
    bank.outflow.put("b")
    await wait_until(lambda: bool(bank.lost), description="it is told")
    assert bank.lost == [trouble]
    assert bank.outflow.stop() is None
    assert bank.gate.taken == []
    assert bank.rooms == 0


async def test_after_the_end_nothing_is_sent_and_time_stands_still(bank: Bank) -> None:
    bank.stall()
    bank.outflow.put("a")
    bank.outflow.put("b")
    await asyncio.sleep(0)
    bank.elapsed_ms = 300
    ending = bank.outflow.stop()
    assert ending is not None
    bank.gate.takes()
    await asyncio.wait((ending,))
    assert ending.cancelled()
    assert bank.outflow.stop() is None
    assert (bank.gate.taken, bank.rooms, bank.lost) == ([], 0, [])
    assert bank.outflow.now_ms() == 0
