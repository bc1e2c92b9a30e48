"""The API: see calls, and step in. Errors are problem+json.

Whatever a person asks for is written to the call's journal as a fact; the process that holds the call
reads it there and acts. So any process answers for any call.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.call import events as e
from service.call.carrying import is_own_number
from service.call.place import Place
from service.call.state import Call, Operation
from service.call.view import Json, record_view, view
from service.carrier import Carrier
from service.clock import Clock
from service.config import Role
from service.documents import Documents
from service.errors import CarrierError, Refused
from service.journal.journal import Journal
from service.journal.values import Appended, Missing, Reading, Record
from service.session.calling_back import CallingBack, waits
from service.session.records import rebuilt
from service.web.bearer import Bearers
from service.web.body import json_of, text_of
from service.web.live import event_stream
from service.web.seats import Seats

NOTE_LETTERS_MAX = 10_000
NAME_LETTERS_MAX = 200  # of whoever approves
NOT_WAITING = "The operation does not wait for an approval."
PHASES = ("ringing", "live", "detached", "ended")


@dataclass(frozen=True, kw_only=True)
class Api:
    """The API of one application."""

    journal: Journal
    carrier: Carrier
    documents: Documents
    bearers: Bearers
    clock: Clock
    calling_back: CallingBack

    def routes(self) -> list[Route]:
        """Return the API's routes."""
        one = "/api/calls/{call_sid}"
        acts: dict[str, Callable[[Request], Awaitable[Response]]] = {
            **Seats(self.journal, self.clock, self._found, self._accepted).acts(),
            "transfer": self.transfer,
            "hangup": self.hang_up,
            "notes": self.note,
            "callback": self.call_back,
        }
        return [
            Route("/api/calls", self.calls, methods=["GET"]),
            Route(one, self.call, methods=["GET"]),
            Route(one, self.erase, methods=["DELETE"]),
            Route(f"{one}/events", self.events, methods=["GET"]),
            Route(f"{one}/operations/{{operation}}", self.decide, methods=["POST"]),
            *(Route(f"{one}/{name}", act, methods=["POST"]) for name, act in acts.items()),
        ]

    async def calls(self, request: Request) -> Response:
        """List the tenant's calls, oldest first, optionally of one phase."""
        tenant = self.bearers.admit(request, "viewer").tenant
        phase = request.query_params.get("phase")
        if phase is not None and phase not in PHASES:
            raise Refused(400, "Bad request", f"phase is one of {', '.join(PHASES)}.")
        found: list[Json] = []
        for headline in await self.journal.open_calls():
            reading = await self.journal.read(headline.call_sid)
            if isinstance(reading, Missing):
                continue
            call = rebuilt(None, reading.records)
            if call.tenant == tenant and phase in (None, call.phase):
                found.append(view(call, incarnation=reading.incarnation))
        return JSONResponse({"calls": found})

    async def call(self, request: Request) -> Response:
        """One call as it stands."""
        call, reading = await self._found(request, "viewer")
        return JSONResponse(view(call, incarnation=reading.incarnation))

    async def events(self, request: Request) -> Response:
        """The call's records after `after`: as JSON, or as server-sent events that go on."""
        _, reading = await self._found(request, "viewer")
        after = _whole(request.query_params.get("after", "0"))
        if "text/event-stream" in request.headers.get("accept", ""):
            return event_stream(
                self.journal, request.path_params["call_sid"], request, reading.incarnation, after
            )
        shown = [_shown(record) for record in reading.records if record.position > after]
        return JSONResponse(
            {"incarnation": reading.incarnation, "position": reading.head, "events": shown}
        )

    async def transfer(self, request: Request) -> Response:
        """Put the caller through to a number."""
        call, _ = await self._found(request, "agent", is_live=True)
        number = text_of(await json_of(request), "to", 300)
        try:
            self.documents.transfer(number)
        except ValueError as trouble:
            raise Refused(422, "Unprocessable content", str(trouble)) from trouble
        asked = e.TransferRequested(request=secrets.token_hex(6), to_number=number)
        return await self._accepted(call, asked, asked.request)

    async def hang_up(self, request: Request) -> Response:
        """End the call."""
        call, _ = await self._found(request, "agent", is_live=True)
        asked = e.HangupRequested(request=secrets.token_hex(6))
        return await self._accepted(call, asked, asked.request)

    async def call_back(self, request: Request) -> Response:
        """Ring the caller back, whose call is over."""
        call, _ = await self._found(request, "agent")
        if call.phase != "ended":
            raise Refused(409, "Conflict", "The call goes on.")
        if call.carried_on or waits(call):
            raise Refused(409, "Conflict", "The caller has rung back, or is being rung.")
        if not (is_own_number(call.customer_number) and is_own_number(call.our_number)):
            raise Refused(409, "Conflict", "The caller's number can't be rung.")
        key = f"callback:{call.callback.requests if call.callback else 0}"
        accepted = await self._accepted(call, e.CallbackRequested(by="person"), key)
        await self.calling_back.arrange(call.call_sid)
        return accepted

    async def note(self, request: Request) -> Response:
        """Add a note to the call."""
        call, _ = await self._found(request, "agent")
        text = text_of(await json_of(request), "text", NOTE_LETTERS_MAX)
        return await self._accepted(call, e.NoteAdded(text=text), secrets.token_hex(6))

    async def decide(self, request: Request) -> Response:
        """Let a tool work that waits for a person, or forbid it; what was decided first stands."""
        call, reading = await self._found(request, "agent")
        name = request.path_params["operation"]
        operation = _operation(call, name)
        if operation is None:
            raise Refused(404, "Not found", "The call has no such operation.")
        decision = await _decision(request, name)
        is_late = self.clock.now_ms() >= operation.approval_ms
        if _decided(reading, name) is None and (is_late or not _is_waiting(operation)):
            raise Refused(409, "Conflict", NOT_WAITING)
        # Under one key, so that of two people at once one is first, and both are told what stands.
        accepted = await self._accepted(call, decision, f"approve:{name}")
        written = await self.journal.read(call.call_sid)
        decided = None if isinstance(written, Missing) else _decided(written, name)
        if decided is not None and not decided.was_waiting:
            raise Refused(409, "Conflict", NOT_WAITING)
        if decided is not None and decided.is_approved != isinstance(decision, e.OperationApproved):
            raise Refused(409, "Conflict", "Somebody decided otherwise before.")
        return accepted

    async def erase(self, request: Request) -> Response:
        """Delete all that is kept of the call. A call that goes on is ended first."""
        call, _ = await self._found(request, "admin")
        if call.phase != "ended":
            try:
                await self.carrier.hang_up(call.call_sid)
            except CarrierError as trouble:
                raise Refused(
                    502, "Bad gateway", f"The call goes on and can't be ended: {trouble}."
                ) from trouble
        await self.journal.erase(call.call_sid)
        return Response(status_code=204)

    async def _found(
        self, request: Request, role: Role, *, is_live: bool = False
    ) -> tuple[Call, Reading]:
        """Return the call. Another tenant's call is answered like one that isn't there."""
        token = self.bearers.admit(request, role)
        reading = await self.journal.read(request.path_params["call_sid"])
        if not isinstance(reading, Missing):
            call = rebuilt(None, reading.records)
            if call.tenant == token.tenant:
                if is_live and call.phase == "ended":
                    raise Refused(409, "Conflict", "The call has ended.")
                return call, reading
        raise Refused(404, "Not found", "There is no such call.")

    async def _accepted(self, call: Call, fact: e.Known, key: str) -> Response:
        outcome = await self.journal.append(
            call.call_sid,
            (e.encode(fact),),
            epoch=None,
            after=None,
            key=f"api:{key}",
            now_ms=self.clock.now_ms(),
        )
        if isinstance(outcome, Missing):
            raise Refused(404, "Not found", "There is no such call.")
        if not isinstance(outcome, Appended):
            raise Refused(507, "Insufficient storage", "The call's journal takes no more records.")
        return JSONResponse({"request": key, "position": outcome.position}, status_code=202)


