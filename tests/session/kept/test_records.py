from service.call import events as e, state
from service.call.state import Call
from service.journal.values import Record, Snapshot
from service.session.kept import records
from service.session.kept.records import folded, rebuilt

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
        body = state.encode(folded(Call(), RECORDS[:cut]))
        assert rebuilt(Snapshot(cut, body), RECORDS[cut:]) == rebuilt(None, RECORDS)


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
