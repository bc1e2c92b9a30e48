import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from service.call import events as e
from service.journal.journal import Journal
from service.journal.sqlite.tails import POLL_MS
from service.session import watch as module
from service.session.inbox import News, Taken
from service.session.kept.ledger import Ledger
from service.session.watch import Watch
from tests.conftest import for_a_moment, wait_until
from tests.session.house import CALL, House

pytestmark = pytest.mark.asyncio


class Post:
    """A watch on a claimed call, and what it posted."""

    def __init__(self, house: House) -> None:
        self.letters: list[Any] = []
        self.ledger = Ledger(CALL, house.journal, "here")
        self.watch = Watch(house.means, self.ledger, self.letters.append)

    @asynccontextmanager
    async def watching(self, house: House) -> AsyncIterator[None]:
        """The call is claimed, and listened to for as long as the block lasts."""
        await self.claim(house)
        watching = asyncio.create_task(self.watch.run())
        self.watch.begin()
        await for_a_moment(0.02)
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def claim(self, house: House) -> None:
        opening = (e.encode(e.CallOpened(call_sid=CALL)),)
        await self.ledger.claim(opening, house.clock.now_ms())


async def test_others_records_are_news_and_our_own_are_not(house: House) -> None:
    post = Post(house)
    async with post.watching(house):
        await post.ledger.write((e.DigitPressed(digit="1"),), house.clock.now_ms())
        await for_a_moment(
            2 * POLL_MS / 1_000
        )  # by then other processes' writes would be seen, too
        assert post.letters == []
        await house.write(e.NoteAdded(text="hm"))
        await wait_until(lambda: bool(post.letters), description="the note is news")
        assert all(isinstance(letter, News) for letter in post.letters)


async def test_an_erased_call_is_news_and_no_longer_ours(house: House, journal: Journal) -> None:
    post = Post(house)
    async with post.watching(house):
        await journal.erase(CALL)
        await wait_until(lambda: bool(post.letters), description="it is news")
        assert await post.watch.catch_up() is False


async def test_who_lets_go_of_a_call_hears_no_more_of_it(house: House) -> None:
    post = Post(house)
    async with post.watching(house):
        pass
    await house.write(e.NoteAdded(text="hm"))
    await for_a_moment(0.02)
    assert post.letters == []


async def test_the_hold_is_renewed_and_its_loss_is_told(
    house: House, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEW_MS", 5)
    post = Post(house)
    monkeypatch.setattr(module, "LOOK_EVERY", 1_000_000)
    keeping = asyncio.create_task(post.watch.run())
    await post.claim(house)
    post.watch.begin()
    (claimed,) = await journal.open_calls()
    assert claimed.lease is not None
    claimed_ms = claimed.lease.renewed_ms

    async def is_renewed() -> bool:
        (found,) = await journal.open_calls()
        return found.lease is not None and found.lease.renewed_ms > claimed_ms

    await wait_until(is_renewed, description="the hold is renewed, with no stream attached")
    assert post.letters == []
    now_ms = house.clock.now_ms()
    await journal.claim(CALL, (), owner="there", until_ms=now_ms + 1, now_ms=now_ms)
    await wait_until(lambda: Taken(1) in post.letters, description="the loss is told")
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_a_store_that_hangs_is_not_waited_for_while_a_caller_talks(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_MS", 5)
    post = Post(house)
    await post.claim(house)
    monkeypatch.setattr(post.ledger, "catch_up", asyncio.Event().wait)
    assert await post.watch.catch_up() is None
    await wait_until(lambda: bool(post.letters), description="it is news again")
    assert isinstance(post.letters[0], News)


async def lapsed(house: House, journal: Journal) -> list[str]:
    later_ms = house.clock.now_ms() + 600_000
    return [found.call_sid for found in await journal.lapsed(now_ms=later_ms, limit=10)]


async def test_a_call_that_ended_is_let_go_of_for_good(house: House, journal: Journal) -> None:
    post = Post(house)
    await post.claim(house)
    post.watch.begin()
    await post.watch.leave()
    assert await lapsed(house, journal) == [CALL], "it may go on elsewhere"
    await post.ledger.write((e.CallEnded(reason="completed"),), house.clock.now_ms())
    await post.watch.leave()
    assert await lapsed(house, journal) == []


async def test_a_call_whose_tool_has_no_final_state_is_still_looked_after(
    house: House, journal: Journal
) -> None:
    """R-12."""
    post = Post(house)
    await post.claim(house)
    post.watch.begin()
    asked = e.OperationRequested(
        operation="o1", tool="note", arguments={}, turn=1, is_idempotent=False,
        attempts_max=1, deadline_ms=house.clock.now_ms() + 1_000,
    )  # fmt: skip
    await post.ledger.write((asked, e.CallEnded(reason="completed")), house.clock.now_ms())
    await post.watch.leave()
    assert await lapsed(house, journal) == [CALL]


async def test_the_holds_of_a_process_are_renewed_on_a_common_beat(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends_ms = set()
    for now_ms in (1_234_567, 1_234_599):
        monkeypatch.setattr(house.clock, "now_ms", lambda now_ms=now_ms: now_ms)
        for wait_ms in range(800, 1_001):
            waited_ms = Post(house).watch._on_beat(wait_ms)
            assert wait_ms - module.BEAT_MS < waited_ms <= wait_ms
            ends_ms.add((now_ms + waited_ms) % module.BEAT_MS)
        assert Post(house).watch._on_beat(3) in (1, 2, 3)
    assert len(ends_ms) == 1
