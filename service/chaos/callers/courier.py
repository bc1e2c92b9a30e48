"""HTTP for the crowd: one request, one connection, as a carrier's many machines give it.

It stands under the stand-in's own HTTP client, whose connection pool costs more than all the rest when
500 calls ask for their next document at once.
"""

import asyncio

import httpx2
from typing_extensions import override

from service.chaos.network.incoming import Asking

HEAD_END = b"\r\n\r\n"


class _Exchange(Asking):
    """Sends a request and collects the answer, up to its Content-Length or the connection's end."""

    def __init__(self, request: bytes) -> None:
        super().__init__(request)
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answer = b""
        self._whole = 0

    @override
    def received(self, piece: bytes) -> None:
        self._answer += piece
        if not self._whole and HEAD_END in self._answer:
            head, _, _ = self._answer.partition(HEAD_END)
            self._whole = len(head) + len(HEAD_END) + _length(head)
        if self._whole and len(self._answer) >= self._whole:
            self._end()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if not self.answered.done():
            self.answered.set_result(self._answer)
        self._transport.abort()


class Courier(httpx2.AsyncBaseTransport):
    """A transport for small answers from this machine."""

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        url = request.url
        lines = [f"{request.method} {url.raw_path.decode()} HTTP/1.1", "connection: close"]
        lines += [
            f"{name}: {value}"
            for name, value in request.headers.items()
            if name.lower() != "connection"
        ]
        text = "\r\n".join(lines).encode() + HEAD_END + content
        try:
            _, exchange = await asyncio.get_running_loop().create_connection(
                lambda: _Exchange(text), url.host, url.port or 80
            )
        except OSError as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        try:
            answer = await exchange.answered
        finally:
            exchange.connection_lost(None)
        head, found, body = answer.partition(HEAD_END)
        if not found:
            raise httpx2.RemoteProtocolError("no answer", request=request)
        return httpx2.Response(_status(head), headers=_headers(head), content=body)


def _status(head: bytes) -> int:
    return int(head.split(None, 2)[1])


def _headers(head: bytes) -> list[tuple[bytes, bytes]]:
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return [(name, value.strip()) for name, _, value in pairs]


def _length(head: bytes) -> int:
    lengths = [value for name, value in _headers(head) if name.lower() == b"content-length"]
    return int(lengths[0]) if lengths else 0
