import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from service.call import events as e
from service.clock import Clock
from service.errors import StoreUnavailable
from service.journal.behind.bridge import Bridge
from service.journal.behind.shelf import Shelf
from service.journal.values import Record
from service.simulator.webhook import trust
from service.web.reading.live import Follower, Offset
from tests.conftest import wait_until
from tests.journal.behind.faults import FaultyStore, bridge_to
from tests.web.front import CALL, Front, ring

pytestmark = pytest.mark.asyncio

PATH = f"/api/calls/{CALL}/events"
TRUST = trust()  # certificates read once: twenty readers would spend a second on their own
NOW_MS = Clock().now_ms()
WAIT_S = 20  # for a machine on which everything else runs, too; a calm one needs milliseconds


class Reader:
    """A browser that follows one call."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.ids: list[str] = []

    async def event(self) -> dict[str, str]:
        """Return the next event's fields; empty at the end of the stream."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(WAIT_S):
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
        httpx2.AsyncClient(trust_env=False, verify=TRUST, timeout=WAIT_S) as web,
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

    async def breaking(*_given: object, **_named: object) -> AsyncGenerator[tuple[Record], None]:
        yield (Record(1, 0, 0, b'{"kind":"note_added","text":"x"}'),)
        raise StoreUnavailable("no disk")

    with monkeypatch.context() as broken:
        broken.setattr(front.journal, "batches", breaking)
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


