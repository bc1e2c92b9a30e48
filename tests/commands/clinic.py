"""A server, its store and its carrier, all on real sockets, for commands that look at them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from starlette.applications import Starlette

from service import serving
from service.app import create_app
from service.config import Config, load
from service.parts import Own
from service.simulator.account import Account
from service.simulator.exchange.exchange import Exchange
from service.speech.ear.endpoint import Endpointer
from service.speech.ear.vad import voice_activity
from service.speech.pool import SpeechPool
from service.testing.textspeech import TextRecognizer, TextSynthesizer

ACCOUNT = "AC" + "7" * 32
TOKEN = "5f2b9c7d1e8a40637bd2c9f0e4a81653"
NUMBER = "+15551234567"


@dataclass
class Clinic:
    """Where the server is, and the carrier's exchange."""

    url: str
    config: Config
    exchange: Exchange
    server: serving.Server


def quick(config: Config) -> Starlette:
    """The application, with speech that needs no engines."""
    return create_app(
        config,
        own=Own(
            speech=SpeechPool(TextSynthesizer(), TextRecognizer()),
            endpointer=lambda: Endpointer(voice_activity()),
        ),
    )


def production(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    """Set what a server with an account has."""
    plain = {
        "HOST": "127.0.0.1",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "API_TOKENS": "0c9d5e7b31f84a62:admin",
    }
    for name, value in (plain | settings).items():
        monkeypatch.setenv(name, value)


@asynccontextmanager
async def clinic(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[Config], Starlette] = quick, **settings: str
) -> AsyncIterator[Clinic]:
    """Open all of it, with settings in the environment that name it."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        async with Exchange(Account(ACCOUNT, TOKEN), server_url=url) as exchange:
            named = {"PUBLIC_URL": url, "TWILIO_API_URL": exchange.api_url}
            production(monkeypatch, **(named | settings))
            config = load()
            server = serving.Server(serving.settings(make(config), stop_s=1))
            task = asyncio.create_task(server.serve(sockets=[door.dup()]))
            await server.serving.wait()
            try:
                yield Clinic(url, config, exchange, server)
            finally:
                server.end()
                await task


@asynccontextmanager
async def answering(
    answer: Callable[[bytes], Awaitable[bytes]] | Callable[[bytes], bytes],
) -> AsyncIterator[str]:
    """A server that answers each request's head with bytes of its own; yields its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        told = answer(head)
        writer.write(told if isinstance(told, bytes) else await told)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def said(status: str, body: str = "", *, kind: str = "text/plain", more: str = "") -> bytes:
    """Return an answer's bytes."""
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}"
        f"connection: close\r\n\r\n{body}"
    ).encode()
