"""The API's rooms for readers: calls, their records, their timelines, and the board of all of them."""

import json
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.call.shown.minutes import minutes
from service.call.shown.view import Json, view
from service.errors import Refused
from service.journal.behind.bridge import Bridge
from service.journal.values import Missing
from service.web.reading.admitted import Admitted, no_call
from service.web.reading.board import Board
from service.web.reading.cards import Cards, Search, search
from service.web.reading.live import (
    Follower,
    Offset,
    board_events,
    sent,
    shown,
    whole,
)
from service.web.reading.showing import mark

WAIT_S_MAX = 50  # of a long poll: proxies give up on silence after 55 s and more
LIST_MAX = 10_000


@dataclass(frozen=True, kw_only=True)
class ReadingRoom:
    """What one application shows of its calls."""

    journal: Bridge
    admitted: Admitted
    cards: Cards
    board: Board

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = "/api/calls/{call_sid}"
        return [
            Route("/api/calls", self.calls, methods=["GET"]),
            Route("/api/board", self.all_calls, methods=["GET"]),
            Route(one, self.call, methods=["GET"]),
            Route(f"{one}/events", self.events, methods=["GET"]),
            Route(f"{one}/timeline", self.timeline, methods=["GET"]),
            Route(f"{one}/export", self.export, methods=["GET"]),
        ]

    async def calls(self, request: Request) -> Response:
        """List the tenant's calls, oldest first: of one phase, with all of some words, some at a time.

        `limit` takes the newest of them, `before` those that stand before a call.
        """
        wanted = self._wanted(request)
        limit = _within(request, "limit", 1, LIST_MAX, LIST_MAX)
        before = request.query_params.get("before")
        await self.cards.look()
        sids = [one.call_sid for one in self.cards.found(wanted)]
        if before is not None:
            known = [one.call_sid for one in self.cards.found(Search(wanted.tenant))]
            if before not in known:
                raise Refused(400, "Bad request", "before is the call_sid of a call in the list.")
            earlier = set(known[: known.index(before)])
            sids = [sid for sid in sids if sid in earlier]
        found: list[Json] = []
        for sid in sids[-limit:]:
            showing = await self.admitted.showings.of(sid)
            if showing is not None and showing.call.tenant == wanted.tenant:
                found.append(view(showing.call, incarnation=showing.incarnation))
        return JSONResponse({"calls": found})

    async def all_calls(self, request: Request) -> Response:
        """The board: all calls in a few words, as JSON, or as server-sent events that go on."""
        wanted = self._wanted(request)
        if _wants_events(request):
            return sent(board_events(self.board.watch(wanted)))
        await self.cards.look()
        return JSONResponse({"calls": [one.shown for one in self.cards.found(wanted)]})

    async def call(self, request: Request) -> Response:
        """One call as it stands, or as it stood after the record at position `at`."""
        showing = await self.admitted.call(request, "viewer")
        if "at" in request.query_params:
            position = _within(request, "at", 1, showing.position, 0)
            then = await self.admitted.showings.at(showing.call.call_sid, position)
            if then is None or then.call.tenant != showing.call.tenant:
                raise no_call()
            showing = then
        return JSONResponse(view(showing.call, incarnation=showing.incarnation))

    async def timeline(self, request: Request) -> Response:
        """One call's timeline."""
        showing = await self.admitted.call(request, "viewer")
        return JSONResponse({"incarnation": showing.incarnation, **showing.drawn()})

    async def events(self, request: Request) -> Response:
        """The call's records after `after`: as JSON, as a long poll, or as server-sent events that go on."""
        showing = await self.admitted.call(request, "viewer")
        call_sid, after = request.path_params["call_sid"], request.query_params.get("after", "0")
        position = whole(after)
        if position is None and ":" not in after:
            raise Refused(400, "Bad request", "after is a position, or INCARNATION:POSITION.")
        here = Offset.read(after) if position is None else Offset(showing.incarnation, position)
        if _wants_events(request):
            last_id = request.headers.get("last-event-id", "")
            follower = Follower(self.journal, call_sid, Offset.read(last_id) if last_id else here)
            return sent(follower.events())
        wait_s = _within(request, "wait_s", 0, WAIT_S_MAX, 0)
        if position is None or wait_s:
            told = await Follower(self.journal, call_sid, here).poll(wait_s)
            if told is None:
                raise no_call()
            return JSONResponse(told)
        return JSONResponse(await self._records(call_sid, position))

    async def export(self, request: Request) -> Response:
        """All that is known of a call, to be kept: as JSON, or as text to read."""
        showing = await self.admitted.call(request, "agent")
        kind = request.query_params.get("format", "json")
        if kind not in ("json", "text"):
            raise Refused(400, "Bad request", "format is json or text.")
        name = "".join(one for one in showing.call.call_sid if one.isascii() and one.isalnum())
        suffix = "json" if kind == "json" else "txt"
        headers = {"Content-Disposition": f'attachment; filename="{name or "call"}.{suffix}"'}
        if kind == "text":
            return Response(minutes(showing.timeline), headers=headers, media_type="text/plain")
        whole_call = {
            "call": view(showing.call, incarnation=showing.incarnation),
            "timeline": showing.drawn(),
        }
        told = await self._records(request.path_params["call_sid"], 0)
        return Response(
            json.dumps({**whole_call, "events": told["events"]}, indent=1),
            headers=headers,
            media_type="application/json",
        )

    async def _records(self, call_sid: str, after: int) -> Json:
        reading = await self.journal.read(call_sid, after=after)
        if isinstance(reading, Missing):
            raise no_call()
        told = [shown(one) for one in reading.records if one.position > after]
        return {"incarnation": mark(reading), "position": reading.head, "events": told}

    def _wanted(self, request: Request) -> Search:
        tenant = self.admitted.bearers.admit(request, "viewer").tenant
        asked = request.query_params
        return search(tenant, asked.get("phase"), asked.get("q", ""))


def _wants_events(request: Request) -> bool:
    return "text/event-stream" in request.headers.get("accept", "")


def _within(request: Request, name: str, least: int, most: int, otherwise: int) -> int:
    """Read a whole number of the query. Raises Refused."""
    text = request.query_params.get(name)
    value = otherwise if text is None else whole(text)
    if text is None:
        return otherwise
    if value is None or not least <= value <= most:
        raise Refused(400, "Bad request", f"{name} is a whole number from {least} to {most}.")
    return value
