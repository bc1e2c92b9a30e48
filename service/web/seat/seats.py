"""A person in the agent's place, through the API: take over, hand back, and speak as long as one is there.

What people ask for at the same moment is in one order in the journal, and the first has it. So each
request is written, and read again as of that very record, to tell who asked whether it stood.
"""

import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from service.call import events as e
from service.call.seat import Seat, asked_for
from service.call.shown.view import Json
from service.call.state import Call
from service.clock import Clock
from service.errors import Refused
from service.journal.journal import Journal
from service.journal.values import Missing
from service.session.kept.records import rebuilt
from service.web.door.body import json_of, text_of
from service.web.reading.admitted import Admitted, no_call
from twiml import verbs

TEXT_LETTERS_MAX = 1_000  # a minute of speech
DIGITS_MAX = 100  # what one document of the carrier's plays
BY_LETTERS_MAX = 200
NOBODY = "Nobody has taken the call over."

_SEAT = re.compile(r"[A-Za-z0-9_-]{1,64}")

_Asked = e.DigitsRequested | e.SayRequested | e.TakeoverRequested | e.HandbackRequested


@dataclass(frozen=True)
class Seats:
    """The acts of people in the agent's place, on one application."""

    journal: Journal
    clock: Clock
    admitted: Admitted
    accepted: Callable[[Call, e.Known, str], Awaitable[Response]]

    def acts(self) -> dict[str, Callable[[Request], Awaitable[Response]]]:
        """Return the acts by the name of their route."""
        return {
            "takeover": self.take_over,
            "handback": self.hand_back,
            "say": self.say,
            "digits": self.digits,
        }

    async def take_over(self, request: Request) -> Response:
        """Take the agent's place, or show that one is still there.

        Who came with a token of their own is called as it says, whatever they typed.
        """
        call = (await self.admitted.call(request, "agent", is_live=True)).call
        body = await json_of(request)
        name = self.admitted.bearers.admit(request, "agent").name
        by, seat = name or text_of(body, "by", BY_LETTERS_MAX), _seat(body, "seat")
        from_seat = _seat(body, "from_seat", is_optional=True)
        if call.ending:
            raise Refused(409, "Conflict", "The call is about to end.")
        now_ms = self.clock.now_ms()
        held = asked_for(call.taken_over, by=by, seat=seat, from_seat=from_seat, at_ms=now_ms)
        if held.seat != seat:
            raise _taken(held)
        asked = e.TakeoverRequested(
            request=_name(), by=by, seat=seat, from_seat=from_seat, is_named=bool(name)
        )
        answer = await self.accepted(call, asked, asked.request)
        stood = (await self._as_of(call, asked)).taken_over
        if stood is None or stood.seat != seat:
            raise _taken(stood)
        return answer

    async def hand_back(self, request: Request) -> Response:
        """Let the agent go on."""
        call = (await self.admitted.call(request, "agent", is_live=True)).call
        seat = _seat(await json_of(request), "seat")
        held = call.taken_over
        if held is None or held.seat != seat:
            raise _taken(held)
        asked = e.HandbackRequested(request=_name(), by=held.by, seat=seat)
        return await self.accepted(call, asked, asked.request)

    async def say(self, request: Request) -> Response:
        """Say a line to the caller."""
        call = (await self.admitted.call(request, "agent", is_live=True)).call
        body = await json_of(request)
        text = text_of(body, "text", TEXT_LETTERS_MAX)
        seat = _seat(body, "seat", is_optional=True)
        return await self._of_seat(call, e.SayRequested(request=_name(), text=text, seat=seat))

    async def digits(self, request: Request) -> Response:
        """Send DTMF into the call: a planned restart of its stream."""
        call = (await self.admitted.call(request, "agent", is_live=True)).call
        body = await json_of(request)
        try:
            digits = verbs.playable_digits(text_of(body, "digits", DIGITS_MAX))
        except ValueError as trouble:
            raise Refused(422, "Unprocessable content", str(trouble)) from trouble
        seat = _seat(body, "seat", is_optional=True)
        return await self._of_seat(
            call, e.DigitsRequested(request=_name(), digits=digits, seat=seat)
        )

    async def _of_seat(self, call: Call, asked: e.SayRequested | e.DigitsRequested) -> Response:
        held = call.taken_over
        if held is not None and held.seat != asked.seat:
            raise _taken(held)
        answer = await self.accepted(call, asked, asked.request)
        now = await self._as_of(call, asked)
        if now.phase != "ended" and all(one.request != asked.request for one in now.requests):
            raise _taken(now.taken_over)
        return answer

    async def _as_of(self, call: Call, asked: _Asked) -> Call:
        """Return the call as it stood once `asked` was written: what came later changes no answer."""
        reading = await self.journal.read(call.call_sid)
        if isinstance(reading, Missing):
            raise no_call()
        body = e.encode(asked)
        at = next((n for n, one in enumerate(reading.records, 1) if one.body == body), None)
        return rebuilt(None, reading.records[:at])


def _name() -> str:
    return secrets.token_hex(6)


def _seat(body: Json, name: str, *, is_optional: bool = False) -> str:
    """Return the name of a seat; "" where it may be missing or null."""
    value = body.get(name)
    if is_optional and value is None:
        return ""
    if not isinstance(value, str) or not _SEAT.fullmatch(value):
        told = f"{name} is 1 to 64 letters, digits, - or _."
        raise Refused(422, "Unprocessable content", told)
    return value


def _taken(held: Seat | None) -> Refused:
    told = NOBODY if held is None else f"{held.by} has taken the call over."
    return Refused(409, "Conflict", told)
