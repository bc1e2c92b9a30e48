import asyncio
from collections.abc import Iterator

import pytest

from service.call import events as e
from service.call.shown.view import view
from service.errors import StoreUnavailable
from service.journal.values import Missing, Reading, Record
from service.session.kept.records import rebuilt
from service.web.reading.showing import STEPS_AT_ONCE, Showings
from tests.web.front import CALL, Front, ring

pytestmark = pytest.mark.asyncio


class Counting:
    """A journal that counts what is read of it, and can be changed or away."""

    def __init__(self, front: Front) -> None:
        self._journal = front.journal
        self.asked: list[int] = []
        self.answers: Iterator[Reading] = iter(())
        self.is_away = False

    async def read(self, call_sid: str, *, after: int = 0) -> Reading | Missing:
        self.asked.append(after)
        if self.is_away:
            raise StoreUnavailable("away")
        found = next(self.answers, None)
        return await self._journal.read(call_sid, after=after) if found is None else found


def showings(counting: Counting, calls_max: int = 256) -> Showings:
    return Showings(counting, calls_max=calls_max)


def reading(incarnation: str, first: int, last: int, branch: str = "", text: str = "x") -> Reading:
    note = e.encode(e.NoteAdded(text=text))
    records = tuple(Record(position, 0, 7, note) for position in range(first, last + 1))
    return Reading(incarnation, 1, last, None, records, branch)


async def test_a_call_is_folded_once_and_brought_forward(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    counting = Counting(front)
    kept = showings(counting)
    one = await kept.of(CALL)
    await front.write(e.NoteAdded(text="hello"))
    two = await kept.of(CALL)
    assert one is two
    assert counting.asked == [0, 1]
    whole = await front.journal.read(CALL)
    assert two is not None
    assert isinstance(whole, Reading)
    assert two.call == rebuilt(None, whole.records)
    assert view(two.call, incarnation="")["notes"][0]["text"] == "hello"


async def test_the_timeline_is_drawn_once_for_each_position(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    kept = showings(Counting(front))
    one = await kept.of(CALL)
    assert one is not None
    first = one.drawn()
    assert one.drawn() is first
    await front.write(e.NoteAdded(text="hello"))
    await kept.of(CALL)
    assert one.drawn()["position"] == first["position"] + 1


async def test_fifty_who_ask_at_once_cost_one_fold(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    counting = Counting(front)
    kept = showings(counting)
    found = await asyncio.gather(*(kept.of(CALL) for _ in range(50)))
    assert len({id(one) for one in found}) == 1
    assert counting.asked.count(0) == 1


async def test_a_long_call_is_folded_with_breaths(front: Front) -> None:
    counting = Counting(front)
    counting.answers = iter([reading("i1", 1, 3 * STEPS_AT_ONCE)])
    folding = asyncio.create_task(showings(counting).of(CALL))
    breaths = 0
    while not folding.done():
        await asyncio.sleep(0)
        breaths += 1
    assert breaths >= 3
    found = await folding
    assert found is not None
    assert found.position == 3 * STEPS_AT_ONCE


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(reading("i2", 4, 4), id="another incarnation"),
        pytest.param(reading("i1", 1, 5), id="told from the first again"),
        pytest.param(reading("i1", 5, 6), id="a gap"),
    ],
)
async def test_what_does_not_follow_is_folded_anew(front: Front, second: Reading) -> None:
    counting = Counting(front)
    kept = showings(counting)
    counting.answers = iter([reading("i1", 1, 3), second, reading("i2", 1, 2, text="new")])
    await kept.of(CALL)
    found = await kept.of(CALL)
    assert found is not None
    assert found.version == ("i2", 2)
    assert {note.text for note in found.call.notes} == {"new"}
    assert counting.asked == [0, 3, 0]


async def test_positions_that_may_move_are_marked_and_folded_anew_when_they_are_final(
    front: Front,
) -> None:
    counting = Counting(front)
    kept = showings(counting)
    counting.answers = iter([
        reading("i1", 1, 2), reading("i1", 3, 4, "b1"), reading("i1", 5, 5, "b1"),
        reading("i1", 6, 5), reading("i1", 1, 4),
    ])  # fmt: skip
    seen = []
    for _ in range(4):
        found = await kept.of(CALL)
        assert found is not None
        seen.append(found.version)
    assert seen == [("i1", 2), ("i1~b1", 4), ("i1~b1", 5), ("i1", 4)]


async def test_a_call_that_is_gone_is_forgotten(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    kept = showings(Counting(front))
    assert await kept.of(CALL) is not None
    await front.journal.erase(CALL)
    assert await kept.of(CALL) is None
    assert len(kept) == 0


async def test_a_store_that_is_away_costs_nobody_the_fold(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    counting = Counting(front)
    kept = showings(counting)
    await kept.of(CALL)
    counting.is_away = True
    with pytest.raises(StoreUnavailable):
        await kept.of(CALL)
    counting.is_away = False
    await kept.of(CALL)
    assert counting.asked == [0, 1, 1]


async def test_only_the_calls_looked_at_last_are_kept(front: Front) -> None:
    for number in (1, 2, 3):
        await front.hook("/twiml/voice", ring(CallSid=f"CA{number}"))
    counting = Counting(front)
    kept = showings(counting, 2)
    for sid in ("CA1", "CA2", "CA1", "CA3", "CA1"):
        await kept.of(sid)
    assert len(kept) == 2
    assert counting.asked == [0, 0, 1, 0, 1]


async def test_a_call_is_shown_as_it_was(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    await front.write(e.NoteAdded(text="a"), e.NoteAdded(text="b"))
    kept = showings(Counting(front))
    then = await kept.at(CALL, 2)
    assert then is not None
    assert [note.text for note in then.call.notes] == ["a"]
    assert await kept.at(CALL, 4) is None
    assert await kept.at(CALL, 0) is None
    assert await kept.at("CA9", 1) is None
    assert len(kept) == 0
