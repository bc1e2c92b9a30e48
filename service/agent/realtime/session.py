"""One session of OpenAI Realtime over mu-law: their events made ours, and ours made theirs.

    audio/pcmu both ways: what the phone sends is what the model hears, nothing is transcoded

Rules kept here:

1. At most one answer is asked for at a time; a wish that comes while one is under way waits for its end.
2. Only items of this session are truncated, and never beyond the audio that came of them.
3. What still arrives of an item that was cut is dropped.
4. A session lives 60 minutes at most (https://platform.openai.com/docs/guides/realtime-conversations);
   `GoAway` says so before.
"""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import assert_never

from openai import OpenAIError
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.exceptions import WebSocketException

from service.agent import duplex as d
from service.agent.duplex import Past, SpeechEvent
from service.agent.realtime import events as o
from service.agent.realtime.items import item
from service.audio import milliseconds, samples
from service.errors import BrainError

SEND_MS_MAX = 2_000  # a server that takes nothing for so long is gone
CLOSE_MS_MAX = 1_000  # nobody waits for a polite end
LIFE_MS = 3_600_000  # the server ends the session then
RENEW_MS = 3_300_000  # five minutes before that there is sure to be a quiet moment
AGAIN_MAX = 3  # times that one wish for an answer may collide with the server's own answers
ASK = "ask_"  # how our wishes for an answer are named, so that an error finds its wish

_ALREADY_ANSWERING = "conversation_already_has_active_response"
_log = logging.getLogger(__name__)