async def polled(front: Front, after: str, wait_s: int = 20) -> dict[str, Any]:
    answer = await front.api("GET", f"{PATH}?after={after}&wait_s={wait_s}", bearer="see")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_long_poll_waits_until_something_comes(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    first = await polled(front, "0")
    assert ([one["position"] for one in first["events"]], first["reset"]) == ([1], False)
    after = f"{first['incarnation']}:{first['position']}"
    async with asyncio.timeout(WAIT_S - 5):
        asking = asyncio.create_task(polled(front, after))
        await wait_until(lambda: is_waited_for(front), description="the poll waits")
        assert not asking.done()
        await notes(front, 2, 3)
        told = await asking
    positions = [one["position"] for one in told["events"]]
    assert positions == list(range(2, told["position"] + 1))
    assert (told["incarnation"], told["reset"]) == (first["incarnation"], False)


async def test_a_long_poll_in_vain_goes_on_where_it_was(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    first = await polled(front, "0")
    after = f"{first['incarnation']}:1"
    told = await polled(front, after, wait_s=1)
    assert told == {**first, "events": []}
    assert not is_waited_for(front)


@pytest.mark.parametrize("after", ["another:1", "another:99", "{incarnation}:99", "x:y", ":"])
async def test_a_long_poll_from_a_place_that_is_none_is_reset_at_once(
    front: Front, after: str
) -> None:
    """R-17: an offset too old or unknown is answered with a reset, then everything."""
    await front.hook("/twiml/voice", ring())
    await notes(front, 2, 3)
    incarnation = (await polled(front, "0"))["incarnation"]
    told = await polled(front, after.format(incarnation=incarnation))
    assert (told["reset"], told["incarnation"], told["position"]) == (True, incarnation, 3)
    assert [one["position"] for one in told["events"]] == [1, 2, 3]


async def test_a_long_poll_of_a_call_that_is_erased_meanwhile_is_a_problem(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    asking = asyncio.create_task(front.api("GET", f"{PATH}?after=1&wait_s=20", bearer="see"))
    await wait_until(lambda: is_waited_for(front), description="the poll waits")
    await front.journal.erase(CALL)
    assert (await asking).status_code == 404


FIRST = """
import asyncio, sys
from service.web.reading import live

async def never(): await asyncio.Event().wait()
async def heard(message): pass
async def one(): yield b"x"

async def main():
    await live.rehearse()
    known = set(sys.modules)
    await live.sent(one())({"type": "http", "method": "GET"}, never, heard)
    print(sorted(set(sys.modules) - known))

asyncio.run(main())
"""


async def test_the_first_stream_of_events_loads_nothing() -> None:
    """R-18: an import takes 80 ms, for which the frames of all calls would wait."""
    python = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FIRST, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await python.communicate()
    assert (python.returncode, told.decode().strip()) == (0, "[]")


def is_waited_for(front: Front) -> bool:
    """Whether somebody waits for news of a call at the bridge."""
    return bool(front.parts.journal._keeper.bells.calls())


class Outage:
    """A call that is held here while its store goes and comes back."""

    def __init__(self, bridge: Bridge, faulty: FaultyStore) -> None:
        self.bridge = bridge
        self.faulty = faulty

    async def write(self, *numbers: int) -> None:
        for number in numbers:
            body = e.encode(e.NoteAdded(text=str(number)))
            await self.bridge.append(
                CALL, [body], epoch=1, after=None, key=str(number), now_ms=NOW_MS
            )

    async def until_back(self) -> None:
        self.faulty.way = "well"
        self.faulty.may_answer.set()
        await wait_until(lambda: not self.bridge.arrears.calls, description="all is told")

    def follower(self, offset: str = "") -> Follower:
        return Follower(self.bridge, CALL, Offset.read(offset))


@pytest_asyncio.fixture
async def outage(tmp_path: Path) -> AsyncIterator[Outage]:
    faulty = FaultyStore()
    bridge = bridge_to(faulty, Shelf(tmp_path / "behind", "one"))
    await bridge.start()
    opened = e.encode(e.NoteAdded(text="1"))
    await bridge.claim(CALL, [opened], owner="us", until_ms=NOW_MS + 60_000, now_ms=NOW_MS)
    yield Outage(bridge, faulty)
    faulty.way = "well"
    faulty.may_answer.set()
    await bridge.close()


async def ids(follower: Follower, count: int) -> list[tuple[str, str]]:
    """Return what so many events are, and their ids."""
    found: list[tuple[str, str]] = []
    async with aclosing(follower.events()) as pieces, asyncio.timeout(WAIT_S):
        async for piece in pieces:
            for event in piece.decode().split("\r\n\r\n")[:-1]:
                fields = dict(line.split(": ", 1) for line in event.splitlines())
                found.append((fields["event"], fields["id"]))
            if len(found) >= count:
                break
    return found[:count]


async def test_what_may_still_move_is_marked_while_the_store_is_away(outage: Outage) -> None:
    """O-6: positions that are not final say so, in the ids of events and in the long poll."""
    told = await outage.follower().poll(0)
    assert told is not None
    final = told["incarnation"]
    assert "~" not in final
    outage.faulty.way = "away"
    await outage.write(2, 3)
    told = await outage.follower(f"{final}:1").poll(20)
    assert told is not None
    mark = told["incarnation"]
    assert mark.startswith(f"{final}~")
    assert ([one["position"] for one in told["events"]], told["reset"]) == ([2, 3], False)
    marked = [("record", f"{mark}:2"), ("record", f"{mark}:3")]
    assert await ids(outage.follower(f"{final}:1"), 2) == marked
    assert await ids(outage.follower(f"{mark}:2"), 1) == marked[1:]
    again = await outage.follower(f"{mark}:3").poll(0)
    assert again is not None
    assert (again["events"], again["reset"], again["incarnation"]) == ([], False, mark)


async def test_who_comes_back_with_a_mark_after_the_outage_begins_anew(outage: Outage) -> None:
    told = await outage.follower().poll(0)
    assert told is not None
    final = told["incarnation"]
    outage.faulty.way = "away"
    await outage.write(2)
    told = await outage.follower(f"{final}:1").poll(0)
    assert told is not None
    mark = told["incarnation"]
    assert mark.startswith(f"{final}~")
    await outage.until_back()
    told = await outage.follower(f"{mark}:2").poll(20)
    assert told is not None
    assert (told["reset"], told["incarnation"], len(told["events"])) == (True, final, 2)
    reset, *records = await ids(outage.follower(f"{mark}:2"), 3)
    assert reset == ("reset", f"{final}:0")
    assert records == [("record", f"{final}:1"), ("record", f"{final}:2")]


async def test_who_stays_through_the_outage_is_told_each_record_once(outage: Outage) -> None:
    """R-16: no gap, no duplicate, when nothing came to stand elsewhere."""
    told = await outage.follower().poll(0)
    assert told is not None
    final = told["incarnation"]
    following = asyncio.create_task(ids(outage.follower(f"{final}:1"), 3))
    outage.faulty.way = "away"
    await outage.write(2, 3)
    await outage.until_back()
    await outage.write(4)
    assert [one.rpartition(":")[2] for _, one in await following] == ["2", "3", "4"]


async def test_who_read_what_came_to_stand_elsewhere_is_reset(outage: Outage) -> None:
    """R-17: somebody wrote to the store meanwhile, so our records follow theirs."""
    told = await outage.follower().poll(0)
    assert told is not None
    final = told["incarnation"]
    following = asyncio.create_task(ids(outage.follower(f"{final}:1"), 5))
    outage.faulty.way = "away"
    await outage.write(2)
    theirs = e.encode(e.NoteAdded(text="theirs"))
    await outage.faulty.real.append(
        CALL, [theirs], epoch=None, after=None, key="theirs", now_ms=NOW_MS
    )
    await wait_until(lambda: bool(outage.bridge._keeper.bells.calls()), description="it reads")
    await outage.until_back()
    first, reset, *anew = await following
    assert (first[0], first[1].startswith(f"{final}~")) == ("record", True)
    assert reset == ("reset", f"{final}:0")
    assert anew == [("record", f"{final}:{position}") for position in (1, 2, 3)]


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
