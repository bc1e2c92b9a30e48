"""Server-sent events of one call: backlog, then live, without gap or duplicate.

An event's id is `incarnation:position`, so a browser's `Last-Event-ID` goes on exactly where it was. A
position of another incarnation is answered with `reset`, then everything from the start.
"""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request

from service.call.events import decode
from service.call.place import Place
from service.call.view import record_view
from service.errors import StoreError
from service.journal.journal import Journal
from service.journal.values import Gone, Record, Reset

PING_S = 15  # well under the shortest idle timeout of a proxy (55 s)
RETRY_MS = 1_000
SEND_S_MAX = 10  # a reader that takes nothing for so long has gone; it comes back where it was

_log = logging.getLogger(__name__)


def event_stream(
    journal: Journal, call_sid: str, request: Request, incarnation: str, after: int
) -> EventSourceResponse:
    """Return the response. `Last-Event-ID` goes before `after`."""
    seen, position = incarnation, after
    last_id = request.headers.get("last-event-id", "")
    if last_id:
        seen, _, text = last_id.rpartition(":")
        position = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0  # noqa: PLR2004 - beyond any journal
    return EventSourceResponse(
        _events(journal, call_sid, seen, position, incarnation),
        ping=PING_S,
        send_timeout=SEND_S_MAX,
    )


async def _events(
    journal: Journal, call_sid: str, seen: str, after: int, incarnation: str
) -> AsyncIterator[ServerSentEvent]:
    tail = journal.tail(call_sid, incarnation=seen, after=after)
    try:
        async with aclosing(tail) as items:
            async for item in items:
                if isinstance(item, Reset):
                    incarnation = item.incarnation
                yield _event(item, incarnation)
    except StoreError as trouble:
        # The response has begun, so all that is left is to end it: the reader asks again.
        _log.error("! the store failed: %s", trouble, extra={"action": "store_failed"})


def _event(item: Record | Reset | Gone, incarnation: str) -> ServerSentEvent:
    match item:
        case Record():
            shown = record_view(decode(item.body), Place(item.position, item.epoch, item.at_ms))
            return ServerSentEvent(
                json.dumps(shown),
                event="record",
                id=f"{incarnation}:{item.position}",
                retry=RETRY_MS,
            )
        case Reset():
            told = json.dumps({"incarnation": incarnation})
            return ServerSentEvent(told, event="reset", id=f"{incarnation}:0")
        case Gone():
            return ServerSentEvent("{}", event="gone")