def _shown(record: Record) -> Json:
    place = Place(record.position, record.epoch, record.at_ms)
    return record_view(e.decode(record.body), place)


async def _decision(request: Request, name: str) -> e.OperationApproved | e.OperationDenied:
    body = await json_of(request)
    approve = body.get("approve")
    if not isinstance(approve, bool):
        raise Refused(422, "Unprocessable content", "approve is missing or not true or false.")
    by = text_of(body, "by", NAME_LETTERS_MAX) if "by" in body else ""
    kind = e.OperationApproved if approve else e.OperationDenied
    return kind(operation=name, by=by)


@dataclass(frozen=True)
class _Decided:
    """The first decision about an operation, and whether anything waited for it then."""

    is_approved: bool
    was_waiting: bool


def _decided(reading: Reading, name: str) -> _Decided | None:
    for index, record in enumerate(reading.records):
        fact = e.decode(record.body) if record.epoch == 0 else None  # people write from outside
        match fact:
            case e.OperationApproved(operation=named) | e.OperationDenied(operation=named):
                if named == name:
                    asked = _operation(rebuilt(None, reading.records[:index]), name)
                    is_approved = isinstance(fact, e.OperationApproved)
                    return _Decided(is_approved, asked is not None and _is_waiting(asked))
            case _:
                pass
    return None


def _operation(call: Call, name: str) -> Operation | None:
    return next((one for one in call.operations if one.operation == name), None)


def _is_waiting(operation: Operation) -> bool:
    return operation.status == "pending" and operation.approval == "asked"


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:  # noqa: PLR2004 - beyond any journal
        raise Refused(400, "Bad request", "after is a position: a whole number from 0.")
    return int(text)
