"""uvicorn's WebSocket connection, which the application can also cut.

A peer that has stopped reading, or is no longer there, never lets a connection end in good order: the
last words for it wait to be taken. So who serves a media stream is given the means to let go of it.
"""

from collections.abc import Callable

from typing_extensions import override
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

CUT = "stayline.cut"  # the extension of the ASGI scope by which the connection is cut


class Wire(WebSocketsSansIOProtocol):
    """One connection. `scope["extensions"]["stayline.cut"]["cut"]()` frees its descriptor at once."""

    @override
    def handle_connect(self, event: Request) -> None:
        """See uvicorn: the request to upgrade is here, and the application is about to be called."""
        super().handle_connect(event)
        if self.response.status_code == 101:  # noqa: PLR2004 - HTTP's own number
            self.scope["extensions"][CUT] = {"cut": self._cut}

    @override
    def keepalive_timeout(self) -> None:
        """See uvicorn: the peer did not answer a ping. It would not take the last words either."""
        super().keepalive_timeout()
        self._cut()

    def _cut(self) -> None:
        """Let go of the connection, whatever is still to be sent. Harmless when it has ended."""
        self.transport.abort()


def cut_of(scope: object) -> Callable[[], None]:
    """Return what cuts the connection of a scope; nothing, where another server serves it."""
    found = scope.get("extensions") if isinstance(scope, dict) else None
    extension = (found or {}).get(CUT, {})
    cut: Callable[[], None] = extension.get("cut", _nothing)
    return cut


def _nothing() -> None:
    return
