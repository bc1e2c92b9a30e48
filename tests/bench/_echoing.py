"""An agent of the bench that says what it hears: each frame with a sound in it, at once, as an answer of its own.

It stands where a model that hears and speaks by itself would: what it costs is nothing, so that what is left is
the service's own way from a frame in to a frame out, the record of the answer among it.
"""

import asyncio
from collections.abc import AsyncIterator

from service.agent.duplex import AudioOut, Finished, Past, SpeechEvent, SpeechSession, WordsOut
from service.agent.functions import Functions
from service.audio import FRAME_SAMPLES, SILENCE
from service.call.state import Call

WORDS = "This."


class Echo:
    """See service.agent.duplex.SpeechAgent."""

    functions = Functions()

    async def open(
        self, call: Call, resume: bytes | None, history: tuple[Past, ...]
    ) -> SpeechSession:
        """See service.agent.duplex.SpeechAgent.open."""
        del call, resume, history
        return _Hearing()


class _Hearing:
    """One session. What it has said waits until it is taken, which is in the next turns of the loop."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[SpeechEvent] = asyncio.Queue()
        self._items = 0

    async def events(self) -> AsyncIterator[SpeechEvent]:
        """See service.agent.duplex.SpeechSession.events."""
        while True:
            yield await self._told.get()

    async def send_audio(self, ulaw: bytes) -> None:
        """Say it, if it is one frame and not silence."""
        if len(ulaw) == FRAME_SAMPLES and ulaw.strip(SILENCE):
            self._say(ulaw)

    async def respond(self, hint: str = "") -> None:
        """Say nothing that lasts: an answer is owed, and the first one greets."""
        del hint
        self._say(SILENCE * FRAME_SAMPLES)

    def _say(self, ulaw: bytes) -> None:
        self._items += 1
        item = f"i{self._items}"
        for event in (AudioOut(item, ulaw), WordsOut(item, WORDS, is_last=True), Finished()):
            self._told.put_nowait(event)

    async def note(self, entry: Past) -> None:
        """It remembers nothing."""

    async def heard(self, item: str, ms: int) -> None:
        """It is no matter here."""

    async def truncate(self, item: str, heard_ms: int) -> None:
        """It is no matter here."""

    async def tool_result(self, call_id: str, result: str) -> None:
        """It calls nothing."""

    async def close(self) -> None:
        """There is nothing to end."""
