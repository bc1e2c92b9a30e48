import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from service import scope
from service.call import events as e
from service.web.reading.board import Board, News
from service.web.reading.cards import Cards, Search, search
from service.web.reading.showing import Showings
from tests.lines import lines
from tests.web.front import CALL, Front, ring

pytestmark = pytest.mark.asyncio
OURS = Search("default")


def board(front: Front) -> Board:
    return Board(Cards(front.journal, Showings(front.journal)), look_s=0.01)


@contextlib.asynccontextmanager
async def watching(one: Board, wanted: Search = OURS) -> AsyncIterator[AsyncGenerator[News, None]]:
    news = one.watch(wanted)
    try:
        async with asyncio.timeout(5):
            yield news
    finally:
        await news.aclose()


async def test_all_calls_come_first_and_then_what_changes(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    ours = board(front)
    async with watching(ours) as news:
        first = await anext(news)
        assert first.event == "board"
        assert [one["call_sid"] for one in first.told["calls"]] == [CALL]
        await front.write(e.NoteAdded(text="x"))
        changed = await anext(news)
        assert (changed.event, changed.told["position"]) == ("call", 2)
        await front.hook("/twiml/voice", ring(CallSid="CA2"))
        assert (await anext(news)).told["call_sid"] == "CA2"
        await front.journal.erase("CA2")
        assert await anext(news) == News("gone", {"call_sid": "CA2"})
    assert ours.watchers == 0


async def test_a_slow_watcher_is_told_the_newest_state_once(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    ours = board(front)
    async with watching(ours) as slow, watching(ours) as quick:
        await anext(slow)
        await anext(quick)
        for number in range(3):
            await front.write(e.NoteAdded(text="x"), key=f"n{number}")
            assert (await anext(quick)).told["position"] == number + 2
        assert (await anext(slow)).told["position"] == 4
        await front.hook("/twiml/voice", ring(CallSid="CA2"))
        assert (await anext(slow)).told["call_sid"] == "CA2"


async def test_a_call_that_is_no_longer_wanted_is_gone(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    async with watching(board(front), search("default", "ringing", "")) as news:
        await anext(news)
        await front.hook("/callbacks/call", ring(CallStatus="completed"))
        assert await anext(news) == News("gone", {"call_sid": CALL})


async def test_what_is_posted_is_told_to_all_once(front: Front) -> None:
    ours = board(front)
    ours.post("figures", {"live": 1})
    async with watching(ours) as news:
        assert (await anext(news)).event == "board"
        assert await anext(news) == News("figures", {"live": 1})
        ours.post("figures", {"live": 2})
        ours.post("figures", {"live": 3})
        assert await anext(news) == News("figures", {"live": 3})


async def test_a_look_that_fails_leaves_nobody_in_the_dark(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = board(front)

    async def broken() -> None:
        raise ValueError("a bug")

    scope.of_call(CALL)
    with monkeypatch.context() as bug, lines() as told:
        bug.setattr(ours._cards, "glance", broken)
        async with watching(ours) as news:
            assert (await anext(news)).told == {"calls": []}
            bug.undo()
            await front.hook("/twiml/voice", ring())
            assert (await anext(news)).event == "call"
    failed = [one for one in told if one.get("action") == "board_failed"]
    assert failed
    assert "call_sid" not in failed[0], "it looks for all who watch"


async def test_nobody_looks_while_nobody_watches(front: Front) -> None:
    ours = board(front)
    for _ in range(3):
        async with watching(ours) as one, watching(ours) as other:
            await asyncio.gather(anext(one), anext(other))
            assert ours.watchers == 2
        assert ours._looking is None
