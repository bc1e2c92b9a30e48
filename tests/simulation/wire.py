"""HTTP and WebSockets in memory: an ASGI application on one machine, asked from outside.

ask(...)      one request, one answer; ConnectionError when the machine dies meanwhile
Connection    a media socket as the carrier's side of the real client has it
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from tests.simulation.server import Server

KERNEL_BYTES = 65_536  # what a peer that reads nothing takes before a writer has to wait


def _scope(kind: str, url: str, headers: Mapping[str, str]) -> dict[str, Any]:
    parts = urlsplit(url)
    fields = {"host": parts.netloc, **headers}
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": parts.scheme,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()],
        "client": ("203.0.113.9", 40_000),
        "server": (parts.hostname or "", parts.port or 443),
        "subprotocols": [],
        "extensions": {},
        "state": {},
    }


class Answered:
    """An HTTP answer."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""


async def ask(
    server: Server, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
) -> Answered:
    """Ask a server. Raises ConnectionError when it is not there, or dies before it answers."""
    if not server.is_up:
        raise ConnectionError("nobody listens there")
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bool] = loop.create_future()
    answered = Answered()
    messages = deque([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.popleft()
        await asyncio.Event().wait()  # The peer says no more until the answer is there.
        raise AssertionError

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answered.status = message["status"]
            answered.headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
            return
        answered.body += message.get("body", b"")
        if not message.get("more_body") and not done.done():
            done.set_result(True)

    scope = _scope("http", url, headers) | {"method": method}
    task = server.answer(server.app(scope, receive, send))
    server.cut_with(lambda: _late(done))
    task.add_done_callback(lambda _: _late(done))
    if not await done:
        raise ConnectionError("the server died" if server.is_dead else "the server is gone")
    return answered


def _late(done: "asyncio.Future[bool]") -> None:
    if not done.done():
        done.set_result(False)


class _Transport:
    """What of a transport the carrier's side touches."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def abort(self) -> None:
        self._connection.cut(1006)

    def is_closing(self) -> bool:
        return self._connection.is_cut

    def pause_reading(self) -> None:
        self._connection.is_deaf = True

    def get_extra_info(self, _name: str) -> None:
        return None


class _Protocol:
    """Where the close frame that came is kept."""

    def __init__(self) -> None:
        self.close_rcvd: Close | None = None


class Connection:
    """One WebSocket between the carrier and a server, from the carrier's end."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.transport = _Transport(self)
        self.protocol = _Protocol()
        self.is_cut = False
        self.is_deaf = False
        self.sent_bytes = 0  # of the service's words that nobody has read
        self._to_app: deque[dict[str, Any]] = deque([{"type": "websocket.connect"}])
        self._from_app: deque[str] = deque()
        self._app_waits: asyncio.Future[None] | None = None
        self._peer_waits: asyncio.Future[None] | None = None
        self._accepted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def open(self, url: str, headers: Mapping[str, str]) -> bool:
        """Shake hands; False when the server will not, ConnectionError when it is not there."""
        if not self.server.is_up:
            raise ConnectionError("nobody listens there")
        scope = _scope("websocket", url, headers)
        scope["extensions"]["stayline.cut"] = {"cut": lambda: self.cut(1006)}
        if self.server.connections % 2:  # Of the others texts leave by waiting alone.
            scope["extensions"]["stayline.direct"] = {"say": self._say}
        task = self.server.run(self.server.app(scope, self._receive, self._send))
        task.add_done_callback(lambda _: self.cut(1006))
        self.server.cut_with(lambda: self.cut(1006))
        return await self._accepted

    # The service's side.

    async def _receive(self) -> dict[str, Any]:
        while not self._to_app:
            self._app_waits = asyncio.get_running_loop().create_future()
            await self._app_waits
        return self._to_app.popleft()

    async def _send(self, message: Any) -> None:
        match message["type"]:
            case "websocket.accept":
                self._shake(is_welcome=True)
            case "websocket.close":
                self._shake(is_welcome=False)
                if self.is_deaf:
                    await asyncio.Event().wait()
                self.protocol.close_rcvd = Close(message.get("code", 1000), "")
                self._tell({"type": "websocket.disconnect", "code": message.get("code", 1000)})
                self.is_cut = True
                self._wake_peer()
            case _:
                await self._take(message["text"])

    def _say(self, *texts: str) -> bool:
        length = sum(map(len, texts))
        if self.is_cut or (self.is_deaf and self.sent_bytes + length > KERNEL_BYTES):
            return False
        if self.is_deaf:
            self.sent_bytes += length
        else:
            self._from_app.extend(texts)
            self._wake_peer()
        return True

    async def _take(self, text: str) -> None:
        if self.is_cut:
            raise RuntimeError("the connection is gone")
        if not self._say(text):
            await asyncio.Event().wait()

    def _shake(self, *, is_welcome: bool) -> None:
        if not self._accepted.done():
            self._accepted.set_result(is_welcome)

    def _tell(self, message: dict[str, Any]) -> None:
        self._to_app.append(message)
        if self._app_waits is not None and not self._app_waits.done():
            self._app_waits.set_result(None)

    def _wake_peer(self) -> None:
        if self._peer_waits is not None and not self._peer_waits.done():
            self._peer_waits.set_result(None)

    # The carrier's side, as websockets has it.

    def cut(self, code: int) -> None:
        """End it, now. Harmless when it has ended."""
        if self.is_cut:
            return
        self.is_cut = True
        self._shake(is_welcome=False)
        self._tell({"type": "websocket.disconnect", "code": code})
        self._wake_peer()

    async def send(self, text: str) -> None:
        if self.is_cut:
            raise ConnectionClosedError(None, None)
        self._tell({"type": "websocket.receive", "text": text})

    async def close(self, code: int) -> None:
        self.cut(code)

    async def wait_closed(self) -> None:
        return

    async def __aiter__(self) -> AsyncIterator[str]:
        while True:
            while self._from_app:
                yield self._from_app.popleft()
            if self.is_cut:
                raise ConnectionClosedError(None, None)
            self._peer_waits = asyncio.get_running_loop().create_future()
            await self._peer_waits
