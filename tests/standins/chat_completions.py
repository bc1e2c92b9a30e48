"""A server of OpenAI's chat completions on loopback, true to the protocol: it streams what a test wants.

    async with serving(Speech("Hello. How are you?")) as server:
        settings = ChatSettings(model="m", base_url=server.url, api_key=server.key)

What it is sent it checks as the real one does, and where chat templates of other servers are stricter,
as they do; see chat_request.py. It can hold an answer back until the test lets it go on, cut the line,
send an error or nonsense in the middle of a stream, and refuse.
"""

import asyncio
import contextlib
import json
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from service.serving import Server as QuietServer
from tests.standins.chat_request import Wrong, check

KEY = "sk-standin"
HOLD = object()  # among the words: nothing more is sent until the test says so

Ending = Literal["done", "cut", "silent", "error", "nonsense"]


@dataclass(frozen=True)
class Called:
    """One call of a function: its name and its arguments, JSON or not."""

    name: str
    arguments: str = "{}"

    @classmethod
    def of(cls, name: str, **arguments: object) -> "Called":
        return cls(name, json.dumps(arguments))


class Speech:
    """An answer: words in the pieces given (a single text is cut into tokens), then calls.

    `ending` cut: the connection breaks. silent: the stream ends without a finish. error, nonsense: an
    event that is one.
    """

    def __init__(
        self,
        *words: object,
        calls: tuple[Called, ...] = (),
        finish: str = "",
        ending: Ending = "done",
        refusal: str = "",
    ) -> None:
        is_text = len(words) == 1 and isinstance(words[0], str)
        self.words = _tokens(words[0]) if is_text else words
        self.calls = calls
        self.finish = finish or ("tool_calls" if calls else "stop")
        self.ending = ending
        self.refusal = refusal


@dataclass(frozen=True)
class Refusal:
    """An answer that is none."""

    status: int
    code: str = "server_error"
    headers: dict[str, str] = field(default_factory=dict)


Answer = Speech | Refusal
Rule = Callable[[dict[str, Any]], Answer]


class Server:
    """What it was asked, and what it answers: the script, then whatever `rule` makes of a request.

    `is_numbering` unset, it gives all calls of functions the index 0, as some servers do. With
    `is_slow_to_begin` it doesn't even send its headers before the test lets it.
    """

    def __init__(self, script: tuple[Answer, ...], *, key: str = KEY) -> None:
        self.script = deque(script)
        self.rule: Rule | None = None
        self.key = key
        self.asked: list[dict[str, Any]] = []
        self.wrongs: list[str] = []
        self.connections: set[tuple[str, int]] = set()
        self.may_go_on = asyncio.Event()
        self.is_holding = asyncio.Event()
        self.was_left = asyncio.Event()
        self.is_numbering = True
        self.is_slow_to_begin = False
        self.is_over = False
        self.url = ""
        routes = [Route("/v1/chat/completions", self._completions, methods=["POST"])]
        self.app = Starlette(routes=routes)

    async def _completions(self, request: Request) -> Response:
        assert request.client is not None
        self.connections.add((request.client.host, request.client.port))
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return _failed(401, "Incorrect API key provided: sk-***.", "invalid_api_key")
        try:
            asked = check(await request.body(), request.headers.get("content-type", ""))
        except Wrong as wrong:
            self.wrongs.append(str(wrong))
            return _failed(400, str(wrong), wrong.code)
        self.asked.append(asked)
        if self.is_slow_to_begin:
            await self._hold()
        match self._answer(asked):
            case Refusal(status=status, code=code, headers=headers):
                return _failed(status, "Something was refused.", code, headers)
            case Speech() as speech:
                events = self._events(speech, asked)
                return StreamingResponse(events, media_type="text/event-stream; charset=utf-8")

    def _answer(self, asked: dict[str, Any]) -> Answer:
        if self.script:
            return self.script.popleft()
        return self.rule(asked) if self.rule else Refusal(500, "script_is_over")

    async def _events(self, speech: Speech, asked: dict[str, Any]) -> AsyncIterator[bytes]:
        is_whole = False
        try:
            async for delta in self._deltas(speech):
                yield _event(_chunk(asked, delta))
            match speech.ending:
                case "cut":
                    raise ConnectionResetError("the stand-in cuts the line")
                case "error":
                    yield _event({"error": {"message": "The server had an error.", "code": None}})
                case "nonsense":
                    yield b"data: {no json\n\n"
                case "done":
                    yield _event(_chunk(asked, {}, finish=speech.finish))
                    yield b"data: [DONE]\n\n"
                case "silent":
                    pass
            is_whole = True
        finally:
            if not is_whole:
                self.was_left.set()

    async def _deltas(self, speech: Speech) -> AsyncIterator[dict[str, Any]]:
        yield {"role": "assistant", "content": "", "refusal": None}
        if speech.refusal:
            yield {"refusal": speech.refusal}
        for word in speech.words:
            if word is HOLD:
                await self._hold()
            else:
                yield {"content": word}
        for index, call in enumerate(speech.calls):
            first = {"name": call.name, "arguments": ""}
            id_ = f"call_{len(self.asked)}x{index}"
            place = index if self.is_numbering else 0
            yield _call(place, {"id": id_, "type": "function", "function": first})
            for begin in range(0, len(call.arguments), 7):
                part = call.arguments[begin : begin + 7]
                yield _call(place, {"function": {"arguments": part}})

    async def _hold(self) -> None:
        self.is_holding.set()
        await self.may_go_on.wait()
        self.is_holding.clear()
        if not self.is_over:
            self.may_go_on.clear()

    def end(self) -> None:
        """Let everything go on to its end."""
        self.is_over = True
        self.may_go_on.set()


def _call(index: int, part: dict[str, Any]) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **part}]}


def _tokens(text: object) -> tuple[str, ...]:
    """Cut a text as models do: a word comes with the blank before it, its ending by itself."""
    found: list[str] = []
    for sign in str(text):
        if (
            found and sign.isalnum() and found[-1][-1:].isalnum() and len(found[-1].strip()) < 4
        ) or (found and found[-1] == " "):
            found[-1] += sign
        else:
            found.append(sign)
    return tuple(found)


def _chunk(asked: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> Any:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-standin",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": asked["model"],
        "service_tier": "default",
        "system_fingerprint": None,
        "choices": [choice],
        "obfuscation": "aaaa",
    }


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _failed(
    status: int, message: str, code: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    kind = "invalid_request_error" if status < 429 else "server_error"
    error = {"message": message, "type": kind, "param": None, "code": code}
    return JSONResponse({"error": error}, status_code=status, headers=headers)


@contextlib.asynccontextmanager
async def serving(*script: Answer, key: str = KEY) -> AsyncIterator[Server]:
    """Serve on a free port of loopback until the test is done."""
    server = Server(script, key=key)
    # The protocol is named, or asyncio would not set TCP_NODELAY: each answer would come 40 ms late.
    ours = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    ours.bind(("127.0.0.1", 0))
    server.url = f"http://127.0.0.1:{ours.getsockname()[1]}/v1"
    config = uvicorn.Config(
        server.app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    quiet = QuietServer(config)
    task = asyncio.create_task(quiet.serve(sockets=[ours]))
    try:
        yield server
    finally:
        server.end()
        quiet.end()
        await task
