"""A speech-to-speech agent whose model can be come back to by a handle, as Gemini Live's can."""

import asyncio
from collections.abc import AsyncIterator

from service.agent.duplex import (
    AudioOut,
    Past,
    ResumeRefused,
    ResumeToken,
    SpeechEvent,
    WordsOut,
)
from service.agent.functions import Functions
from service.call.state import Call
from tests.standins.realtime import speech


class Remembering:
    """A model that gives a token with its words, and knows only its newest one."""

    functions = Functions()

    def __init__(self) -> None:
        self.opened: list[tuple[bytes | None, int]] = []
        self.token = b""
        self.told: asyncio.Queue[SpeechEvent] = asyncio.Queue()

    async def open(
        self, call: Call, resume: bytes | None, history: tuple[Past, ...]
    ) -> "Remembering":
        del call
        self.opened.append((resume, len(history)))
        if resume is not None and resume != self.token:
            raise ResumeRefused("unknown")
        return self

    async def events(self) -> AsyncIterator[SpeechEvent]:
        while True:
            yield await self.told.get()

    async def send_audio(self, ulaw: bytes) -> None:
        """It is no matter here."""

    async def note(self, entry: Past) -> None:
        """It is no matter here."""

    async def respond(self, hint: str = "") -> None:
        del hint
        self.token += b"x"
        for event in (ResumeToken(self.token), AudioOut("a", speech("Hello.")),
                      WordsOut("a", "Hello.", is_last=True)):  # fmt: skip
            self.told.put_nowait(event)

    async def heard(self, item: str, ms: int) -> None:
        """It is no matter here."""

    async def truncate(self, item: str, heard_ms: int) -> None:
        """It is no matter here."""

    async def tool_result(self, call_id: str, result: str) -> None:
        """It is no matter here."""

    async def close(self) -> None:
        """It is no matter here."""
