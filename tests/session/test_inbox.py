import pytest

from service.call import inputs as i
from service.session import inbox as module
from service.session.arrival import AGAIN
from service.session.inbox import Inbox, Letter, Lost, News
from tests.session.house import House
from tests.session.parts import MemorySocket

pytestmark = pytest.mark.asyncio


async def test_letters_are_taken_in_their_order() -> None:
    inbox = Inbox("CA1")
    letters: list[Letter] = [i.Key("1"), Lost(1, "closed"), i.Key("2")]
    for letter in letters:
        inbox.post(letter)
    assert len(inbox) == 3
    assert [await inbox.take(None) for _ in letters] == letters
    assert len(inbox) == 0


async def test_no_letter_in_time_wakes_the_session() -> None:
    assert await Inbox("CA1").take(1) == i.Woke()


async def test_keys_beyond_the_bound_are_dropped_and_the_end_of_a_stream_never_is() -> None:
    inbox = Inbox("CA1")
    for _ in range(module.INBOX_MAX + 50):
        inbox.post(i.Key("1"))
    inbox.post(Lost(1, "closed"))
    taken = [await inbox.take(None) for _ in range(module.INBOX_MAX + 1)]
    assert taken[-1] == Lost(1, "closed")
    assert await inbox.take(1) == i.Woke()


async def test_news_stand_in_the_row_only_once() -> None:
    inbox = Inbox("CA1")
    for _ in range(3):
        inbox.post(News())
    assert isinstance(await inbox.take(None), News)
    assert await inbox.take(1) == i.Woke()
    inbox.post(News())
    assert isinstance(await inbox.take(None), News)


async def test_what_is_due_comes_before_what_waits_but_never_twice_running() -> None:
    inbox = Inbox("CA1")
    for key in "12":
        inbox.post(i.Key(key))
    taken = [await inbox.take(0) for _ in range(5)]
    assert taken == [i.Woke(), i.Key("1"), i.Woke(), i.Key("2"), i.Woke()]


async def test_arrivals_that_came_too_late_are_told_to_try_again(house: House) -> None:
    inbox = Inbox("CA1")
    before, after = house.arrival(MemorySocket()), house.arrival(MemorySocket())
    inbox.post(i.Key("1"))
    inbox.post(before)
    inbox.close()
    inbox.post(after)
    inbox.post(i.Key("2"))
    assert inbox.is_closed
    assert (before.done.result(), after.done.result()) == (AGAIN, AGAIN)


async def test_a_flood_of_keys_leaves_a_call_that_can_still_end(house: House) -> None:
    caller = await house.connect()
    caller.presses("1" * (module.INBOX_MAX + 500))
    await caller.has_dropped()
    pressed = (await house.kinds()).count("DigitPressed")
    assert 0 < pressed <= module.INBOX_MAX


async def test_a_stream_that_waits_is_taken_before_what_is_due(house: House) -> None:
    inbox = Inbox("CA1")
    arrival = house.arrival(MemorySocket())
    inbox.post(arrival)
    assert await inbox.take(0) is arrival
    inbox.post(i.Key("1"))
    assert await inbox.take(0) == i.Woke()
    assert await inbox.take(0) == i.Key("1")
