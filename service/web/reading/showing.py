"""Calls as they stand, for all who look: folded once in a process, and brought forward from there.

    GET ──┐
    GET ──┼──> Showings ──> the journal: only what follows the position that is folded already
    GET ──┘

Every answer is as new as the journal was when it was asked for. Fifty watchers cost fifty small reads
and one fold. When what was folded stands no more (another incarnation, records that moved), it is
folded anew.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from service.call.events import decode
from service.call.shown.timeline import Json, Timeline
from service.call.state import Call
from service.journal.values import Missing, Reading, Record

CALLS_MAX = 256  # as many as a screen of watchers looks at; others are folded again when asked for
STEPS_AT_ONCE = 200  # about 5 ms of folding: then media frames of calls beside it have their turn


class Showing:
    """One call, folded so far.

    `incarnation` is what its positions count within; `INCARNATION~BRANCH` while the last of them may
    still move, because the store does not have them yet.
    """

    def __init__(self, incarnation: str) -> None:
        self.incarnation = incarnation
        self.timeline = Timeline()
        self._drawn: Json = {}

    @property
    def call(self) -> Call:
        """The state."""
        return self.timeline.call

    @property
    def position(self) -> int:
        """The place of the last record that is folded."""
        return self.timeline.call.position

    @property
    def version(self) -> tuple[str, int]:
        """What two showings of the same state have in common."""
        return self.incarnation, self.position

    def drawn(self) -> Json:
        """Return the timeline as JSON-ready values; made once for each position."""
        if self._drawn.get("position") != self.position:
            self._drawn = self.timeline.shown()
        return self._drawn

    async def take(self, records: Sequence[Record]) -> None:
        """Fold what follows, with breaths between."""
        for index, record in enumerate(records):
            if index and index % STEPS_AT_ONCE == 0:
                await asyncio.sleep(0)
            self.timeline.add(decode(record.body), record)


class Readable(Protocol):
    """What is needed of a journal to show its calls."""

    async def read(self, call_sid: str, *, after: int = 0) -> Reading | Missing:
        """See Journal.read."""
        ...


class Showings:
    """The calls that were looked at last."""

    def __init__(self, journal: Readable, *, calls_max: int = CALLS_MAX) -> None:
        self._journal = journal
        self._calls_max = calls_max
        self._kept: OrderedDict[str, Showing] = OrderedDict()
        self._turns: dict[str, asyncio.Lock] = {}
        self._asking: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def of(self, call_sid: str) -> Showing | None:
        """Return the call as it stands now, None when there is none. Raises StoreError."""
        turn = self._turns.setdefault(call_sid, asyncio.Lock())
        self._asking[call_sid] = self._asking.get(call_sid, 0) + 1
        try:
            async with turn:
                return await self._brought_forward(call_sid)
        finally:
            self._asking[call_sid] -= 1
            if not self._asking[call_sid]:
                del self._asking[call_sid], self._turns[call_sid]

    async def at(self, call_sid: str, position: int) -> Showing | None:
        """Return the call as it stood after the record at `position`; None when it has no such record.

        Nothing of it is kept.
        """
        reading = await self._journal.read(call_sid)
        if isinstance(reading, Missing) or not 0 < position <= reading.head:
            return None
        then = Showing(mark(reading))
        await then.take(reading.records[:position])
        return then

    async def _brought_forward(self, call_sid: str) -> Showing | None:
        kept = self._kept.get(call_sid)
        reading = await self._journal.read(call_sid, after=kept.position if kept else 0)
        if kept is not None and not _follows(kept, reading):
            kept, reading = None, await self._journal.read(call_sid)
        self._kept.pop(call_sid, None)  # a fold that is broken off midway is not kept
        if isinstance(reading, Missing):
            return None
        showing = kept or Showing(mark(reading))
        showing.incarnation = mark(reading)
        await showing.take(reading.records)
        self._kept[call_sid] = showing
        while len(self._kept) > self._calls_max:
            self._kept.popitem(last=False)
        return showing


def mark(reading: Reading) -> str:
    """Return what the positions of a reading count within; see Showing."""
    return f"{reading.incarnation}~{reading.branch}" if reading.branch else reading.incarnation


def _follows(kept: Showing, reading: Reading | Missing) -> bool:
    """Whether what was read goes on where the fold ended, within the same journal."""
    if isinstance(reading, Missing):
        return True
    first = reading.records[0].position if reading.records else reading.head + 1
    stands = kept.incarnation in (reading.incarnation, mark(reading))
    return stands and first == kept.position + 1
