"""Servers to compare with, in a process of their own.

    python -m tests.bench._sample floor PORT       a bare protocol on uvloop: frames, one decoder, webrtcvad, echo
    python -m tests.bench._sample starlette PORT   what Twilio's samples look like: Starlette, json, webrtcvad, echo

Both send the caller's own sound back, in messages of 200 ms or of BENCH_OUT_SAMPLES, and keep nothing. The second
one answers /twiml/voice, too: it reads the form, asks for no signature, and names a stream.
"""

import asyncio
import base64
import json
import os
import sys
from functools import partial
from hashlib import sha1
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec
import uvicorn
import uvloop
import webrtcvad
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from typing_extensions import override
from websockets.speedups import apply_mask

from service.audio import SAMPLE_RATE_HZ, decode
from tests.bench._used import Lag, used

OUT_SAMPLES = 1_600
KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3
DOCUMENT = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="wss://{host}/media">'
    '<Parameter name="call_sid" value="{call_sid}"/></Stream></Connect></Response>'
)
LAG = Lag()
SETTINGS: dict[str, Any] = {
    "log_config": None, "access_log": False, "ws": "websockets-sansio", "ws_per_message_deflate": False, "backlog": 2_048
}  # fmt: skip


def told() -> dict[str, object]:
    """Return what the bench asks for."""
    LAG.begin()
    return used() | {"lag_us": LAG.told()}


class _Body(msgspec.Struct):
    payload: bytes


class _Media(msgspec.Struct):
    event: str
    media: _Body | None = None


class Floor(asyncio.Protocol):
    """As little as can be done in Python: no messages but whole masked text frames."""

    def __init__(self, out_samples: int = OUT_SAMPLES) -> None:
        self._out_samples = out_samples
        self._buffer = b""
        self._is_open = False
        self._heard = bytearray()
        self._vad = webrtcvad.Vad(2)
        self._decoder = msgspec.json.Decoder(_Media)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, and no subclass

    @override
    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._buffer += data
        if not self._is_open:
            self._open()
        while len(self._buffer) > 4:
            length, at = self._buffer[1] & 0x7F, 2
            if length == 126:
                length, at = int.from_bytes(self._buffer[2:4], "big"), 4
            if len(self._buffer) < at + 4 + length:
                return
            key, text = self._buffer[at : at + 4], self._buffer[at + 4 : at + 4 + length]
            self._message(apply_mask(text, key))
            self._buffer = self._buffer[at + 4 + length :]

    def _open(self) -> None:
        head, found, self._buffer = self._buffer.partition(b"\r\n\r\n")
        if not found:
            self._buffer = head
            return
        if head.startswith(b"GET /bench/now"):
            body = json.dumps(told()).encode()
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            self._transport.close()
            return
        lines = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        exact = head[head.lower().index(b"sec-websocket-key: ") + 19 :].split(b"\r\n")[0]
        accept = base64.b64encode(sha1(exact + KEY).digest())  # noqa: S324 - RFC 6455's own
        assert b"upgrade" in lines
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self._is_open = True

    def _message(self, text: bytes) -> None:
        message = self._decoder.decode(text)
        if message.media is None:
            return
        ulaw = message.media.payload
        self._vad.is_speech(decode(ulaw), SAMPLE_RATE_HZ)
        self._heard += ulaw
        if len(self._heard) >= self._out_samples:
            body = (
                b'{"event":"media","streamSid":"MZ1","media":{"payload":"%b"}}'
                % base64.b64encode(self._heard)
            )
            self._heard.clear()
            self._transport.write(b"\x81\x7e" + len(body).to_bytes(2, "big") + body)


async def media(socket: WebSocket, out_samples: int = OUT_SAMPLES) -> None:
    """Echo, in the shape of the samples that carriers publish."""
    await socket.accept()
    vad, heard = webrtcvad.Vad(2), b""
    try:
        while True:
            message = await socket.receive_json()
            if message["event"] == "media":
                ulaw = base64.b64decode(message["media"]["payload"])
                vad.is_speech(decode(ulaw), SAMPLE_RATE_HZ)
                heard += ulaw
                if len(heard) >= out_samples:
                    body = {"payload": base64.b64encode(heard).decode()}
                    await socket.send_json({"event": "media", "streamSid": "MZ1", "media": body})
                    heard = b""
    except WebSocketDisconnect:
        return


async def voice(request: Request) -> Response:
    """Answer a call that comes in, in the shape of the samples that carriers publish."""
    form = dict(parse_qsl((await request.body()).decode()))
    document = DOCUMENT.format(host=request.headers["host"], call_sid=form["CallSid"])
    return Response(document, media_type="text/xml")


async def _now(_request: object) -> JSONResponse:
    return JSONResponse(told())


async def _floor(port: int, out_samples: int) -> None:
    made = partial(Floor, out_samples)
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", port, backlog=2_048)
    await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    kind, port = sys.argv[1], int(sys.argv[2])
    out_samples = int(os.environ.get("BENCH_OUT_SAMPLES", OUT_SAMPLES))
    if kind == "floor":
        uvloop.run(_floor(port, out_samples))
    routes = [
        WebSocketRoute("/media", partial(media, out_samples=out_samples)),
        Route("/twiml/voice", voice, methods=["POST"]),
        Route("/bench/now", _now),
    ]
    uvicorn.run(Starlette(routes=routes), port=port, **SETTINGS)


if __name__ == "__main__":
    main()
