import asyncio

import pytest
from msgspec.structs import replace

from service.call import events as e
from service.call.mind import LINES_MAX, in_mind
from service.call.snapshot import packed
from service.call.state import Call
from service.journal.values import Reading, Record, Snapshot
from service.session.kept import records
from service.session.kept.records import STEPS_AT_ONCE, folded, rebuilt, recalled

FACTS: tuple[e.Known, ...] = (
    e.CallOpened(call_sid="CA1"),
    e.DigitPressed(digit="1"),
    e.DigitPressed(digit="2"),
)
RECORDS = tuple(Record(at, 0, 1_000 * at, e.encode(fact)) for at, fact in enumerate(FACTS, 1))


def test_records_become_the_state_they_tell_of() -> None:
    call = folded(Call(), RECORDS)
    assert (call.call_sid, call.digits_pending) == ("CA1", "12")
    assert (call.position, call.updated_ms) == (3, 3_000)


def test_a_snapshot_and_what_follows_it_are_the_same_as_all_records() -> None:
    for cut in range(len(RECORDS) + 1):
        body = packed(folded(Call(), RECORDS[:cut]))
        assert rebuilt(Snapshot(cut, body), RECORDS[cut:]) == rebuilt(None, RECORDS)


def test_a_long_call_is_recalled_as_it_is_kept_in_mind_and_others_have_their_turn() -> None:
    facts = (e.CallOpened(call_sid="CA1"), *map(_said, range(4 * LINES_MAX)))
    long = tuple(Record(at, 1, 1_000 * at, e.encode(fact)) for at, fact in enumerate(facts, 1))

    whole, turns = in_mind(rebuilt(None, long)), 0

    async def beside() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def recall() -> None:
        others = asyncio.create_task(beside())
        assert await recalled(None, long) == whole
        others.cancel()
        kept = Snapshot(LINES_MAX, packed(rebuilt(None, long[:LINES_MAX])))
        assert await recalled(kept, long[LINES_MAX:]) == whole

    asyncio.run(recall())
    assert turns >= len(long) // STEPS_AT_ONCE


def _said(number: int) -> e.Known:
    name = f"p{number // 3}"
    match number % 3:
        case 0:
            return e.AgentSpoke(prompt=name, clauses=("One.", "Two."), turn=number)
        case 1:
            return e.Played(prompt=name, clauses=1 + number % 2)
        case _:
            return e.CallerSpoke(text=f"Line {number}.")


@pytest.mark.parametrize("body", [b"", b'{"mark":1,"call":{}}', b"\xff"])
@pytest.mark.asyncio
async def test_who_reads_a_call_folds_what_follows_the_kept_state_unless_other_code_kept_it(
    body: bytes,
) -> None:
    whole = rebuilt(None, RECORDS)
    kept = Snapshot(2, body or packed(replace(folded(Call(), RECORDS[:2]), stage="kept")))
    call = await records.as_it_stands(Reading("i", 1, len(RECORDS), kept, RECORDS))
    assert call == (whole if body else replace(whole, stage="kept"))
    assert await records.as_it_stands(Reading("i", 1, len(RECORDS), None, RECORDS)) == whole


def test_a_record_of_an_unknown_kind_is_passed_over() -> None:
    strange = Record(4, 0, 4_000, b'{"kind":"tea_was_made","v":9}')
    assert folded(folded(Call(), RECORDS), (strange,)).digits_pending == "12"


def test_what_a_lost_branch_held_is_listed_as_far_as_there_is_room() -> None:
    fact = e.decode(records.orphaned(3, [b"{}", b"x"]))
    assert fact == e.BranchOrphaned(epoch=3, count=2, lost=("{}", "x"))
    much = e.decode(records.orphaned(3, [b"x" * 40_000] * 300))
    assert isinstance(much, e.BranchOrphaned)
    assert (much.count, len(much.lost)) == (300, 1)
    many = e.decode(records.orphaned(3, [b"x"] * 300))
    assert isinstance(many, e.BranchOrphaned)
    assert len(many.lost) == records.ORPHANS_MAX
