"""Calls from a page: opened, asked about before a socket is, kept warm, and hung up.

    calls ──> a stream token, a recovery token ──> the media socket
    reload ──> resume: is it still there? ──> the next of both ──> the media socket, again

Who shows a call's recovery token is whoever made it; nothing else is asked of them after a reload. What
is refused for good is 410, with the reason in one word and in one kind sentence.
"""

import secrets
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service import scope
from service.call import events as e
from service.call.state import Call
from service.config import Config
from service.errors import Refused, SealBroken
from service.journal.limits import is_name
from service.journal.values import Missing
from service.meter import Meter
from service.pages.carriers import WINDOW_PASSED, Carriers
from service.pages.names import is_from_page, new_call_sid
from service.session.kept.records import rebuilt
from service.switchboard.allotment import Allotment
from service.switchboard.switchboard import Switchboard
from service.trust.recovery import Recovery
from service.trust.tenants import DEFAULT_TENANT
from service.trust.token import BROWSER, TokenMint
from service.web.door.bearer import Bearers
from service.web.door.crossing import crossable
from service.web.door.embedding import Origins
from service.web.door.form import body_within
from service.web.door.origins import root_of
from service.web.recoveries import Recoveries
from service.web.stream.entrance import PAGES_PATH
from service.web.webhooks.outside import Outside

BODY_BYTES_MAX = 8_192  # three parameters, or a token and the name of an attempt
PARAMETER_LETTERS_MAX = 480  # with its name it fits into the 500 characters of a stream parameter
ATTEMPT_LETTERS_MAX = 64  # a UUID has 36
OPENINGS_A_MINUTE = 120  # of one tenant in one process: more than people open, and no flood
MINUTE_MS = 60_000
KEEP_MS = 30_000  # a token is replaced no more often than this
NONCE_BYTES = 12  # 96 bits

_ENDED = "This call is over. You can begin a new one."
_UNREADABLE = "We can't find what was said before. You can begin a new call."
_PASSED = "You were away for too long, so this call is over. You can begin a new one."

Asked = TypeVar("Asked", bound=msgspec.Struct)


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a new call: who calls, and about what."""

    client_name: str = ""
    company: str = ""
    ticket_id: str = ""


class Showing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of everything else. `attempt` names one try to come back, however often it is asked."""

    recovery: str
    attempt: str = ""


