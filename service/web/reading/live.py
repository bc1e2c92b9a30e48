"""What watchers are told as it happens: server-sent events, and the long poll in their place.

An event's id is `incarnation:position`, so a browser's `Last-Event-ID` goes on exactly where it was. A
position of another incarnation is answered with `reset`, then everything from the start. While the
store is away, records may come to stand elsewhere: their ids are `incarnation~branch:position`, and
whoever comes back with one after that begins anew, too.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Message, Scope

from service.call.events import decode
from service.call.shown.view import Json, record_view
from service.errors import StoreError
from service.journal.behind.bridge import Bridge
from service.journal.values import Gone, Missing, Reading, Record, Reset
from service.web.reading.board import News

PING_S = 5  # so that a page finds out within 15 s, twice 7 s, that a proxy holds streams back
RETRY_MS = 1_000
SEND_S_MAX = 10  # a reader that takes nothing for so long has gone; it comes back where it was
PIECE_BYTES = 65_536  # of events sent at once, and the event that passes it
EVENTS_MAX = 1_000  # of one long poll's answer; whoever is so far behind asks again at once

_log = logging.getLogger(__name__)


def shown(record: Record) -> Json:
    """Return a record as readers see it."""
    return record_view(decode(record.body), record)


def sent(events: AsyncIterator[bytes | ServerSentEvent]) -> EventSourceResponse:
    """Return the response that sends events as they come; of bytes, as many as come in one piece."""
    return EventSourceResponse(events, ping=PING_S, send_timeout=SEND_S_MAX)


async def rehearse() -> None:
    """Load what the first stream of events needs: that takes 80 ms, for which all calls would wait."""
    scope: Scope = {"type": "http", "method": "HEAD", "path": "/", "headers": []}
    await sent(_nothing())(scope, _hear_nothing, _tell_nobody)


async def _nothing() -> AsyncGenerator[bytes, None]:
    return
    yield b""


async def _hear_nothing() -> Message:
    return {"type": "http.disconnect"}


async def _tell_nobody(_message: Message) -> None:
    return


class Offset:
    """A reader's place: what its position counts within, and the position."""

    def __init__(self, incarnation: str, position: int) -> None:
        self.incarnation = incarnation
        self.position = position

    @staticmethod
    def read(text: str) -> "Offset":
        """Read `incarnation:position`. What makes no sense is a place that is nowhere."""
        incarnation, _, digits = text.rpartition(":")
        return Offset(incarnation, whole(digits) or 0)


def whole(text: str) -> int | None:
    """Read a position, None when it is none."""
    is_number = text.isascii() and text.isdigit() and len(text) < 12  # noqa: PLR2004 - beyond any journal
    return int(text) if is_number else None


class Follower:
    """Follows one call for one reader, from its offset."""

    def __init__(self, journal: Bridge, call_sid: str, offset: Offset) -> None:
        self._journal = journal
        self._call_sid = call_sid
        self._incarnation, _, branch = offset.incarnation.partition("~")
        self._position = offset.position
        if branch and branch != journal.branch_of(call_sid, offset.position):
            self._incarnation = offset.incarnation  # no journal is called so: it will be reset

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Yield the backlog and what comes, as events with ids; what came together in one piece.

        A piece of ten events costs what a single one does: one wait, one write, one packet.
        """
        try:
            async with aclosing(self._batches()) as batches:
                async for batch in batches:
                    piece = bytearray()
                    for item in batch:
                        piece += self._event(item)
                        if len(piece) >= PIECE_BYTES:
                            yield bytes(piece)
                            piece.clear()
                    if piece:
                        yield bytes(piece)
        except StoreError as trouble:
            # The response has begun, so all that is left is to end it: the reader asks again.
            _log.error("! the store failed: %s", trouble, extra={"action": "store_failed"})

    async def poll(self, wait_s: int) -> Json | None:
        """Return what follows the offset, as soon as there is anything; None for a call that is gone."""
        told = await self._told()
        if told is None or told["events"] or told["reset"] or not wait_s:
            return told
        async with aclosing(self._batches()) as batches:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    # It only says that there is something: what, the journal says.
                    await anext(batches, None)
        return await self._told()

    async def _told(self) -> Json | None:
        """Return what stands after the offset now."""
        after, is_reset = self._position, False
        reading = await self._journal.read(self._call_sid, after=after)
        if isinstance(reading, Reading) and (
            reading.incarnation != self._incarnation or after > reading.head
        ):
            after, is_reset = 0, True
            reading = await self._journal.read(self._call_sid)
        if isinstance(reading, Missing):
            return None
        records = [one for one in reading.records if one.position > after][:EVENTS_MAX]
        position = records[-1].position if records else after
        return {
            "incarnation": self._mark(reading.incarnation, position),
            "position": position,
            "head": reading.head,
            "events": [shown(one) for one in records],
            "reset": is_reset,
        }

    def _batches(self) -> AsyncGenerator[tuple[Record | Reset | Gone, ...], None]:
        return self._journal.batches(
            self._call_sid, incarnation=self._incarnation, after=self._position
        )

    def _mark(self, incarnation: str, position: int) -> str:
        branch = self._journal.branch_of(self._call_sid, position)
        return f"{incarnation}~{branch}" if branch else incarnation

    def _event(self, item: Record | Reset | Gone) -> bytes:
        match item:
            case Record():
                place = f"{self._mark(self._incarnation, item.position)}:{item.position}"
                return _written("record", json.dumps(shown(item)), place)
            case Reset():
                self._incarnation = item.incarnation
                told = json.dumps({"incarnation": item.incarnation})
                return _written("reset", told, f"{item.incarnation}:0")
            case Gone():
                return b"event: gone\r\ndata: {}\r\n\r\n"


def _written(name: str, told: str, place: str) -> bytes:
    """Write an event; neither `told`, which is JSON, nor `place` has a line break within.

    A busy call's readers are told thousands a second, so it is written without the library's care.
    """
    lines = f"id: {place}\r\nevent: {name}\r\ndata: {told}\r\nretry: {RETRY_MS}\r\n\r\n"
    return lines.encode()


async def board_events(news: AsyncGenerator[News, None]) -> AsyncGenerator[ServerSentEvent, None]:
    """Yield the board's news as events. They bear no ids: whoever comes back is told all."""
    async with aclosing(news) as items:
        async for one in items:
            yield ServerSentEvent(json.dumps(one.told), event=one.event, retry=RETRY_MS)
