"""One accepted WebSocket, as a session uses it: text in, text out, and an end that never hangs.

    what we send is not taken in time ──┐
    nothing comes for the idle time ────┼──> closed ──> still there after CUT_MS ──> cut
    the session or the carrier closes ──┘

However the peer behaves, half-open or deaf, its descriptor is free a moment after the end.
"""

import asyncio
import logging
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from service.call.inputs import IDLE
from service.errors import RemoteProtocolError
from service.session.session import SHUTDOWN
from service.waiting import Flag
from service.web.door.form import host_of
from service.wire.websocket import UNANSWERED, cut_of, direct_of, say_of

CLOSE_MS_MAX = 500  # to be able to send the close; a peer that does not read never lets us
CUT_MS = 1_500  # for the peer to answer the close, which takes it one way there and back
REASON_BYTES_MAX = 123  # what fits into a close frame
CLOSED = "the socket is closed"  # as far as is known yet
RESTARTING = 1012  # what our own server sends to every socket when it goes down

_log = logging.getLogger(__name__)


class MediaSocket:
    """One accepted WebSocket, as a session uses it. `echoes`: its peer is known to send marks back."""

    def __init__(self, socket: WebSocket, *, echoes: bool = False) -> None:
        self.echoes = echoes
        self._socket = socket
        self._cut = cut_of(socket.scope)
        self._direct = direct_of(socket.scope)
        self._say = say_of(socket.scope)
        self.host = host_of(socket)
        self._gone = Flag()
        self._how = CLOSED

    def say(self, *texts: str) -> bool:
        """See Socket.say: where the server can, and the peer has room."""
        return not self._gone.is_set() and self._say(*texts)

    async def send(self, text: str) -> None:
        """See Socket.send."""
        if self._gone.is_set():
            raise ConnectionError(self._how)
        if self._say(text):
            return
        try:
            await self._socket.send_text(text)
        except (RuntimeError, WebSocketDisconnect) as trouble:
            raise ConnectionError(self._how) from trouble

    async def receive(self) -> str:
        """Return the next text message. Raises ConnectionError at the end of the socket.

        Binary is outside the protocol: RemoteProtocolError.
        """
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            self._how = self._told(message.get("code", 1006))
            self._go()
            raise ConnectionError(self._how)
        text: str | None = message.get("text")
        if text is None:
            raise RemoteProtocolError("a binary message")
        return text

    async def follow(self, take: Callable[[str | bytes], None]) -> None:
        """Hand over every text message as it comes. Raises ConnectionError at the end of the socket.

        Where the server can, `take` is called as soon as the bytes are there, with what it did not decode
        yet. Binary is outside the protocol: RemoteProtocolError.
        """
        self._direct(take)
        while True:
            take(await self.receive())

    def _told(self, code: int) -> str:
        """Say in the house's words how the socket ended. Whoever notices it first has the same words."""
        if code == UNANSWERED:
            return IDLE
        return SHUTDOWN if code == RESTARTING else f"closed {code}"

    async def close(self, code: int, reason: str, *, grace_ms: int = 0) -> None:
        """See Socket.close."""
        try:
            async with asyncio.timeout(grace_ms / 1000):
                await self._gone.wait()
        except TimeoutError:
            pass
        if self._gone.is_set():
            return
        self._go()
        try:
            async with asyncio.timeout(CLOSE_MS_MAX / 1000):
                await self._socket.close(
                    code, reason.encode()[:REASON_BYTES_MAX].decode(errors="ignore")
                )
        except Exception as trouble:  # noqa: BLE001 - the promise: a socket that can't be closed is gone anyway
            _log.debug("! close: %s", type(trouble), extra={"action": "close_failed"})
            self._cut()

    def _go(self) -> None:
        """It is over, for whatever reason: from now on the peer has so long to let go as well."""
        if not self._gone.is_set():
            self._gone.set()
            asyncio.get_running_loop().call_later(CUT_MS / 1000, self._cut)
