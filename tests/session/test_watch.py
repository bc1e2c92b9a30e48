import asyncio
from typing import Any

import pytest

from service.call import events as e
from service.journal.journal import Journal
from service.session import watch as module
from service.session.inbox import News, Taken
from service.session.ledger import Ledger
from service.session.line import Line
from service.session.watch import Watch
from tests.conftest import for_a_moment, wait_until
from tests.session.house import CALL, House
from tests.session.parts import MemorySocket

pytestmark = pytest.mark.asyncio


class Post:
    """A watch on a claimed call, and what it posted."""

    def __init__(self, house: House) -> None:
        self.letters: list[Any] = []
        self.ledger = Ledger(CALL, house.journal, "here")
        self.line = Line(CALL, house.means)
        self.watch = Watch(house.means, self.ledger, self.line, self.letters.append)

    async def claim(self, house: House) -> None:
        opening = (e.encode(e.CallOpened(call_sid=CALL)),)
        await self.ledger.claim(opening, house.clock.now_ms())


async def test_others_records_are_news_and_our_own_are_not(house: House) -> None:
    post = Post(house)
    await post.claim(house)
    following = asyncio.create_task(post.watch.follow())
    post.watch.begin()
    await post.ledger.write((e.DigitPressed(digit="1"),), house.clock.now_ms())
    await for_a_moment(0.05)
    own = len(post.letters)
    await house.write(e.NoteAdded(text="hm"))
    await wait_until(lambda: len(post.letters) > own, description="the note is news")
    assert all(isinstance(letter, News) for letter in post.letters)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_an_erased_call_is_news_and_the_last(house: House, journal: Journal) -> None:
    post = Post(house)
    await post.claim(house)
    following = asyncio.create_task(post.watch.follow())
    post.watch.begin()
    await for_a_moment(0.02)
    await journal.erase(CALL)
    await wait_until(following.done, description="there is nothing to follow")
    assert isinstance(post.letters[-1], News)


async def test_a_lost_hold_is_told_only_while_a_stream_is_attached(
    house: House, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEW_MS", 5)
    post = Post(house)
    await post.claim(house)
    keeping = asyncio.create_task(post.watch.keep_lease())
    now_ms = house.clock.now_ms()
    await journal.claim(CALL, (), owner="there", until_ms=now_ms + 1, now_ms=now_ms)
    await for_a_moment(0.03)
    assert post.letters == []
    arrival = house.arrival(MemorySocket())
    post.line.plug_in(arrival, 1, lambda _played: None, lambda _reason: None)
    await wait_until(lambda: Taken(1) in post.letters, description="the loss is told")
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await post.line.unplug("over", 1000)
