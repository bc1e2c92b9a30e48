"""Requests from pages of other origins: answered for those that the settings name, and for nobody else.

The rules are the Fetch standard's ("HTTP CORS protocol"). No cookie is ever asked for: a page elsewhere
shows its recovery token, or a bearer token that it was given.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.errors import Refused, StoreError
from service.web.door.embedding import Origins
from service.web.door.problem import on_refused, on_store

ASKED_ANEW_S = 600  # how long a browser may remember the answer to its question

Answer = Callable[[Request], Awaitable[Response]]


def crossable(path: str, answer: Answer, origins: Origins) -> Route:
    """Return a route for POST that pages of these origins may use. Any other page is refused with 403."""

    async def asked(request: Request) -> Response:
        origin = request.headers.get("origin", "")
        if origin and not origins.may_call(origin):
            raise Refused(403, "Forbidden", "Pages of this origin may not call.")
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": "POST, OPTIONS"})
        return await answer(request)

    async def answered(request: Request) -> Response:
        origin = request.headers.get("origin", "")
        try:
            response = await asked(request)
        except Refused as trouble:  # Here, so that a page elsewhere can read it, too.
            response = await on_refused(request, trouble)
        except StoreError as trouble:
            response = await on_store(request, trouble)
        if origin in origins.further:
            response.headers.update(_permission(origin))
        return response

    return Route(path, answered, methods=["POST", "OPTIONS"])


def _permission(origin: str) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Stayline",
        "Access-Control-Max-Age": str(ASKED_ANEW_S),
        "Vary": "Origin",
    }
