"""The state of each call as its records say, kept so that only what is new is folded."""

from collections.abc import Hashable, Sequence

from service.call.state import Call
from service.journal.values import Record
from service.session.kept.records import folded, rebuilt


class Folds:
    """Whoever looks names a place, and finds there what was folded the last time."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[int, Record, Call]] = {}

    def of(self, place: Hashable, records: Sequence[Record]) -> Call:
        """Return the fold of the records. They are the same as far as the newest of before still stands."""
        count, newest, call = self._kept.get(place, (0, None, None))
        is_same = call is not None and count <= len(records) and records[count - 1] is newest
        call = folded(call, records[count:]) if call and is_same else rebuilt(None, records)
        if records:
            self._kept[place] = (len(records), records[-1], call)
        return call
