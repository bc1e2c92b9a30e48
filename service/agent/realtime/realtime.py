"""The brain that speaks to the caller itself: OpenAI Realtime, or any server of its shape.

A new session is set up in one go: its settings, then the past, and it counts as open once the server
has taken the settings. There is no way to take a session up again, so every way back is by history.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from httpcore2 import ConnectError
from openai import AsyncOpenAI, OpenAIError
from openai.types.realtime import (
    RealtimeFunctionToolParam,
    RealtimeSessionCreateRequestParam,
)
from openai.types.websocket_connection_options import WebSocketConnectionOptions
from websockets.exceptions import InvalidStatus, WebSocketException

from service.agent import prompt
from service.agent.duplex import Past, ResumeRefused
from service.agent.functions import Collects, Functions
from service.agent.realtime import events as o
from service.agent.realtime.session import RENEW_MS, RealtimeSession
from service.agent.realtime.settings import RealtimeSettings
from service.call.state import Call
from service.errors import BrainError, BrainRefused, ConfigError
from service.outbound.client import permitted
from service.tools.toolbox import Toolbox
from service.tools.toolfile import environment

OPEN_MS_MAX = 5_000  # from the first packet to the settings being taken; then another attempt
MESSAGE_BYTES_MAX = 4_194_304  # minutes of audio in one event; more is no event of theirs
HOPELESS = frozenset({400, 401, 403, 404})  # the key, the model or the address is wrong
SILENCE_MS = 500  # that end an utterance: the server's own default
PADDING_MS = 300  # of audio before the speech that was noticed, likewise

_LIMITS = {
    "max_size": MESSAGE_BYTES_MAX,
    "open_timeout": OPEN_MS_MAX / 1000,
    "close_timeout": 0.5,
}


class Realtime:
    """A speech-to-speech agent. One for all calls; each call has a session of its own."""

    def __init__(
        self, settings: RealtimeSettings, functions: Functions, *, renew_ms: int = RENEW_MS
    ) -> None:
        self._settings = settings
        self._functions = functions
        self._renew_ms = renew_ms
        self._client = AsyncOpenAI(
            api_key=settings.api_key, base_url=settings.base_url, max_retries=0
        )
        # The client asks the operating system for its name once, which would block the first call.
        self._client.platform_headers()

    @classmethod
    def from_environment(
        cls,
        toolbox: Toolbox,
        variables: Mapping[str, str] | None = None,
        *,
        collects: Collects = "",
    ) -> "Realtime":
        """Return the agent that the environment and `.env` describe. Raises ConfigError.

        For `collects` see Functions.
        """
        given = environment() if variables is None else variables
        functions = Functions(toolbox.described(), toolbox.check, collects=collects)
        try:
            return cls(RealtimeSettings.from_environment(given), functions)
        except OpenAIError as trouble:
            raise ConfigError(f"AGENT=realtime: {type(trouble).__name__}") from trouble

    @property
    def functions(self) -> Functions:
        """See SpeechAgent.functions."""
        return self._functions

    async def open(
        self, call: Call, resume: bytes | None, history: tuple[Past, ...]
    ) -> RealtimeSession:
        """See SpeechAgent.open. There are no tokens of this model's, so each is refused."""
        if resume is not None:
            raise ResumeRefused("this model can't take a session up again")
        instructions = prompt.system(call, self._settings.prompt)
        session: RealtimeSession | None = None
        try:
            async with asyncio.timeout(OPEN_MS_MAX / 1000):
                connecting = self._client.realtime.connect(
                    model=self._settings.model, websocket_connection_options=await self._way()
                )
                connection = await connecting.enter()
                session = RealtimeSession(connection, instructions, renew_ms=self._renew_ms)
                await connection.session.update(session=self._set_up(call, instructions))
                for entry in history:
                    await session.note(entry)
                await _taken(session)
        except BaseException as trouble:
            if session is not None:
                await session.close()
            if isinstance(trouble, InvalidStatus) and trouble.response.status_code in HOPELESS:
                raise BrainRefused(f"no session with the model: {_reason(trouble)}") from trouble
            if isinstance(trouble, OpenAIError | WebSocketException | OSError | ConnectError):
                raise BrainError(f"no session with the model: {_reason(trouble)}") from trouble
            raise
        return session

    async def close(self) -> None:
        """Let go of what is shared by all sessions."""
        await self._client.close()

    async def _way(self) -> WebSocketConnectionOptions:
        """Return how to connect: to an address that was judged, and nowhere else by a redirect."""
        url = self._client.base_url
        port = url.port or (443 if url.scheme == "https" else 80)
        rules = self._settings.outbound.naming(self._settings.base_url)
        address, *_ = await permitted(rules, url.host, port)
        options = {**_LIMITS, "host": address, "port": port, "proxy": None}
        return cast("WebSocketConnectionOptions", options)

    def _set_up(self, call: Call, instructions: str) -> RealtimeSessionCreateRequestParam:
        settings = self._settings
        return {
            "type": "realtime",
            "model": settings.model,
            "output_modalities": ["audio"],
            "instructions": instructions,
            "audio": {
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "transcription": {"model": settings.transcriber},
                    "turn_detection": {
                        "type": "server_vad",
                        "create_response": True,
                        "interrupt_response": True,
                        "prefix_padding_ms": PADDING_MS,
                        "silence_duration_ms": SILENCE_MS,
                    },
                },
                "output": {"format": {"type": "audio/pcmu"}, "voice": settings.voice},
            },
            "tools": [_tool(offered["function"]) for offered in self._functions.offered(call)],
            "tool_choice": "auto",
        }


def _tool(described: Mapping[str, Any]) -> RealtimeFunctionToolParam:
    """Return a function as this API wants it: flat, where chat completions nest it."""
    return {
        "type": "function",
        "name": described["name"],
        "description": described["description"],
        "parameters": described["parameters"],
    }


async def _taken(session: RealtimeSession) -> None:
    """Wait until the settings hold. Raises BrainError when they were refused."""
    while True:
        event = await session.receive()
        if isinstance(event, o.SessionUpdated):
            return
        if isinstance(event, o.ErrorEvent):
            name = event.error.code or event.error.type
            raise BrainError(f"no session with the model: it refused our settings: {name}")


def _reason(trouble: BaseException) -> str:
    """Say what went wrong without the words of others, which may hold a key."""
    if isinstance(trouble, InvalidStatus):
        return f"HTTP {trouble.response.status_code}"
    return type(trouble).__name__
