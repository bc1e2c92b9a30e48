"""The API's acts: people step into calls. Errors are problem+json.

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
from service.call.carrying import can_be_rung
from service.call.state import Call, Operation
from service.carrier import Outward
from service.clock import Clock
from service.documents import Documents
from service.errors import Refused
from service.journal.journal import Journal
from service.journal.values import Appended, Missing, Reading
from service.session.calling_back import CallingBack, waits
from service.session.kept.records import rebuilt
from service.web.disclosure import Disclosure
from service.web.door.body import json_of, text_of
from service.web.erasure import Erasure
from service.web.reading.admitted import Admitted, no_call
from service.web.seat.seats import Seats

NOTE_LETTERS_MAX = 10_000
NAME_LETTERS_MAX = 200  # of whoever approves
NOT_WAITING = "The operation does not wait for an approval."


@dataclass(frozen=True, kw_only=True)
class Api:
    """The API of one application."""

    journal: Journal
    carrier: Outward
    documents: Documents
    admitted: Admitted
    clock: Clock
    calling_back: CallingBack

    def routes(self) -> list[Route]:
        """Return the API's routes."""
        one = "/api/calls/{call_sid}"
        acts: dict[str, Callable[[Request], Awaitable[Response]]] = {
            **Seats(self.journal, self.clock, self.admitted, self._accepted).acts(),
            "transfer": self.transfer,
            "hangup": self.hang_up,
            "notes": self.note,
            "callback": self.call_back,
        }
        erasure = Erasure(
            journal=self.journal, carrier=self.carrier, admitted=self.admitted, clock=self.clock
        )
        return [
            *erasure.routes(),
            *Disclosure(journal=self.journal, admitted=self.admitted).routes(),
            Route(f"{one}/operations/{{operation}}", self.decide, methods=["POST"]),
            *(Route(f"{one}/{name}", act, methods=["POST"]) for name, act in acts.items()),
        ]

    async def transfer(self, request: Request) -> Response:
        """Put the caller through to a number."""
        call = (await self.admitted.call(request, "agent", is_live=True)).call
        if call.is_from_page:
            raise Refused(409, "Conflict", "A call from a page can't be put through to a number.")
        number = text_of(await json_of(request), "to", 300)
        try:
            self.documents.transfer(number)
        except ValueError as trouble:
            raise Refused(422, "Unprocessable content", str(trouble)) from trouble
        asked = e.TransferRequested(request=secrets.token_hex(6), to_number=number)
        return await self._accepted(call, asked, asked.request)

    async def hang_up(self, request: Request) -> Response:
        """End the call."""
        call = (await self.admitted.call(request, "agent", is_live=True)).call
        asked = e.HangupRequested(request=secrets.token_hex(6))
        return await self._accepted(call, asked, asked.request)

    async def call_back(self, request: Request) -> Response:
        """Ring the caller back, whose call is over."""
        call = (await self.admitted.call(request, "agent")).call
        if call.phase != "ended":
            raise Refused(409, "Conflict", "The call goes on.")
        if call.carried_on or waits(call):
            raise Refused(409, "Conflict", "The caller has rung back, or is being rung.")
        if not can_be_rung(call):
            raise Refused(409, "Conflict", "The caller's number can't be rung.")
        key = f"callback:{call.callback.requests if call.callback else 0}"
        accepted = await self._accepted(call, e.CallbackRequested(by="person"), key)
        await self.calling_back.arrange(call.call_sid)
        return accepted

    async def note(self, request: Request) -> Response:
        """Add a note to the call."""
        call = (await self.admitted.call(request, "agent")).call
        text = text_of(await json_of(request), "text", NOTE_LETTERS_MAX)
        return await self._accepted(call, e.NoteAdded(text=text), secrets.token_hex(6))

    async def decide(self, request: Request) -> Response:
        """Let a tool work that waits for a person, or forbid it; what was decided first stands."""
        call = (await self.admitted.call(request, "agent")).call
        name = request.path_params["operation"]
        operation = _operation(call, name)
        if operation is None:
            raise Refused(404, "Not found", "The call has no such operation.")
        person = self.admitted.bearers.admit(request, "agent").name
        decision = await _decision(request, name, person)
        reading = await self.journal.read(call.call_sid)
        if isinstance(reading, Missing):
            raise no_call()
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
            raise no_call()
        if not isinstance(outcome, Appended):
            raise Refused(507, "Insufficient storage", "The call's journal takes no more records.")
        return JSONResponse({"request": key, "position": outcome.position}, status_code=202)


async def _decision(
    request: Request, name: str, person: str
) -> e.OperationApproved | e.OperationDenied:
    body = await json_of(request)
    approve = body.get("approve")
    if not isinstance(approve, bool):
        raise Refused(422, "Unprocessable content", "approve is missing or not true or false.")
    by = person or (text_of(body, "by", NAME_LETTERS_MAX) if "by" in body else "")
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
