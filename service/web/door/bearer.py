"""Who asks: a bearer token, or the badge of who signed in; its role and its tenant.

A browser sends its cookie for whatever page makes it ask. So a badge alone changes nothing: the request
must come from a page of ours (`Origin`) and say so in a header that no form can send (`X-Stayline: 1`). A
WebSocket can't send that header, and no browser keeps another page from opening one: its Origin decides.
"""

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from weakref import WeakValueDictionary

from starlette.requests import HTTPConnection

from service.clock import Clock
from service.errors import Refused
from service.meter import Meter
from service.trust.api_token import ApiToken, Role
from service.web.door.badge import COOKIE, Badge, BadgeMint

RANKS: dict[Role, int] = {"viewer": 0, "agent": 1, "admin": 2}
SIGNED_OUT_MAX = 10_000  # a shift of a large company; each was signed in with a token that fits
ASKED_AGAIN_MS = 300_000  # S-5: what goes on shows its badge again at least every five minutes
_HARMLESS = ("GET", "HEAD")


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Whoever was admitted. With a bearer token, `nonce` is empty and `expires_ms` None.

    `name` is the person's that the token is of; empty for a token that several may have.
    """

    token: str
    role: Role
    tenant: str
    nonce: str = ""
    expires_ms: int | None = None
    name: str = ""


class Bearers:
    """Admits requests by their bearer token or by the badge in their cookie."""

    def __init__(
        self, tokens: Sequence[ApiToken], meter: Meter, clock: Clock, origins: Sequence[str]
    ) -> None:
        """Take the API tokens, and the origins of our own pages."""
        self._tokens = tuple(tokens)
        self._meter = meter
        self._clock = clock
        self.origins = frozenset(origins)
        self.mint = BadgeMint(tokens)
        self._signed_out: dict[str, int] = {}
        self._over: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()

    def admit(self, connection: HTTPConnection, role: Role) -> Visitor:
        """Return who asks. Raises Refused: 401, or 403 for too low a role or another site's page.

        Takes a request or a WebSocket's upgrade. An Authorization header goes before a cookie.
        """
        shown = connection.headers.get("authorization")
        found = self._bearer(shown) if shown is not None else self._badge(connection)
        if RANKS[found.role] < RANKS[role]:
            raise self._refused(403, f"This needs the role {role}; yours is {found.role}.")
        return found

    def wearing(self, connection: HTTPConnection) -> Visitor | None:
        """Return whose badge is in the cookie; None when none is that is good here."""
        if "authorization" in connection.headers:
            return None
        shown = connection.cookies.get(COOKIE, "")
        badge = self.mint.read(shown, now_ms=self._clock.now_ms())
        return None if badge is None or badge.nonce in self._signed_out else _visitor(badge)

    def token(self, shown: str) -> ApiToken | None:
        """Return the API token that was shown, if there is one, in the same time either way."""
        found = None
        for token in self._tokens:  # all of them, so that the time tells nothing
            if hmac.compare_digest(token.token.encode(), shown.encode()):
                found = token
        return found

    def sign_out(self, visitor: Visitor) -> None:
        """Admit this badge no more in this process, and end what goes on with it."""
        now_ms = self._clock.now_ms()
        for nonce in [nonce for nonce, ends in self._signed_out.items() if ends <= now_ms]:
            del self._signed_out[nonce]
        if len(self._signed_out) >= SIGNED_OUT_MAX:
            del self._signed_out[next(iter(self._signed_out))]  # signed out the longest ago
        self._signed_out[visitor.nonce] = visitor.expires_ms or now_ms
        over = self._over.get(visitor.nonce)
        if over is not None:
            over.set()

    def over(self, visitor: Visitor) -> asyncio.Event:
        """Return what is set when this visitor signs out here. Keep it for as long as you look at it."""
        return self._over.setdefault(visitor.nonce or visitor.token, asyncio.Event())

    def left_ms(self, visitor: Visitor) -> int | None:
        """Return how long something may go on before it must be asked for again; None: for ever.

        Who signed out at another process meets that process's refusal then at the latest.
        """
        if visitor.expires_ms is None:
            return None
        return max(0, min(ASKED_AGAIN_MS, visitor.expires_ms - self._clock.now_ms()))

    def is_own(self, origin: str | None) -> bool:
        """Whether an Origin header names one of our pages, letter by letter."""
        return origin in self.origins

    def _bearer(self, header: str) -> Visitor:
        scheme, _, shown = header.partition(" ")
        found = self.token(shown.strip())
        if scheme.lower() != "bearer" or found is None:
            raise self._refused(401, "A valid bearer token is needed.")
        return Visitor(token=found.token, role=found.role, tenant=found.tenant, name=found.name)

    def _badge(self, connection: HTTPConnection) -> Visitor:
        found = self.wearing(connection)
        if found is None:
            raise self._refused(401, "A valid bearer token is needed, or signing in.")
        self._from_our_page(connection)
        return found

    def _from_our_page(self, connection: HTTPConnection) -> None:
        is_socket = connection.scope["type"] == "websocket"
        if not is_socket and connection.scope["method"] in _HARMLESS:
            return  # the answer stays with its page: nothing here allows another origin to read it
        if not self.is_own(connection.headers.get("origin")):
            raise self._refused(403, "The request does not come from a page of this service.")
        if not is_socket and connection.headers.get("x-stayline") != "1":
            raise self._refused(403, "The header X-Stayline: 1 is missing.")

    def _refused(self, status: int, detail: str) -> Refused:
        self._meter.refused.labels(door="api").inc()
        return Refused(status, HTTPStatus(status).phrase, detail)


def _visitor(badge: Badge) -> Visitor:
    token = badge.token
    return Visitor(
        token=token.token,
        role=token.role,
        tenant=token.tenant,
        nonce=badge.nonce,
        expires_ms=badge.expires_ms,
        name=token.name,
    )
