"""Signing in: a token is shown once, and a badge is worn from then on; see service/web/door/badge.py."""

import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.clock import Clock
from service.errors import Refused
from service.meter import Meter
from service.trust.api_token import Role
from service.web.door.badge import COOKIE, LIFE_S
from service.web.door.bearer import Bearers
from service.web.door.form import host_of, json_within
from service.web.door.origins import root_of
from service.wire.address import network_of

BODY_BYTES_MAX = 4_096  # a token and its quotes
WRONG_MAX = 10  # a minute and address: who mistypes has enough, who guesses has not
WRONG_WINDOW_MS = 60_000
ADDRESSES_MAX = 4_096  # remembered at once; who was wrong the longest ago is forgotten first
NAMES: dict[Role, str] = {"viewer": "Viewer", "agent": "Agent", "admin": "Administrator"}


class Wrong:
    """Counts wrong tokens by address, in this process."""

    def __init__(self) -> None:
        self._tries: dict[str, deque[int]] = {}

    def waits_ms(self, address: str, now_ms: int) -> int:
        """Return for how long this address may not try, 0 when it may."""
        tries = self._tries.get(address)
        if tries is None or len(tries) < WRONG_MAX:
            return 0
        return max(0, tries[0] + WRONG_WINDOW_MS - now_ms)

    def add(self, address: str, now_ms: int) -> None:
        """Count one wrong token."""
        tries = self._tries.pop(address, None) or deque(maxlen=WRONG_MAX)
        tries.append(now_ms)
        if len(self._tries) >= ADDRESSES_MAX:
            del self._tries[next(iter(self._tries))]
        self._tries[address] = tries


@dataclass(frozen=True, kw_only=True)
class Login:
    """The door of the pages: in, who am I, out."""

    bearers: Bearers
    clock: Clock
    meter: Meter
    is_secure: bool
    wrong: Wrong = field(default_factory=Wrong)

    def routes(self) -> list[Route]:
        """Return the routes of signing in."""
        return [
            Route("/api/session", self.enter, methods=["POST"]),
            Route("/api/session", self.show, methods=["GET"]),
            Route("/api/session", self.leave, methods=["DELETE"]),
        ]

    async def enter(self, request: Request) -> Response:
        """Take a token, give a badge. A page of another site can't sign anybody in."""
        origin = request.headers.get("origin")
        if origin is not None and not self.bearers.is_own(origin):
            raise self._refused(403, "Forbidden", "This page is not one of this service.")
        shown = await _token(request)
        address, now_ms = network_of(host_of(request)), self.clock.now_ms()
        if waits_ms := self.wrong.waits_ms(address, now_ms):
            wait_s = -(-waits_ms // 1000)
            raise self._refused(
                429, "Too many requests", f"Too many wrong tokens: try again in {wait_s} s."
            )
        token = self.bearers.token(shown)
        if token is None:
            self.wrong.add(address, now_ms)
            raise self._refused(401, "Unauthorized", "This token is not known here.")
        badge = self.bearers.mint.issue(token, nonce=secrets.token_urlsafe(16), now_ms=now_ms)
        return self._with_cookie(request, badge, LIFE_S)

    async def show(self, request: Request) -> Response:
        """Who is signed in, and until when."""
        visitor = self.bearers.admit(request, "viewer")
        told = {
            "role": visitor.role,
            "tenant": visitor.tenant,
            "name": visitor.name or NAMES[visitor.role],
            "named": bool(visitor.name),
            "expires_at": None if visitor.expires_ms is None else _written(visitor.expires_ms),
        }
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    async def leave(self, request: Request) -> Response:
        """Sign out: the badge is good no more, and what goes on with it ends."""
        visitor = self.bearers.admit(request, "viewer")
        if visitor.nonce:
            self.bearers.sign_out(visitor)
        return self._with_cookie(request, "", 0)

    def _with_cookie(self, request: Request, text: str, life_s: int) -> Response:
        answer = Response(status_code=204, headers={"Cache-Control": "no-store"})
        answer.set_cookie(
            COOKIE,
            text,
            max_age=life_s,
            path=root_of(request.scope) or "/",
            secure=self.is_secure,
            httponly=True,
            samesite="strict",
        )
        return answer

    def _refused(self, status: int, title: str, detail: str) -> Refused:
        self.meter.refused.labels(door="login").inc()
        return Refused(status, title, detail)


async def _token(request: Request) -> str:
    body = await json_within(request, BODY_BYTES_MAX)
    shown = body.get("token") if isinstance(body, dict) else None
    if not isinstance(shown, str) or not shown.strip():
        raise Refused(422, "Unprocessable content", "token is missing or not a text.")
    if any("\ud800" <= letter <= "\udfff" for letter in shown):
        raise Refused(422, "Unprocessable content", "token holds half a character.")
    return shown.strip()


def _written(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms // 1000, UTC).isoformat().replace("+00:00", "Z")
