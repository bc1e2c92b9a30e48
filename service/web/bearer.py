"""Who asks the API: a bearer token, its role and its tenant."""

import hmac
from collections.abc import Sequence
from http import HTTPStatus

from starlette.requests import Request

from service.config import ApiToken, Role
from service.errors import Refused
from service.meter import Meter

RANKS: dict[Role, int] = {"viewer": 0, "agent": 1, "admin": 2}


class Bearers:
    """Admits requests by their bearer token."""

    def __init__(self, tokens: Sequence[ApiToken], meter: Meter) -> None:
        self._tokens = tuple(tokens)
        self._meter = meter

    def admit(self, request: Request, role: Role) -> ApiToken:
        """Return the token that the request shows. Raises Refused 401, or 403 for too low a role."""
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        found = None
        for token in self._tokens:  # all of them, so that the time tells nothing
            if hmac.compare_digest(token.token.encode(), shown.strip().encode()):
                found = token
        if scheme.lower() != "bearer" or found is None:
            self._meter.refused.labels(door="api").inc()
            raise Refused(
                HTTPStatus.UNAUTHORIZED, "Unauthorized", "A valid bearer token is needed."
            )
        if RANKS[found.role] < RANKS[role]:
            self._meter.refused.labels(door="api").inc()
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "Forbidden",
                f"This needs the role {role}; yours is {found.role}.",
            )
        return found
