"""Errors as `application/problem+json` (RFC 9457): one clear sentence to whoever sent the request."""

import logging
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.errors import Refused, SealBroken, StoreError
from service.redaction import OwnWords, own_words

_log = logging.getLogger(__name__)


def problem(
    status: int, title: str, detail: str, headers: dict[str, str] | None = None, **more: str
) -> Response:
    """Return one problem document; `more` are members beyond those of the RFC."""
    return JSONResponse(
        {"type": "about:blank", "title": title, "status": status, "detail": detail, **more},
        status,
        headers=headers,
        media_type="application/problem+json",
    )


async def on_refused(request: Request, trouble: Exception) -> Response:
    """A request that we can't serve, and why."""
    assert isinstance(trouble, Refused)
    _log.info(
        "! refused %s: %s",
        _door(request),
        own_words(trouble.title),
        extra={"action": "request_refused", "status": trouble.status},
    )
    headers = {"WWW-Authenticate": "Bearer"} if trouble.status == HTTPStatus.UNAUTHORIZED else None
    more = {"reason": trouble.reason} if trouble.reason else {}
    return problem(trouble.status, trouble.title, trouble.detail, headers, **more)


def _door(request: Request) -> OwnWords:
    """Where it came in: the address itself may name a number."""
    return own_words(getattr(request.scope.get("endpoint"), "__qualname__", "no route"))


async def on_http(_request: Request, trouble: Exception) -> Response:
    """What the router itself refuses: no such path, wrong method."""
    assert isinstance(trouble, HTTPException)
    title = HTTPStatus(trouble.status_code).phrase
    return problem(trouble.status_code, title, trouble.detail, dict(trouble.headers or {}))


async def on_store(_request: Request, trouble: Exception) -> Response:
    """The store is away: the sender may try again."""
    _log.error("! the store failed: %s", trouble, extra={"action": "store_failed"})
    detail = "The journal can't be reached now; try again in a moment."
    return problem(503, "Store unavailable", detail, {"Retry-After": "1"})


async def on_seal(_request: Request, trouble: Exception) -> Response:
    """A call's records are there, and can't be opened. Trying again helps nobody."""
    _log.error("! %s", trouble, extra={"action": "seal_broken"})
    detail = "The call is sealed with a key that is not here, or was changed where it is kept."
    return problem(409, "Call unreadable", detail, reason="sealed")


async def on_fault(request: Request, trouble: Exception) -> Response:
    """A fault of ours: logged in full here, one sentence to the sender."""
    _log.error(
        "! a request failed: %s", _door(request), exc_info=trouble, extra={"action": "fault"}
    )
    return problem(500, "Internal error", "Something went wrong here; it has been logged.")


HANDLERS = {
    Refused: on_refused,
    HTTPException: on_http,
    SealBroken: on_seal,
    StoreError: on_store,
    Exception: on_fault,
}
