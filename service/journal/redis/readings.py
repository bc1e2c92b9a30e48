"""What is read of one call in Redis, for who asks, who claims and who tails it.

A call and its records are read in one transaction, so that they are of one moment.
"""

from collections.abc import AsyncGenerator
from typing import Final

from service.journal.limits import PAGE_RECORDS, is_name
from service.journal.redis.pump import Pumps
from service.journal.redis.rows import CALL_FIELDS, HEADLINE_FIELDS, reading_from
from service.journal.redis.scripts import CALL_KEY
from service.journal.redis.server import Answer
from service.journal.tailing import Bells, Page, follow
from service.journal.values import Gone, Known, Missing, Reading, Record, Reset

RECHECK_MS = 2_000  # how late a tail may hear of a call that expired, or of a ring that got lost
_LAST: Final = -1  # the end of a list, in Redis's way of counting


class Readings:
    """Reads through `pump`."""

    def __init__(self, pump: Pumps, bells: Bells) -> None:
        self._pump = pump
        self._bells = bells

    async def read(
        self,
        call_sid: str,
        *,
        after: int,
        last: int = _LAST,
        fields: tuple[str, ...] = CALL_FIELDS,
    ) -> Reading | Missing:
        """Return the records from `after` on, up to the element `last`, with these fields of the call."""
        call = CALL_KEY % call_sid
        answers = await self._pump.run(
            ("MULTI",),
            ("HMGET", call, *fields),
            ("LRANGE", f"{call}:records", after, last),
            ("LLEN", f"{call}:records"),
            ("EXEC",),
        )
        row, elements, length = answers[-1]
        return reading_from(row, elements, length, after=after)

    async def read_claimed(
        self, call_sid: str, taken: list[Answer], *, known: Known | None
    ) -> tuple[Reading | Missing, int]:
        """Return what a claimer is told, and since when: what follows `known`, or all when it is void.

        `taken` is what claim.lua answered, after the epoch.
        """
        incarnation, _, head, snapshot_at, *_ = taken
        if known is not None and known.stands_in(incarnation.decode(), head):
            reading = await self.read(call_sid, after=known.position, fields=HEADLINE_FIELDS)
            return reading, known.position
        return await self.read(call_sid, after=int(snapshot_at or 0)), 0

    def tail(
        self, call_sid: str, *, incarnation: str | None, after: int
    ) -> AsyncGenerator[Record | Reset | Gone, None]:
        """See Journal.tail."""
        return follow(
            self._bells,
            self._read_page,
            call_sid,
            incarnation=incarnation,
            after=after,
            recheck_ms=RECHECK_MS,
        )

    async def _read_page(self, call_sid: str, after: int) -> Page | None:
        if not is_name(call_sid):
            return None
        reading = await self.read(call_sid, after=after, last=after + PAGE_RECORDS - 1)
        if isinstance(reading, Missing):
            return None
        return Page(reading.incarnation, reading.head, reading.records)
