"""A stand-in for OpenAI Realtime: a server on loopback that speaks the general release's events, strictly.

It takes nothing that the real one refuses: unknown and missing fields, audio that is no base64, items that
are not of this session, cuts beyond an item's audio, a second answer at a time. Its answers are scripted,
come faster than they can be played, and can be held, dropped, refused or never come.
"""

import asyncio
import base64
import http
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from service.audio import FRAME_SAMPLES, level, milliseconds, samples
from tests.standins import realtime_wire as wire

KEY = "sk-stand-in"
WORD_MS = 320
DELTA_MS = 200
LOUD = 1_000
ONSET_FRAMES = 3


def speech(text: str) -> bytes:
    """Return the audio of a text: no two neighbouring stretches of it are alike."""
    count = samples(WORD_MS) * len(text.split())
    return bytes((n * 7 + n // 251) % 256 for n in range(count))


@dataclass(frozen=True)
class Answer:
    """What the model does next: speaks, calls a function, or fails. `hold_ms`: waits there for `go_on`."""

    text: str = ""
    call: tuple[str, str] | None = None
    hold_ms: int | None = None
    fails: str = ""


@dataclass
class Item:
    """One item of a conversation, as the server has it."""

    item: dict[str, Any]
    audio: bytes = b""
    text: str = ""
    heard_ms: int | None = None


class Conversation:
    """One session: what it was told, and what it said."""

    def __init__(self, house: "RealtimeStandIn", socket: ServerConnection) -> None:
        self.house = house
        self.socket = socket
        self.settings: wire.SessionSettings | None = None
        self.items: dict[str, Item] = {}
        self.errors: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.heard = bytearray()
        self.answering: asyncio.Task[None] | None = None
        self._numbers = 0
        self._unjudged = bytearray()
        self._judged = self._loud = self._quiet = 0
        self._utterance = self._interrupted = ""

    def texts(self) -> list[tuple[str, str]]:
        """Return who said what, as the model remembers it."""
        return [(one.item.get("role", one.item["type"]), one.text) for one in self.items.values()]

    async def run(self) -> None:
        await self.say(
            "session.created", session={"type": "realtime", "object": "realtime.session"}
        )
        with suppress(ConnectionClosed):
            async for message in self.socket:
                await self._take(message)
        if self.answering is not None:
            self.answering.cancel()
            await asyncio.gather(self.answering, return_exceptions=True)

    async def say(self, kind: str, **fields: Any) -> None:
        if not self.house.is_mute:
            event = {"type": kind, "event_id": self._name("event"), **fields}
            with suppress(ConnectionClosed):
                await self.socket.send(msgspec.json.encode(event).decode())

    def _name(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}_{len(self.house.conversations)}_{self._numbers}"

    async def _refuse(self, code: str, message: str, event_id: str | None) -> None:
        error = {
            "type": "invalid_request_error",
            "code": code,
            "message": message,
            "param": None,
            "event_id": event_id,
        }
        self.errors.append(error)
        await self.say("error", error=error)

    async def _take(self, message: str | bytes) -> None:
        try:
            event = wire.read(message)
        except msgspec.DecodeError as trouble:
            await self._refuse("invalid_value", str(trouble), None)
            return
        if self.settings is None and not isinstance(event, wire.SessionUpdate):
            await self._refuse("not_set_up", "the stand-in wants settings first", event.event_id)
            return
        try:
            await self._obey(event)
        except wire.Refusal as refusal:
            await self._refuse(refusal.code, str(refusal), event.event_id)

    async def _obey(self, event: wire.ClientEvent) -> None:
        match event:
            case wire.SessionUpdate():
                self.settings = event.session
                if self.house.refuses_settings:
                    raise wire.Refusal("invalid_value", "these settings are not possible")
                await self.say("session.updated", session=msgspec.to_builtins(event.session))
            case wire.Append():
                await self._hear(wire.audio(event.audio))
            case wire.ItemCreate():
                await self._create(event.item)
            case wire.Truncate():
                await self._truncate(event)
            case _:
                await self._obey_about_answers(event)

    async def _obey_about_answers(self, event: wire.ResponseCreate | wire.ResponseCancel) -> None:
        if isinstance(event, wire.ResponseCreate):
            if self.is_answering:
                raise wire.Refusal("conversation_already_has_active_response", "one at a time")
            self.asked.append(event.response.instructions if event.response else "")
            self._answer()
        elif self.is_answering:
            await self._interrupt("client_cancelled")
        else:
            raise wire.Refusal("response_cancel_not_active", "there is no answer")

    @property
    def is_answering(self) -> bool:
        return self.answering is not None and not self.answering.done()

    async def _create(self, item: wire.Item) -> None:
        calls = {one.item.get("call_id") for one in self.items.values()}
        item.check({str(call) for call in calls})
        made = {"id": self._name("item"), **msgspec.to_builtins(item)}
        self.items[made["id"]] = Item(made, text=item.words)
        await self.say("conversation.item.added", previous_item_id=None, item=made)
        await self.say("conversation.item.done", previous_item_id=None, item=made)

    async def _truncate(self, event: wire.Truncate) -> None:
        item = self.items.get(event.item_id)
        if item is None or item.item.get("role") != "assistant":
            raise wire.Refusal("item_truncate_invalid_item_id", "there is no such item")
        if event.content_index != 0 or not item.audio:
            raise wire.Refusal("invalid_value", "there is no audio at this content index")
        length_ms = milliseconds(len(item.audio))
        if not 0 <= event.audio_end_ms <= length_ms:
            message = (
                f"audio content of {length_ms}ms is already shorter than {event.audio_end_ms}ms"
            )
            raise wire.Refusal("invalid_value", message)
        item.heard_ms, item.text = event.audio_end_ms, ""
        item.audio = item.audio[: samples(event.audio_end_ms)]
        await self.say(
            "conversation.item.truncated",
            item_id=event.item_id,
            content_index=0,
            audio_end_ms=event.audio_end_ms,
        )

    async def _hear(self, ulaw: bytes) -> None:
        """Judge each 20 ms by its loudness, as a simple voice detector does."""
        assert self.settings is not None
        self.heard += ulaw
        self._unjudged += ulaw
        quiet_max = self.settings.audio.input.turn_detection.silence_duration_ms
        while len(self._unjudged) >= FRAME_SAMPLES:
            frame = bytes(self._unjudged[:FRAME_SAMPLES])
            del self._unjudged[:FRAME_SAMPLES]
            self._judged += FRAME_SAMPLES
            is_loud = level(frame) >= LOUD
            self._loud = self._loud + 1 if is_loud else 0
            self._quiet = 0 if is_loud else self._quiet + 1
            if not self._utterance and self._loud >= ONSET_FRAMES:
                await self._begin()
            elif self._utterance and self._quiet * 20 >= quiet_max:
                await self._end()

    async def _begin(self) -> None:
        assert self.settings is not None
        detection = self.settings.audio.input.turn_detection
        self._utterance = self._name("item")
        start_ms = max(0, milliseconds(self._judged) - 60 - detection.prefix_padding_ms)
        await self.say(
            "input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=self._utterance
        )
        if detection.interrupt_response and self.is_answering:
            await self._interrupt("turn_detected")

    async def _end(self) -> None:
        assert self.settings is not None
        name, self._utterance = self._utterance, ""
        await self.say(
            "input_audio_buffer.speech_stopped",
            audio_end_ms=milliseconds(self._judged),
            item_id=name,
        )
        await self.say("input_audio_buffer.committed", item_id=name, previous_item_id=None)
        content = [{"type": "input_audio", "transcript": None}]
        made = {"id": name, "type": "message", "role": "user", "content": content}
        self.items[name] = Item(made)
        await self.say("conversation.item.added", previous_item_id=None, item=made)
        if not self.house.writes_late:
            await self.write_down(name)
        if self.settings.audio.input.turn_detection.create_response and not self.is_answering:
            self._answer()

    async def write_down(self, name: str = "") -> None:
        """Tell the words of an utterance, by default of the last."""
        name = (
            name or [key for key, one in self.items.items() if one.item.get("role") == "user"][-1]
        )
        kind = "conversation.item.input_audio_transcription"
        if not self.house.said:
            error = {"type": "transcription_error", "code": "unintelligible", "message": "?"}
            await self.say(f"{kind}.failed", item_id=name, content_index=0, error=error)
            return
        text = self.items[name].text = self.house.said.popleft()
        usage = {"type": "duration", "seconds": 1.0}
        await self.say(
            f"{kind}.completed", item_id=name, content_index=0, transcript=text, usage=usage
        )

    def _answer(self) -> None:
        answer = self.house.answers.popleft() if self.house.answers else Answer("All right.")
        self.answering = asyncio.create_task(self._give(answer, self._name("resp")))

    async def _give(self, answer: Answer, response: str) -> None:
        await self.say("response.created", response={"id": response, "status": "in_progress"})
        if answer.fails:
            error = {"type": "server_error", "code": answer.fails}
            details = {"type": "failed", "error": error}
            failed = {"id": response, "status": "failed", "status_details": details}
            await self.say("response.done", response=failed)
            return
        status: dict[str, Any] = {"status": "completed"}
        if answer.text:
            status = await self._speak(answer, response)
        if answer.call is not None and status["status"] == "completed":
            await self._call(*answer.call, response)
        await self.say("response.done", response={"id": response, **status})

    async def _speak(self, answer: Answer, response: str) -> dict[str, Any]:
        name, audio, words = self._name("item"), speech(answer.text), answer.text.split()
        place = {"response_id": response, "item_id": name, "output_index": 0, "content_index": 0}
        made: dict[str, Any] = {"id": name, "type": "message", "role": "assistant", "content": []}
        item = self.items[name] = Item(made)
        await self.say(
            "response.output_item.added", response_id=response, output_index=0, item=made
        )
        status: dict[str, Any] = {"status": "completed"}
        told = 0
        try:
            for begin in range(0, len(audio), samples(DELTA_MS)):
                if answer.hold_ms is not None and milliseconds(begin) >= answer.hold_ms:
                    await self.house.go_on.wait()
                known = min(len(words), milliseconds(begin) // WORD_MS + 2)
                if known > told:
                    delta = (" " if told else "") + " ".join(words[told:known])
                    told, item.text = known, item.text + delta
                    await self.say("response.output_audio_transcript.delta", delta=delta, **place)
                piece = audio[begin : begin + samples(DELTA_MS)]
                item.audio += piece
                coded = base64.b64encode(piece).decode()
                await self.say("response.output_audio.delta", delta=coded, **place)
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            reason = self._interrupted
            status = {
                "status": "cancelled",
                "status_details": {"type": "cancelled", "reason": reason},
            }
            made = {**made, "status": "incomplete"}
        await self.say("response.output_audio.done", **place)
        await self.say("response.output_audio_transcript.done", transcript=item.text, **place)
        await self.say("response.output_item.done", response_id=response, output_index=0, item=made)
        await self.say("conversation.item.done", previous_item_id=None, item=made)
        return status

    async def _call(self, function: str, arguments: str, response: str) -> None:
        name = self._name("item")
        made = {
            "id": name,
            "type": "function_call",
            "status": "completed",
            "name": function,
            "call_id": self._name("call"),
            "arguments": arguments,
        }
        self.items[name] = Item(made)
        place = {"response_id": response, "item_id": name, "output_index": 1}
        done = {"call_id": made["call_id"], "name": function, "arguments": arguments, **place}
        await self.say("response.function_call_arguments.done", **done)
        await self.say("response.output_item.done", response_id=response, output_index=1, item=made)

    async def _interrupt(self, reason: str) -> None:
        assert self.answering is not None
        self._interrupted = reason
        self.answering.cancel()
        await asyncio.gather(self.answering, return_exceptions=True)


@dataclass
class RealtimeStandIn:
    """The server. Scripts: `answers` of the model, and what the caller `said`, one per utterance."""

    url: str = ""
    answers: deque[Answer] = field(default_factory=deque)
    said: deque[str] = field(default_factory=deque)
    conversations: list[Conversation] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    refusals: deque[http.HTTPStatus] = field(default_factory=deque)
    refuses_settings: bool = False
    writes_late: bool = False
    is_mute: bool = False
    knocks: int = 0

    @property
    def last(self) -> Conversation:
        """The newest session."""
        return self.conversations[-1]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """All that was ever refused."""
        return [error for conversation in self.conversations for error in conversation.errors]

    def drop(self) -> None:
        """Lose the newest session's socket, without a word."""
        self.last.socket.transport.abort()

    def look(self, connection: ServerConnection, request: Request) -> Response | None:
        """Check the knock at the door."""
        self.knocks += 1
        if self.refusals:
            return connection.respond(self.refusals.popleft(), "not now\n")
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "wrong key\n")
        if not request.path.startswith("/v1/realtime?model="):
            return connection.respond(http.HTTPStatus.NOT_FOUND, "no such door\n")
        return None

    async def meet(self, socket: ServerConnection) -> None:
        """Hold one session."""
        conversation = Conversation(self, socket)
        self.conversations.append(conversation)
        await conversation.run()


@asynccontextmanager
async def realtime_stand_in() -> AsyncIterator[RealtimeStandIn]:
    """Serve on a free port of loopback."""
    house = RealtimeStandIn()
    server: Server
    async with serve(house.meet, "127.0.0.1", 0, process_request=house.look) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        house.url = f"http://127.0.0.1:{port}/v1"
        yield house