class RealtimeSession:
    """A connection whose session is set up; see `service.agent.realtime.realtime`."""

    def __init__(
        self, connection: AsyncRealtimeConnection, instructions: str, *, renew_ms: int = RENEW_MS
    ) -> None:
        self._connection = connection
        self._instructions = instructions
        self._renew_at = asyncio.get_running_loop().time() + renew_ms / 1000
        self._audio: dict[str, int] = {}
        self._words: dict[str, str] = {}
        self._cut: set[str] = set()
        self._ends: dict[str, int] = {}
        self._speaks_from_ms = 0
        self._is_answering = False
        self._wish: str | None = None
        self._asked: str | None = None
        self._asks = 0
        self._collisions = 0
        self._is_closed = False

    async def send_audio(self, ulaw: bytes) -> None:
        """See SpeechSession.send_audio."""
        audio = base64.b64encode(ulaw).decode()
        async with _sending():
            # Written by hand: the client takes ten times as long over it, fifty times a second.
            await self._connection.send_raw(
                f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}'
            )

    async def note(self, entry: Past) -> None:
        """See SpeechSession.note."""
        async with _sending():
            for made in item(entry):
                await self._connection.conversation.item.create(item=made)

    async def respond(self, hint: str = "") -> None:
        """See SpeechSession.respond."""
        self._wish, self._collisions = hint, 0
        await self._ask()

    async def heard(self, item: str, ms: int) -> None:
        """See SpeechSession.heard. This model learns it by `truncate` alone."""

    async def truncate(self, item: str, heard_ms: int) -> None:
        """See SpeechSession.truncate."""
        if item not in self._audio or item in self._cut:
            return
        self._cut.add(item)
        is_growing = item in self._words
        async with _sending():
            if self._is_answering and is_growing:
                await self._connection.response.cancel()
            await self._connection.conversation.item.truncate(
                item_id=item,
                content_index=0,
                audio_end_ms=min(heard_ms, milliseconds(self._audio[item])),
            )

    async def tool_result(self, call_id: str, result: str) -> None:
        """See SpeechSession.tool_result."""
        async with _sending():
            await self._connection.conversation.item.create(
                item={"type": "function_call_output", "call_id": call_id, "output": result}
            )

    async def close(self) -> None:
        """See SpeechSession.close."""
        self._is_closed = True
        try:
            async with asyncio.timeout(CLOSE_MS_MAX / 1000):
                await self._connection.close()
        except (OpenAIError, WebSocketException, OSError):
            return

    async def events(self) -> AsyncIterator[SpeechEvent]:
        """See SpeechSession.events."""
        renew_at: float | None = self._renew_at
        try:
            while True:
                try:
                    async with asyncio.timeout_at(renew_at):
                        event = await self.receive()
                except TimeoutError:
                    renew_at = None
                    yield d.GoAway(LIFE_MS - RENEW_MS)
                    continue
                for told in self._told(event):
                    yield told
                await self._ask()
        except BrainError as trouble:
            if not self._is_closed:
                yield d.Failed(str(trouble))

    async def receive(self) -> o.ServerEvent:
        """Return the next event that concerns us. Raises BrainError when there will be none."""
        while True:
            try:
                body = await self._connection.recv_bytes()
            except (OpenAIError, WebSocketException, OSError) as trouble:
                raise BrainError(f"the model's socket: {type(trouble).__name__}") from trouble
            event = o.read(body)
            if event is not None:
                return event

    async def _ask(self) -> None:
        """Ask for an answer if one is wished for and none is under way."""
        if self._wish is None or self._is_answering or self._asked is not None:
            return
        self._asked, self._wish = self._wish, None
        self._asks += 1
        # Instructions of an answer replace those of the session, so both are sent.
        both = f"{self._instructions}\n\n{self._asked}"
        async with _sending():
            await self._connection.response.create(
                event_id=f"{ASK}{self._asks}",
                response={"instructions": both} if self._asked else {},
            )

    def _told(self, event: o.ServerEvent) -> Iterator[SpeechEvent]:
        match event:
            case o.SpeechStarted() | o.SpeechStopped() | o.Transcribed() | o.NotTranscribed():
                yield from self._of_caller(event)
            case o.AudioDelta() | o.WordsDelta() | o.WordsDone() | o.ItemDone():
                yield from self._of_item(event)
            case o.ResponseCreated():
                self._is_answering = True  # Ours, or the server's own: then an error follows.
            case o.ResponseDone():
                self._is_answering, self._asked = False, None
                yield d.Finished(event.trouble)
            case o.ErrorEvent():
                yield from self._wrong(event.error)
            case o.SessionUpdated():
                return
            case _:
                assert_never(event)

    def _of_item(
        self, event: o.AudioDelta | o.WordsDelta | o.WordsDone | o.ItemDone
    ) -> Iterator[SpeechEvent]:
        match event:
            case o.AudioDelta():
                yield from self._audio_out(event)
            case o.WordsDelta():
                words = self._words.get(event.item_id, "") + event.delta
                yield from self._words_out(event.item_id, words)
            case o.WordsDone():
                yield from self._words_out(event.item_id, event.transcript)
            case _:
                yield from self._item_done(event.item)

    def _of_caller(
        self, event: o.SpeechStarted | o.SpeechStopped | o.Transcribed | o.NotTranscribed
    ) -> Iterator[SpeechEvent]:
        match event:
            case o.SpeechStarted():
                self._speaks_from_ms = event.audio_start_ms
                yield d.CallerBegan()
            case o.SpeechStopped():
                self._ends[event.item_id] = samples(event.audio_end_ms)
                yield d.CallerEnded(max(0, event.audio_end_ms - self._speaks_from_ms))
            case o.Transcribed():
                yield d.CallerSaid(event.transcript.strip())
                yield from self._took(event.item_id)
            case _:
                yield d.CallerSaid("")
                yield from self._took(event.item_id)

    def _took(self, item: str) -> Iterator[d.Took]:
        if item in self._ends:
            yield d.Took(self._ends.pop(item))

    def _audio_out(self, event: o.AudioDelta) -> Iterator[SpeechEvent]:
        ulaw = event.ulaw()
        if event.item_id not in self._audio:
            self._words.setdefault(event.item_id, "")
            for utterance in tuple(self._ends):  # What is being answered was understood.
                yield from self._took(utterance)
        self._audio[event.item_id] = self._audio.get(event.item_id, 0) + len(ulaw)
        if event.item_id not in self._cut and ulaw:
            yield d.AudioOut(event.item_id, ulaw)

    def _words_out(self, item: str, words: str) -> Iterator[d.WordsOut]:
        self._words[item] = words
        if item not in self._cut:
            yield d.WordsOut(item, words)

    def _item_done(self, done: o.Item) -> Iterator[SpeechEvent]:
        if done.type == "function_call":
            if done.status in (None, "completed"):
                yield d.ToolCalled(done.call_id, done.name, done.arguments)
            return
        words = self._words.pop(done.id, None)
        if words is not None and done.id not in self._cut:
            yield d.WordsOut(done.id, words, is_last=True)

    def _wrong(self, error: o.Error) -> Iterator[SpeechEvent]:
        """Most errors leave the session as it was. A refused wish for an answer is tried again."""
        name = error.code or error.type or "unknown"
        _log.warning("! the model objects: %s", name, extra={"action": "model_objects"})
        is_of_ask = error.event_id == f"{ASK}{self._asks}" or error.code == _ALREADY_ANSWERING
        if self._asked is None or not is_of_ask:
            return
        self._asked, asked = None, self._asked
        self._collisions += 1
        if error.code == _ALREADY_ANSWERING and self._collisions <= AGAIN_MAX:
            self._is_answering = True  # Its end is still to come, and then the wish is granted.
            self._wish = asked if self._wish is None else self._wish
        else:
            yield d.Finished(name)


@asynccontextmanager
async def _sending() -> AsyncIterator[None]:
    """Make whatever goes wrong while sending a BrainError, in bounded time."""
    try:
        async with asyncio.timeout(SEND_MS_MAX / 1000):
            yield
    except (OpenAIError, WebSocketException, OSError) as trouble:
        raise BrainError(f"the model's socket: {type(trouble).__name__}") from trouble
