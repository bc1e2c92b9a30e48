"""A stream of events ends with the badge that it was opened with (S-5).

It ends at once when its person signs out at this process, when the badge is over, and after five minutes in
any case: the browser then asks again where it was, and whoever signed out elsewhere has no badge to show.
Media sockets are not meant here: each was opened with a one-use token of its own.
"""

import asyncio

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.web.door.bearer import Bearers, Visitor


class Sitting:
    """Stands before the application, and ends the event streams of badges."""

    def __init__(self, app: ASGIApp, bearers: Bearers) -> None:
        self._app = app
        self._bearers = bearers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        visitor = self._watching(scope)
        if visitor is None:
            await self._app(scope, receive, send)
        else:
            await self._watched(visitor, scope, receive, send)

    def _watching(self, scope: Scope) -> Visitor | None:
        """Return whose badge the stream is for; None for whatever is no stream, or has no badge."""
        if scope["type"] != "http":
            return None
        connection = HTTPConnection(scope)
        if "text/event-stream" not in connection.headers.get("accept", ""):
            return None
        return self._bearers.wearing(connection)

    async def _watched(self, visitor: Visitor, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def telling(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        over, left_ms = self._bearers.over(visitor), self._bearers.left_ms(visitor)
        streaming = asyncio.create_task(self._streamed(scope, receive, telling))
        leaving = asyncio.create_task(over.wait())
        try:
            await asyncio.wait(
                {streaming, leaving},
                timeout=None if left_ms is None else left_ms / 1000,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if streaming.done():
                await streaming
                return
        finally:
            leaving.cancel()
            streaming.cancel()
            await asyncio.gather(streaming, leaving, return_exceptions=True)
        if has_begun:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _streamed(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
