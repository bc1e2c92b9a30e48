import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

import httpx2
import pytest

from service.call import events as e
from service.errors import StoreUnavailable
from service.journal.values import Record
from tests.web.front import CALL, Front, ring

pytestmark = pytest.mark.asyncio

PATH = f"/api/calls/{CALL}/events"


class Reader:
    """A browser that follows one call."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.ids: list[str] = []

    async def event(self) -> dict[str, str]:
        """Return the next event's fields; empty at the end of the stream."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(5):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if line and name:
                    fields[name] = value
                elif fields:
                    self.ids.append(fields.get("id", ""))
                    return fields
        return {}

    async def events(self, count: int) -> list[dict[str, str]]:
        return [await self.event() for _ in range(count)]


@contextlib.asynccontextmanager
async def reading(
    host: str, path: str = PATH, *, last_id: str = "", bearer: str = "see"
) -> AsyncIterator[Reader]:
    headers = {"authorization": f"Bearer {bearer}", "accept": "text/event-stream"}
    if last_id:
        headers["last-event-id"] = last_id
    async with (
        httpx2.AsyncClient(trust_env=False) as web,
        web.stream("GET", f"http://{host}{path}", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Reader(answer.aiter_lines())


async def notes(front: Front, first: int, last: int) -> None:
    for number in range(first, last + 1):
        await front.write(e.NoteAdded(text=str(number)), key=f"note{number}")


async def test_the_backlog_comes_first_and_then_what_happens(front: Front, host: str) -> None:
    await front.hook("/twiml/voice", ring())
    await notes(front, 2, 4)
    async with reading(host) as reader:
        backlog = await reader.events(4)
        assert {event["event"] for event in backlog} == {"record"}
        await notes(front, 5, 6)
        await reader.events(2)
    incarnation = reader.ids[0].partition(":")[0]
    assert reader.ids == [f"{incarnation}:{n}" for n in range(1, 7)]


async def test_a_reader_that_returns_goes_on_exactly_where_it_was(front: Front, host: str) -> None:
    await front.hook("/twiml/voice", ring())
    ids: list[str] = []
    written = 1
    for _ in range(4):
        await notes(front, written + 1, written + 3)
        written += 3
        async with reading(host, last_id=ids[-1] if ids else "") as reader:
            await reader.events(2)
        ids += reader.ids
    assert [int(one.rpartition(":")[2]) for one in ids] == list(range(1, 9))


async def test_the_last_id_goes_before_the_query(front: Front, host: str) -> None:
    await front.hook("/twiml/voice", ring())
    await notes(front, 2, 5)
    async with reading(host, f"{PATH}?after=3") as reader:
        incarnation, _, position = (await reader.event())["id"].rpartition(":")
        assert position == "4"
    async with reading(host, f"{PATH}?after=3", last_id=f"{incarnation}:1") as reader:
        assert (await reader.event())["id"] == f"{incarnation}:2"


@pytest.mark.parametrize("position", ["2", "99999", "x", ""])
async def test_a_place_in_another_incarnation_is_reset(
    front: Front, host: str, position: str
) -> None:
    await front.hook("/twiml/voice", ring())
    await notes(front, 2, 3)
    async with reading(host, last_id=f"another:{position}") as reader:
        reset, *rest = await reader.events(4)
    assert reset["event"] == "reset"
    incarnation = reset["id"].partition(":")[0]
    assert incarnation in reset["data"]
    assert [event["id"] for event in rest] == [f"{incarnation}:{n}" for n in (1, 2, 3)]


async def test_a_place_that_is_not_reached_yet_is_reset(front: Front, host: str) -> None:
    await front.hook("/twiml/voice", ring())
    async with reading(host) as reader:
        incarnation = (await reader.event())["id"].partition(":")[0]
    async with reading(host, last_id=f"{incarnation}:99") as reader:
        assert (await reader.event())["event"] == "reset"


@pytest.mark.parametrize("last_id", ["nonsense", ":", "::::", "7", "a" * 5_000])
async def test_an_id_that_makes_no_sense_begins_from_the_first(
    front: Front, host: str, last_id: str
) -> None:
    await front.hook("/twiml/voice", ring())
    async with reading(host, last_id=last_id) as reader:
        (event,) = [one for one in await reader.events(1) if one["event"] == "record"] or [
            await reader.event()
        ]
    assert event["id"].endswith(":1")


async def test_an_erased_call_ends_the_stream(front: Front, host: str) -> None:
    await front.hook("/twiml/voice", ring())
    async with reading(host) as reader:
        await reader.event()
        await front.journal.erase(CALL)
        assert (await reader.event())["event"] == "gone"
        assert await reader.event() == {}


async def test_a_store_that_fails_ends_the_stream_and_the_reader_comes_back(
    front: Front, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await front.hook("/twiml/voice", ring())
    await notes(front, 2, 3)

    async def breaking(*_given: object, **_named: object) -> AsyncGenerator[Record, None]:
        yield Record(1, 0, 0, b'{"kind":"note_added","text":"x"}')
        raise StoreUnavailable("no disk")

    with monkeypatch.context() as broken:
        broken.setattr(front.journal, "tail", breaking)
        async with reading(host) as reader:
            last = await reader.event()
            assert await reader.event() == {}
    async with reading(host, last_id=last["id"]) as reader:
        assert (await reader.event())["id"].endswith(":2")


async def test_a_stream_of_a_call_that_is_not_there_is_a_problem(front: Front, host: str) -> None:
    headers = {"accept": "text/event-stream"}
    answer = await front.api("GET", PATH, headers=headers)
    assert answer.status_code == 404
    await front.hook("/twiml/voice", ring())
    assert (await front.api("GET", PATH, bearer="other", headers=headers)).status_code == 404
    assert host


async def test_twenty_readers_see_the_same_and_leave_nothing_behind(
    front: Front, host: str
) -> None:
    await front.hook("/twiml/voice", ring())

    async def follow(number: int) -> list[str]:
        async with reading(host) as reader:
            await reader.events(3 + number)
            return reader.ids

    following = [asyncio.create_task(follow(number)) for number in range(20)]
    await notes(front, 2, 30)
    seen = await asyncio.gather(*following)
    assert all(ids == seen[-1][: len(ids)] for ids in seen)
