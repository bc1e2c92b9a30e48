"""Server-sent events of one call: backlog, then live, without gap or duplicate.

An event's id is `incarnation:position`, so a browser's `Last-Event-ID` goes on exactly where it was. A
position of another incarnation is answered with `reset`, then everything from the start.
"""

import json
from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request

from service.call.events import decode
from service.call.place import Place
from service.call.view import record_view
from service.journal.journal import Gone, Journal, Record, Reset

PING_S = 15  # well under the shortest idle timeout of a proxy (55 s)
RETRY_MS = 1_000


def event_stream(
    journal: Journal, call_sid: str, request: Request, incarnation: str, after: int
) -> EventSourceResponse:
    """Return the response. `Last-Event-ID` goes before `after`."""
    seen, position = incarnation, after
    last_id = request.headers.get("last-event-id", "")
    if last_id:
        seen, _, text = last_id.rpartition(":")
        position = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0  # noqa: PLR2004 - beyond any journal
    return EventSourceResponse(_events(journal, call_sid, seen, position, incarnation), ping=PING_S)


async def _events(
    journal: Journal, call_sid: str, seen: str, after: int, incarnation: str
) -> AsyncIterator[ServerSentEvent]:
    async for item in journal.tail(call_sid, incarnation=seen, after=after):
        match item:
            case Record():
                shown = record_view(decode(item.body), Place(item.position, item.epoch, item.at_ms))
                yield ServerSentEvent(
                    json.dumps(shown),
                    event="record",
                    id=f"{incarnation}:{item.position}",
                    retry=RETRY_MS,
                )
            case Reset():
                incarnation = item.incarnation
                yield ServerSentEvent(
                    json.dumps({"incarnation": incarnation}), event="reset", id=f"{incarnation}:0"
                )
            case Gone():
                yield ServerSentEvent("{}", event="gone")
                return
