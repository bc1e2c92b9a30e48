"""A small service that keeps Stayline's outside contract, so that the stand-in has somebody to call.

It greets a new call with a tone, comes back to a known one with another, answers whatever the caller says
or presses with a third, and remembers everything that it was sent.
"""

import asyncio
import base64
import contextlib
import json
import math
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import quoteattr

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from typing_extensions import override

from service.audio import encode, level
from service.serving import Server

TOKEN = "12345"
ACCOUNT = "AC00000000000000000000000000000001"
API_TOKEN = "let-me-in"


def tone(duration_ms: int, pitch_hz: int = 440) -> bytes:
    steps = range(duration_ms * 8)
    wave = (int(9_000 * math.sin(2 * math.pi * pitch_hz * step / 8_000)) for step in steps)
    return encode(b"".join(value.to_bytes(2, "little", signed=True) for value in wave))


GREETING, RETURN, REPLY = tone(200, 440), tone(200, 660), tone(200, 550)


class Asked:
    """One request of the carrier."""

    def __init__(
        self, path: str, url: str, fields: list[tuple[str, str]], headers: dict[str, str]
    ) -> None:
        self.path = path
        self.url = url
        self.fields = dict(fields)
        self.headers = headers


class Heard:
    """One stream, as the service saw it."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        self.messages: list[dict[str, Any]] = []
        self.frames: list[bytes] = []
        self.code = 0

    @property
    def is_ear(self) -> bool:
        return any("ear" in one["start"]["customParameters"] for one in self.of("start"))

    @property
    def patience(self) -> int:
        return -2 if self.is_ear else 10  # frames; an ear answers nothing

    def of(self, event: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["event"] == event]


class Talker:
    """The service; its attributes are the behaviour that a test wants."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.streams: list[Heard] = []
        self.calls: set[str] = set()
        self.documents: dict[str, str] = {}
        self.statuses: dict[str, int] = {}
        self.is_mute = False
        self.bad_text = ""
        self.closes_after_start = 0
        self.closes_on_key = False
        self.api_url = ""
        self.greeted = 1
        self.refuses = 0
        self.sockets: list[WebSocket] = []
        self.records: object = None
        self.media_type = "text/xml"

    def document(self) -> str:
        media = quoteattr(self.url.replace("http", "ws", 1) + "/media")
        resume = quoteattr(self.url + "/twiml/resume")
        told = quoteattr(self.url + "/callbacks/stream")
        return (
            f"<Response><Connect action={resume}><Stream url={media} statusCallback={told}>"
            '<Parameter name="client_name" value="Zo&#235; &lt;&amp;&gt;"/></Stream></Connect>'
            f"<Redirect>{self.url}/twiml/resume</Redirect></Response>"
        )

    def at(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    def app(self) -> Starlette:
        paths = ("/twiml/voice", "/twiml/resume", "/twiml/fallback", "/other", "/thanks")
        return Starlette(
            routes=[
                *(Route(path, self.answer, methods=["GET", "POST"]) for path in paths),
                Route("/callbacks/{which}", self.note, methods=["POST"]),
                WebSocketRoute("/media", self.media),
                Route("/api/calls/{sid}", self.show),
                Route("/api/calls/{sid}/events", self.events),
                Route("/api/calls/{sid}/digits", self.digits, methods=["POST"]),
            ]
        )

    async def keep(self, request: Request) -> None:
        fields = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        path, query = request.url.path, request.url.query
        url = self.url + path + (f"?{query}" if query else "")
        self.asked.append(Asked(path, url, fields, dict(request.headers)))

    async def answer(self, request: Request) -> Response:
        await self.keep(request)
        path = request.url.path
        document = self.documents.get(path, self.document())
        return Response(document, self.statuses.get(path, 200), media_type=self.media_type)

    async def note(self, request: Request) -> Response:
        await self.keep(request)
        return Response(status_code=204)

    async def show(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {API_TOKEN}":
            return JSONResponse({"title": "who are you?"}, 401)
        fields = {"ticket_id": {"value": "TKT-1234", "confirmed": True}}
        return JSONResponse({"phase": "live", "fields": fields, "parameters": {"company": "Acme"}})

    async def events(self, _: Request) -> Response:
        records = [{"position": n + 1, "kind": "greeted"} for n in range(self.greeted)]
        return JSONResponse({"incarnation": "one", "events": self.records or records})

    async def digits(self, request: Request) -> Response:
        digits = (await request.json())["digits"]
        sid = request.path_params["sid"]
        twiml = self.document().replace("<Response>", f'<Response><Play digits="{digits}"/>')
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"{self.api_url}/2010-04-01/Accounts/{ACCOUNT}/Calls/{sid}.json",
                data={"Twiml": twiml},
                auth=(ACCOUNT, TOKEN),
            )
        return JSONResponse({}, answer.status_code)

    async def media(self, ws: WebSocket) -> None:
        if self.refuses > 0:
            self.refuses -= 1
            await ws.close()
            return
        await ws.accept()
        self.sockets.append(ws)
        stream = Heard(dict(ws.headers))
        self.streams.append(stream)
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self.converse(ws, stream)

    async def converse(self, ws: WebSocket, stream: Heard) -> None:
        sid, quiet = "", -1
        while True:
            received = await ws.receive()
            if received["type"] == "websocket.disconnect":
                stream.code = received.get("code") or 1005
                return
            message = json.loads(received["text"])
            stream.messages.append(message)
            match message["event"]:
                case "start" if not stream.is_ear:
                    sid = message["streamSid"]
                    await self.greet(ws, message["start"]["callSid"], sid)
                case "media":
                    frame = base64.b64decode(message["media"]["payload"])
                    stream.frames.append(frame)
                    quiet = 0 if level(frame) > 500 else quiet + (quiet >= 0)
                    if quiet == stream.patience:
                        quiet = -1
                        await self.say(ws, sid, REPLY)
                case "dtmf":
                    await self.say(ws, sid, REPLY)
                    if self.closes_on_key:
                        await ws.close()
                case _:
                    pass

    async def greet(self, ws: WebSocket, call_sid: str, sid: str) -> None:
        if self.bad_text:
            await ws.send_text(self.bad_text)
        await self.say(ws, sid, RETURN if call_sid in self.calls else GREETING)
        self.calls.add(call_sid)
        if self.closes_after_start:
            await ws.close(self.closes_after_start)

    async def speak_on(self, index: int) -> None:
        await self.say(self.sockets[index], self.sid(index), REPLY)

    async def clear_on(self, index: int) -> None:
        await self.sockets[index].send_json({"event": "clear", "streamSid": self.sid(index)})

    def sid(self, index: int) -> str:
        return str(self.streams[index].of("start")[0]["streamSid"])

    async def say(self, ws: WebSocket, sid: str, ulaw: bytes) -> None:
        if self.is_mute:
            return
        payload = base64.b64encode(ulaw).decode()
        await ws.send_json({"event": "media", "streamSid": sid, "media": {"payload": payload}})
        await ws.send_json({"event": "mark", "streamSid": sid, "mark": {"name": "said"}})


class Quiet(Server):
    """A server that ends at once."""

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for ours in sockets or []:
            ours.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        tasks = list(self.server_state.tasks)
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)


@contextlib.asynccontextmanager
async def serving(talker: Talker) -> AsyncIterator[Talker]:
    ours = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    ours.bind(("127.0.0.1", 0))
    ours.listen()
    talker.url = f"http://127.0.0.1:{ours.getsockname()[1]}"
    settings = uvicorn.Config(
        talker.app(),
        log_config=None,
        lifespan="off",
        ws="websockets-sansio",
        timeout_graceful_shutdown=1,
    )
    server = Quiet(settings)
    task = asyncio.create_task(server.serve(sockets=[ours]))
    try:
        yield talker
    finally:
        server.end()
        await task
