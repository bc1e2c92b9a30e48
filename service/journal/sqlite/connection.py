"""A connection that reads many records in one step.

sqlite3 lets go of the interpreter's lock and takes it again for every column of every row: of 200 records 1,200
times, and each time the event loop may be the one that gets it. A function of ours that SQLite calls with a whole
record takes it once.
"""

import sqlite3
from operator import attrgetter
from typing import Any

from service.journal.values import Record

_position = attrgetter("position")


class Connection(sqlite3.Connection):
    """A connection whose statements may call `keep(position, epoch, at_ms, body)`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        # The function knows the list alone: whoever kept `self` with it would never be let go of.
        self._kept = kept = list[Record]()

        def keep(position: int, epoch: int, at_ms: int, body: bytes) -> None:
            kept.append(Record(position, epoch, at_ms, body))

        self.create_function("keep", 4, keep)

    def kept(self, statement: str, given: tuple[int, ...]) -> tuple[Record, ...]:
        """Run a statement, and return the records that it kept, in their order. Raises sqlite3.Error."""
        self._kept.clear()
        self.execute(statement, given).fetchone()
        records = tuple(sorted(self._kept, key=_position))
        self._kept.clear()
        return records
