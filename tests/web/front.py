"""The whole application with small parts behind it: memory for a store, scripted speech, a noting carrier."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, fromstring

import httpx2
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from service import serving
from service.app import create_app
from service.call import events as e
from service.config import Config
from service.journal.journal import Journal
from service.journal.values import Missing
from service.parts import Parts
from service.trust.api_token import ApiToken
from tests.session.parts import NotingCarrier, ScriptedAgent, ScriptedSpeech

ACCOUNT = "AC00000000000000000000000000000001"
SECRET = "12345"
PUBLIC_URL = "https://calls.example.com"
TOKENS = (
    ("see", "viewer", "default", ""),
    ("act", "agent", "default", ""),
    ("adas", "agent", "default", "Ada Byron"),
    ("all", "admin", "default", ""),
    ("other", "admin", "another tenant", ""),
)
CALL = "CA00000000000000000000000000000001"


def settings(**changes: Any) -> Config:
    """Settings as `load` gives them, from no environment at all."""
    tokens = tuple(
        ApiToken.model_construct(token=token, role=role, tenant=tenant, name=name)
        for token, role, tenant, name in TOKENS
    )
    return Config.model_construct(
        **{
            "host": "127.0.0.1",
            "port": 8000,
            "public_url": PUBLIC_URL,
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": (SECRET,),
            "twilio_api_url": "http://127.0.0.1:9",
            "store_url": "sqlite://:memory:",
            "api_tokens": tokens,
            "drop_limit": "3/60",
            **changes,
        }
    )


def signature(url: str, fields: Sequence[tuple[str, str]] = ()) -> str:
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(
        hmac.new(SECRET.encode(), text.encode(), hashlib.sha1).digest()
    ).decode()


def ring(**changes: str) -> dict[str, str]:
    return {
        "CallSid": CALL,
        "AccountSid": ACCOUNT,
        "From": "+15550001",
        "To": "+15550002",
        "CallStatus": "ringing",
        "Direction": "inbound",
        **changes,
    }


def parsed(document: str) -> Element:
    """Return a document of our own as a tree."""
    return fromstring(document)  # noqa: S314 - we wrote it ourselves


def parameters(document: str) -> dict[str, str]:
    """Return the stream parameters of a TwiML document."""
    return {
        str(one.get("name")): str(one.get("value")) for one in parsed(document).iter("Parameter")
    }


class Front:
    """A running application, and what stands behind it."""

    def __init__(self, app: Starlette, carrier: NotingCarrier) -> None:
        self.app = app
        self.carrier = carrier
        self.parts: Parts = app.state.parts
        self.web = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app, raise_app_exceptions=False),
            base_url=PUBLIC_URL,
        )

    @property
    def journal(self) -> Journal:
        return self.parts.journal

    async def hook(
        self, path: str, fields: Mapping[str, str], *, signed: str | None = None, **more: Any
    ) -> httpx2.Response:
        """Post a webhook as the carrier does."""
        pairs = list(fields.items())
        proof = signature(PUBLIC_URL + path, pairs) if signed is None else signed
        headers = {"content-type": "application/x-www-form-urlencoded", **more.pop("headers", {})}
        if proof:
            headers["x-twilio-signature"] = proof
        return await self.web.post(
            path, content=more.pop("content", urlencode(pairs)), headers=headers, **more
        )

    async def api(
        self, method: str, path: str, *, bearer: str = "all", **more: Any
    ) -> httpx2.Response:
        headers = {"authorization": f"Bearer {bearer}", **more.pop("headers", {})}
        return await self.web.request(method, path, headers=headers, **more)

    async def token(self, path: str = "/twiml/voice", **changes: str) -> str:
        answer = await self.hook(path, ring(**changes))
        assert answer.status_code == 200, answer.text
        return parameters(answer.text)["token"]

    async def facts(self, call_sid: str = CALL) -> list[e.AnyFact]:
        reading = await self.journal.read(call_sid)
        return [] if isinstance(reading, Missing) else [e.decode(r.body) for r in reading.records]

    async def write(self, *facts: e.Known, key: str = "outside") -> None:
        await self.journal.append(
            CALL,
            [e.encode(fact) for fact in facts],
            epoch=None,
            after=None,
            key=key,
            now_ms=self.parts.clock.now_ms(),
        )


@contextlib.asynccontextmanager
async def fronted(
    *, agent: ScriptedAgent | None = None, speech: ScriptedSpeech | None = None, **changes: Any
) -> AsyncIterator[Front]:
    """Start the application with the small parts, and stop it."""
    carrier = NotingCarrier()
    app = built(carrier, agent or ScriptedAgent(), speech or ScriptedSpeech(), **changes)
    front = Front(app, carrier)
    async with app.router.lifespan_context(app), front.web:
        yield front


def built(
    carrier: NotingCarrier, agent: ScriptedAgent, speech: ScriptedSpeech, /, **changes: Any
) -> Starlette:
    """Make the application with these parts in the places of the real ones."""
    parts: dict[str, Callable[..., Any]] = {
        "Carrier": lambda *_settings: carrier,
        "make_agent": lambda *_given, **_named: agent,
        "_speech": lambda: speech,
    }
    with pytest.MonkeyPatch.context() as places:
        for name, part in parts.items():
            places.setattr(f"service.parts.{name}", part)
        return create_app(settings(**changes))


@contextlib.asynccontextmanager
async def served(front: Front) -> AsyncIterator[str]:
    """Serve the application on a real socket, with the settings of `stayline serve`; yields its host."""
    ours = socket.create_server(("127.0.0.1", 0))
    server = serving.Server(serving.settings(front.app, stop_s=3, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[ours]))
    try:
        yield f"127.0.0.1:{ours.getsockname()[1]}"
    finally:
        server.end()
        await task


class Stream:
    """The carrier's end of a media stream."""

    def __init__(self, socket: ClientConnection, stream_sid: str) -> None:
        self.socket = socket
        self.stream_sid = stream_sid
        self.heard: list[dict[str, Any]] = []

    async def send(self, event: str, **body: Any) -> None:
        await self.socket.send(json.dumps({"event": event, "streamSid": self.stream_sid, **body}))

    async def start(self, token: str, *, call_sid: str = CALL, **changes: Any) -> None:
        await self.socket.send(
            json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        )
        start = {
            "accountSid": ACCOUNT,
            "streamSid": self.stream_sid,
            "callSid": call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"client_name": "", "token": token},
            **changes,
        }
        await self.send("start", sequenceNumber="1", start=start)

    async def hear(self, event: str) -> dict[str, Any]:
        """Listen, echoing marks, until such a message comes."""
        while True:
            message: dict[str, Any] = json.loads(await self.socket.recv())
            self.heard.append(message)
            if message["event"] == "mark":
                await self.send("mark", mark=message["mark"])
            if message["event"] == event:
                return message

    async def closed(self) -> tuple[int, str]:
        """Listen until the server closes; return its code and reason."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.hear("")
        assert self.socket.close_code is not None
        return self.socket.close_code, self.socket.close_reason or ""


@contextlib.asynccontextmanager
async def stream(
    host: str, stream_sid: str = "MZ1", *, signed: str | None = None, path: str = "/media"
) -> AsyncIterator[Stream]:
    proof = signature("wss://calls.example.com/media") if signed is None else signed
    headers = {"X-Twilio-Signature": proof} if proof else {}
    async with connect(
        f"ws://{host}{path}",
        additional_headers=headers,
        compression=None,
        ping_interval=None,
        proxy=None,
    ) as opened:
        yield Stream(opened, stream_sid)
