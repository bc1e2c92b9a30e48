"""What each wave of calls came to, added up: calls are judged when they are over, and reported in the end.

tally.count("calls ended", [...]) · tally.spread("key to answer", [...])     after each wave
tally.into(report)                                                           once
"""

from collections.abc import Iterable, Sequence

import msgspec

from service.chaos.report import Report

FOUND_MAX = 100  # findings kept of one rule: the first ones tell what is wrong


class _Count(msgspec.Struct):
    at_most: int | None
    at_least: int
    number: int = 0
    found: list[str] = msgspec.field(default_factory=list)


class Tally:
    """Rows of a report that grow, in the order in which they first came."""

    def __init__(self) -> None:
        self._rows: dict[str, _Count | list[int]] = {}

    def count(
        self, name: str, found: int | Sequence[str], *, at_most: int | None = 0, at_least: int = 0
    ) -> None:
        """Add to a row of one number; see Report.count."""
        row = self._rows.setdefault(name, _Count(at_most, at_least))
        assert isinstance(row, _Count)
        if isinstance(found, int):
            row.number += found
        else:
            row.number += len(found)
            row.found += found[: FOUND_MAX - len(row.found)]

    def spread(self, name: str, values: Iterable[int]) -> None:
        """Add to a row of median, p99 and worst, in milliseconds."""
        row = self._rows.setdefault(name, [])
        assert isinstance(row, list)
        row += values

    def found(self) -> list[str]:
        """Return what broke rules, as far as it is kept."""
        return [one for row in self._rows.values() if isinstance(row, _Count) for one in row.found]

    def into(self, report: Report) -> None:
        """Put all rows into a report."""
        for name, row in self._rows.items():
            if isinstance(row, list):
                report.spread(name, row)
            else:
                report.count(
                    name, row.number, at_most=row.at_most, at_least=row.at_least, found=row.found
                )
