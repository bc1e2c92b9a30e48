"""uvicorn's HTTP connection, which does not wait for ever.

    connected ──5 s──> head whole ──10 s──> body whole ──> answered ──10 s──> next head whole …
                                                              │
                                                  10 s without taking any of it: cut

uvicorn by itself keeps a connection on which half a request came, or none, for as long as the peer likes, and
reads a head of any size. Both are bounded here, for WebSockets too: an upgrade begins as a request. And what a
head asks for is begun when it is its turn (see turnstile.py), so that thousands at once delay no call.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from typing_extensions import override
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from service.wire.crowd import Crowd, Silent
from service.wire.turnstile import Turnstile

HEAD_S_MAX = 5.0  # from the connection to the end of the first head; a browser needs one round trip
BODY_S_MAX = 10.0  # 64 KiB on a bad mobile network
NEXT_S_MAX = (
    10.0  # from an answer to the end of the next head; uvicorn ends idle connections after 5 s
)
TAKEN_S_MAX = 10.0  # without taking anything of the answer
HEAD_BYTES_MAX = 65_536  # twice the largest that common proxies pass on
REQUEST_BYTES_MAX = 1_048_576  # the largest body that is read, in chunks of a byte, with room

_LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

_log = logging.getLogger(__name__)


class HttpWire(HttpToolsProtocol):
    """One connection, one of a `crowd` until its first request is there, which then waits at a `turnstile`.

    `told` hears by which limit a connection was cut: head, body, answer or crowd.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        crowd: Crowd,
        turnstile: Turnstile,
        told: Callable[[str], None],
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._crowd = crowd
        self._turnstile = turnstile
        self._told = told
        self._silent: Silent | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._bytes = self._read_bytes = (
            0  # of the request that is read, in whole reads; of the last read
        )
        self._is_in_head = self._is_in_body = False

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """See asyncio.Protocol."""
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        self._silent = self._crowd.enter(host, self._turned_out)
        self._wait(HEAD_S_MAX, self._late)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        super().connection_lost(exc)
        self._asked()
        self._wait(0, None)
        self.resume_writing()

    @override
    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._read_bytes = len(data)
        self._bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._bytes > HEAD_BYTES_MAX:
            self._end(_LARGE)
        elif self._is_in_body and self._bytes > REQUEST_BYTES_MAX:
            self._cut("body")

    @override
    def on_message_begin(self) -> None:
        """See uvicorn: the first byte of a request."""
        super().on_message_begin()
        self._is_in_head, self._bytes = True, self._read_bytes

    @override
    def on_headers_complete(self) -> None:
        """See uvicorn: the application is called next."""
        self._is_in_head, self._is_in_body = False, True
        self._asked()
        self._wait(BODY_S_MAX, partial(self._cut, "body"))
        super().on_headers_complete()

    @override
    def on_message_complete(self) -> None:
        """See uvicorn: nothing is missing of the request."""
        self._is_in_body = False
        self._wait(0, None)
        super().on_message_complete()

    @override
    def on_response_complete(self) -> None:
        """See uvicorn: an answer was written."""
        super().on_response_complete()
        if self.cycle.response_complete and not self._is_in_body:
            self._wait(NEXT_S_MAX, self._late)

    @override
    def handle_websocket_upgrade(self) -> None:
        """See uvicorn: from its turn on the connection is another protocol's."""
        self._wait(0, None)
        self.transport.pause_reading()
        self._turnstile.take(self._upgrade)

    def _upgrade(self) -> None:
        if not self.transport.is_closing():
            super().handle_websocket_upgrade()
            self.transport.resume_reading()

    @override
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """See uvicorn: the application is to answer."""
        self._turnstile.take(partial(super()._start_asgi_task, cycle, app))

    @override
    def pause_writing(self) -> None:
        """See asyncio.Protocol: what was answered is not taken."""
        super().pause_writing()
        self._watch_taken()

    @override
    def resume_writing(self) -> None:
        """See asyncio.Protocol: it is taken again."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _watch_taken(self) -> None:
        waiting = self.transport.get_write_buffer_size()

        def look() -> None:
            if self.transport.get_write_buffer_size() < waiting:
                self._watch_taken()
            else:
                self._cut("answer")

        self._stalled = self.loop.call_later(TAKEN_S_MAX, look)

    def _asked(self) -> None:
        if self._silent is not None:
            self._crowd.leave(self._silent)
            self._silent = None

    def _wait(self, most_s: float, then: Callable[[], None] | None) -> None:
        """Put the one deadline that there is in the place of the one before; none with None."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(most_s, then) if then is not None else None

    def _late(self) -> None:
        self._end(_LATE if self._is_in_head else b"")

    def _turned_out(self) -> None:
        self._cut("crowd")

    def _end(self, words: bytes) -> None:
        if self._silent is not None or self.cycle.response_complete:
            if words:
                self._told("head")
            self.transport.write(words)
            self.transport.close()
        else:
            self._cut("head")

    def _cut(self, limit: str) -> None:
        _log.debug("! a connection took too long", extra={"action": "connection_cut"})
        self._told(limit)
        self.transport.abort()
