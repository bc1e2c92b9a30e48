from service.call import events as e
from service.journal.values import Record
from service.session.kept.records import rebuilt
from tests.simulation.folds import Folds


def record(position: int, fact: e.Known) -> Record:
    return Record(position, 1, 1_000 + position, e.encode(fact))


def test_what_is_folded_on_is_what_is_folded_anew() -> None:
    """Rule 5 is judged with it, so it must not hide what the store lost or took back."""
    folds = Folds()
    opened = record(1, e.CallOpened(call_sid="CA1"))
    whole = (opened, record(2, e.NoteAdded(by="Ana", text="one")))
    other = (
        opened,
        record(2, e.NoteAdded(by="Ana", text="two")),
        record(3, e.CallEnded(reason="x")),
    )
    for records in ((), (opened,), whole, whole, other, whole[:1], other):
        assert folds.of("here", records) == rebuilt(None, records)
