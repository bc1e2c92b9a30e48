"""A small ticket desk for the demonstration and for tests: what a support team's own system would be.

    GET  /tickets/{ticket_id}          the ticket, with its notes
    POST /tickets/{ticket_id}/notes    {"text"}
    POST /callbacks                    {"number", "about"?, "when"?, "ticket_id"?}
    POST /summaries                    {"text", "ticket_id"?, "caller"?}
    GET  /log                          what was asked and how often it was carried out, by key

All is kept in memory. Whatever changes something honours `Idempotency-Key`: the same key is carried out
once and answered alike; the same key with another wish is refused (422).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

BODY_BYTES_MAX = 65_536  # a long summary is a tenth of it
KEYS_MAX = 10_000  # more than any test asks; the oldest are forgotten first
RECORDS_MAX = 1_000  # notes of a ticket, call-backs and summaries that are kept


class Ticket(msgspec.Struct, kw_only=True):
    """One ticket."""

    ticket_id: str
    client_name: str
    company: str
    subject: str
    status: str
    assigned_to: str
    next_step: str
    notes: list[str] = []


class Done(msgspec.Struct):
    """What became of one key. `asked` counts the requests, `executions` how often it was carried out."""

    path: str
    wish: bytes
    answer: dict[str, Any] = {}
    asked: int = 0
    executions: int = 0


class Declined(Exception):
    """A request that is not carried out; `status` is the HTTP status of the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Text(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a note."""

    text: str


class Callback(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The body of a call-back request."""

    number: str
    about: str = ""
    when: str = ""
    ticket_id: str = ""


class Summary(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The body of a call's summary."""

    text: str
    ticket_id: str = ""
    caller: str = ""


Wish = TypeVar("Wish", Text, Callback, Summary)
Record = TypeVar("Record")


def tickets() -> dict[str, Ticket]:
    """Return the tickets of the callers that are recorded in fixtures/audio."""
    found = (
        Ticket(
            ticket_id="TKT-1234",
            client_name="Sarah Johnson",
            company="Blue River Bakery",
            subject="The label printer stops with error code 17",
            status="in progress",
            assigned_to="Priya Shah",
            next_step="A technician brings a new print head tomorrow before noon.",
        ),
        Ticket(
            ticket_id="TKT-4821",
            client_name="David Miller",
            company="Blue River Bakery",
            subject="The office computer can't print",
            status="waiting for the caller",
            assigned_to="Tom Baker",
            next_step="We need to know whether the computer starts.",
        ),
    )
    return {ticket.ticket_id: ticket for ticket in found}


class TicketDesk:
    """The desk's memory, and what a test may do to it.

    `slow_ms` delays every answer, after the work was done. The next `failures` requests are
    turned away with a 503. The next `lost_answers` requests that change something are carried out and never
    answered. Without `honours_keys` every request is carried out, as by a system that knows no keys.
    """

    def __init__(self) -> None:
        self.slow_ms = 0
        self.failures = 0
        self.lost_answers = 0
        self.honours_keys = True
        self.tickets = tickets()
        self.callbacks: list[Callback] = []
        self.summaries: list[Summary] = []
        self.done: dict[str, Done] = {}
        self._keyless = 0

    def executions(self, key: str) -> int:
        """Return how often the wish of this key was carried out."""
        return self.done[key].executions if key in self.done else 0

    async def show(self, request: Request) -> Response:
        """Answer with one ticket."""
        return JSONResponse(msgspec.to_builtins(self._ticket(request)))

    async def note(self, request: Request) -> Response:
        """Add a note to a ticket."""
        ticket, note = self._ticket(request), await _body(request, Text)

        def work() -> dict[str, Any]:
            _keep(ticket.notes, note.text)
            return {"ticket_id": ticket.ticket_id, "notes": len(ticket.notes)}

        return await self._once(request, note, work)

    async def call_back(self, request: Request) -> Response:
        """Take a call-back request."""
        wish = await _body(request, Callback)

        def work() -> dict[str, Any]:
            _keep(self.callbacks, wish)
            return {"callback": f"CB-{len(self.callbacks)}", "number": wish.number}

        return await self._once(request, wish, work)

    async def sum_up(self, request: Request) -> Response:
        """Take the summary of a call."""
        summary = await _body(request, Summary)

        def work() -> dict[str, Any]:
            _keep(self.summaries, summary)
            return {"summaries": len(self.summaries)}

        return await self._once(request, summary, work)

    async def log(self, _request: Request) -> Response:
        """Answer with what was asked, by key."""
        return JSONResponse(
            {
                key: {"path": one.path, "asked": one.asked, "executions": one.executions}
                for key, one in self.done.items()
            }
        )

    async def _once(
        self, request: Request, body: msgspec.Struct, work: Callable[[], dict[str, Any]]
    ) -> Response:
        """Carry the work out unless its key was seen; no other request can come between."""
        path = request.url.path
        wish = path.encode() + msgspec.json.encode(body)
        key = request.headers.get("idempotency-key", "")
        if not key:
            self._keyless += 1
            key = f"without-key-{self._keyless}"
        done = self._noted(key, wish, path)
        if done.wish != wish:
            raise Declined(422, "this Idempotency-Key was used for another request")
        if not (done.executions and self.honours_keys):
            done.answer = work()
            done.executions += 1
        if self.lost_answers > 0:
            self.lost_answers -= 1
            await request.receive()  # after the body, ASGI tells only that the client left
            raise ClientDisconnect
        return JSONResponse(done.answer, 201)

    def _noted(self, key: str, wish: bytes, path: str) -> Done:
        if key not in self.done and len(self.done) >= KEYS_MAX:
            del self.done[next(iter(self.done))]
        done = self.done.setdefault(key, Done(path, wish))
        done.asked += 1
        return done

    def _ticket(self, request: Request) -> Ticket:
        given = "".join(filter(str.isalnum, request.path_params["ticket_id"].upper()))
        digits = given.removeprefix("TKT")
        found = self.tickets.get(f"TKT-{digits}")
        if found is None:
            raise Declined(404, "there is no ticket of this number")
        return found


def create_desk(desk: TicketDesk | None = None) -> Starlette:
    """Return the ASGI application of a desk; of a new one when none is given."""
    own = desk or TicketDesk()

    def answering(
        work: Callable[[Request], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if own.failures > 0:
                own.failures -= 1
                # With the header a 503 is a clear no; without, it could come from somebody between.
                closed = {"error": "the desk is closed for a moment"}
                return JSONResponse(closed, 503, {"retry-after": "0"})
            try:
                answered = await work(request)
            except Declined as declined:
                answered = JSONResponse({"error": declined.reason}, declined.status)
            except ClientDisconnect:  # nobody is there to be answered
                return Response(status_code=499)
            if own.slow_ms:
                await asyncio.sleep(own.slow_ms / 1000)
            return answered

        return answer

    return Starlette(
        routes=[
            Route("/tickets/{ticket_id}", answering(own.show), methods=["GET"]),
            Route("/tickets/{ticket_id}/notes", answering(own.note), methods=["POST"]),
            Route("/callbacks", answering(own.call_back), methods=["POST"]),
            Route("/summaries", answering(own.sum_up), methods=["POST"]),
            Route("/log", own.log, methods=["GET"]),
        ]
    )


async def _body(request: Request, kind: type[Wish]) -> Wish:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise Declined(413, "the request is too long")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise Declined(400, f"the request can't be used: {wrong}") from wrong


def _keep(records: list[Record], record: Record) -> None:
    """Add a record; the oldest goes when there are too many."""
    records.append(record)
    del records[:-RECORDS_MAX]