@dataclass(kw_only=True)
class Phone:
    """The phone's side of one application."""

    config: Config
    origins: Origins
    bearers: Bearers
    outside: Outside
    carriers: Carriers
    mint: TokenMint
    recoveries: Recoveries
    switchboard: Switchboard
    meter: Meter
    allotment: Allotment
    opened_ms: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(deque))

    def routes(self) -> list[Route]:
        """Return the phone's routes, none when it is off."""
        if self.config.phone == "off":
            return []
        one = "/api/phone/calls/{call_sid}"
        answers = {
            "/api/phone/calls": self.open,
            f"{one}/resume": self.resume,
            f"{one}/keep": self.keep,
            f"{one}/hangup": self.hang_up,
        }
        return [crossable(path, answer, self.origins) for path, answer in answers.items()]

    async def open(self, request: Request) -> Response:
        """A person calls: open the call's journal, and say where its stream is to come."""
        tenant = self._tenant(request)
        asked = _checked(await _asked(request, Opening))
        self._admit(tenant)
        call_sid, now_ms = new_call_sid(), self.outside.clock.now_ms()
        scope.of_call(call_sid)
        if not self.allotment.admits(tenant, call_sid):
            self.allotment.tell(call_sid)
            raise Refused(429, "Too many requests", "All lines are busy; try again in a moment.")
        opened = e.CallOpened(
            call_sid=call_sid,
            direction=BROWSER,
            tenant=tenant,
            parameters=msgspec.to_builtins(asked),
        )
        await self.outside.journal.open(call_sid, (e.encode(opened),), now_ms=now_ms)
        self.meter.calls_opened.inc()
        recovery = self.recoveries.first(call_sid, _nonce())
        call = Call(call_sid=call_sid, opened_ms=now_ms)
        answer = {"call_sid": call_sid, **self._way_in(request, call), **self._kept(recovery)}
        return JSONResponse(answer, 201)

    async def resume(self, request: Request) -> Response:
        """A page comes back: whether its call is still there, and the way in. No socket was opened yet."""
        showing = await _asked(request, Showing)
        if not (is_name(showing.attempt) and len(showing.attempt) <= ATTEMPT_LETTERS_MAX):
            raise Refused(
                422, "Unprocessable content", "attempt names this try in 1 to 64 letters."
            )
        self._stay()
        call, used = await self._shown(request, showing)
        recovery = self.recoveries.next(call.call_sid, used, showing.attempt)
        answer = {"phase": call.phase, **self._way_in(request, call), **self._kept(recovery)}
        return JSONResponse(answer)

    async def keep(self, request: Request) -> Response:
        """A page keeps its recovery token warm: the next one, or the same while it is young."""
        showing = await _asked(request, Showing)
        call, used = await self._shown(request, showing)
        if self.outside.clock.now_ms() - used.issued_ms < KEEP_MS:
            return JSONResponse({"phase": call.phase, **self._kept(showing.recovery)})
        recovery = self.recoveries.next(call.call_sid, used, showing.attempt)
        return JSONResponse({"phase": call.phase, **self._kept(recovery)})

    async def hang_up(self, request: Request) -> Response:
        """The person hangs up. To say so twice is no fault."""
        showing = await _asked(request, Showing)
        call_sid, _ = await self._used(request, showing)
        await self.outside.end(call_sid, "caller_hung_up")
        return Response(status_code=204)

    def _tenant(self, request: Request) -> str:
        """Return whose call it is to be. Raises Refused where a login is asked for and not shown.

        Where none is asked for, one that is shown counts all the same, of whatever role.
        """
        if self.config.phone == "open":
            is_shown = "authorization" in request.headers or self.bearers.wearing(request)
            return self.bearers.admit(request, "viewer").tenant if is_shown else DEFAULT_TENANT
        return self.bearers.admit(request, "agent").tenant

    def _admit(self, tenant: str) -> None:
        self._stay()
        now_ms, opened_ms = self.outside.clock.now_ms(), self.opened_ms[tenant]
        while opened_ms and now_ms - opened_ms[0] >= MINUTE_MS:
            opened_ms.popleft()
        if len(opened_ms) >= OPENINGS_A_MINUTE:
            self.meter.refused.labels(door="phone").inc()
            raise Refused(
                429, "Too many requests", "Too many calls begin here; try again in a minute."
            )
        opened_ms.append(now_ms)

    def _stay(self) -> None:
        if self.switchboard.is_draining:
            raise Refused(503, "Service unavailable", "This server is going down; ask again.")

    async def _shown(self, request: Request, showing: Showing) -> tuple[Call, Recovery]:
        """Return the call that the token is of, and use the token. Raises Refused 401 or 410."""
        call_sid, used = await self._used(request, showing)
        return await self._standing(call_sid), used

    async def _used(self, request: Request, showing: Showing) -> tuple[str, Recovery]:
        call_sid = _call_sid(request)
        used = self.recoveries.read(call_sid, showing.recovery)
        scope.of_call(call_sid)
        await self.recoveries.use(call_sid, used)
        return call_sid, used

    async def _standing(self, call_sid: str) -> Call:
        try:
            reading = await self.outside.journal.read(call_sid)
        except SealBroken as broken:
            raise Refused(410, "Gone", _UNREADABLE, reason="ended") from broken
        if isinstance(reading, Missing):
            raise Refused(410, "Gone", _PASSED, reason="window")
        call = rebuilt(None, reading.records)
        if call.phase == "ended":
            is_late = call.end_reason == WINDOW_PASSED
            reason, detail = ("window", _PASSED) if is_late else ("ended", _ENDED)
            raise Refused(410, "Gone", detail, reason=reason)
        if self.outside.clock.now_ms() >= self.carriers.kept_until_ms(reading):
            await self.outside.end(call_sid, WINDOW_PASSED)
            raise Refused(410, "Gone", _PASSED, reason="window")
        return call

    def _way_in(self, request: Request, call: Call) -> dict[str, str]:
        """Return the address of the call's next stream, and the token that lets it in."""
        token = self.mint.issue(
            call.call_sid,
            door=BROWSER,
            is_known=call.is_known(),
            nonce=_nonce(),
            now_ms=self.outside.clock.now_ms(),
            opened_ms=call.opened_ms,
        )
        came_by = request.headers.get("origin", "")
        public_url = self.config.public_url
        url = self.origins.stream_url(
            public_url, PAGES_PATH, came_by=came_by, root=root_of(request.scope)
        )
        return {"stream_token": token, "stream_url": url}

    def _kept(self, recovery: str) -> dict[str, object]:
        windows = {"reload_s": self.config.reload_window_s, "resume_s": self.config.resume_window_s}
        return {"recovery": recovery, "windows": windows}


async def _asked(request: Request, kind: type[Asked]) -> Asked:
    body = await body_within(request, BODY_BYTES_MAX)
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as trouble:
        raise Refused(
            422, "Unprocessable content", f"The body does not fit: {trouble}."
        ) from trouble
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
        raise Refused(400, "Bad request", "The body is not JSON.") from trouble


def _checked(opening: Opening) -> Opening:
    for name, value in msgspec.to_builtins(opening).items():
        if len(value) > PARAMETER_LETTERS_MAX:
            detail = f"{name} is over {PARAMETER_LETTERS_MAX} characters."
            raise Refused(422, "Unprocessable content", detail)
    return opening


def _call_sid(request: Request) -> str:
    call_sid: str = request.path_params["call_sid"]
    if not is_from_page(call_sid):
        raise Refused(404, "Not found", "There is no such call from a page.")
    return call_sid


def _nonce() -> str:
    return secrets.token_urlsafe(NONCE_BYTES)
