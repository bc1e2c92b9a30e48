"""A model behind any server of OpenAI's shape: /chat/completions, streamed.

    task:  POST ──> chunk ──> chunk ──> finish_reason ──> [DONE]
                      │         │            │
    queue:          Words     Words    Wish … Finished          read by `next`, with a time limit

The stream is read by a task of its own: waiting for it can then be given up without breaking it. This
module imports the `openai` library, so it is itself imported only when a model is to be asked.
"""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import openai

from service.agent.account import NO_KEY
from service.agent.chat.history import Message
from service.agent.chat.model import Finished, Piece, Unanswered, Wish, Words
from service.agent.chat.settings import ChatSettings
from service.outbound.client import open_client
from service.tools.terms import ARGUMENTS_BYTES_MAX

PIECES_MAX = 256  # read ahead of the speaking: a whole answer of an ordinary length
ANSWER_BYTES_MAX = (
    4_194_304  # of one answer: a token's event is 300 bytes, and thinking may be long
)
CALLS_MAX = 8  # of functions in one answer; more is a model going round in circles
CONNECT_MS = 3_000  # a server that does not take the connection by then is down
KEEP_MS = 120_000  # turns are seconds apart: a kept connection saves each the TLS handshake
TAIL_MS = (
    200  # from the last word to the end of the stream, which frees the connection for the next
)

_BUSY = (408, 409, 425, 429)
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")

Create = Callable[..., Awaitable[Any]]


class OpenAiModel:
    """The client. Its first use in a call costs no more than the others."""

    def __init__(self, settings: ChatSettings) -> None:
        timeout = httpx2.Timeout(settings.timeout_ms / 1000, connect=CONNECT_MS / 1000)
        limits = httpx2.Limits(
            max_connections=1_000, max_keepalive_connections=100, keepalive_expiry=KEEP_MS / 1000
        )
        self._client = openai.AsyncOpenAI(
            api_key=settings.api_key or NO_KEY,  # else the library would look for one elsewhere
            base_url=settings.base_url,
            max_retries=0,  # how often is decided where the caller's patience is known
            http_client=open_client(
                settings.outbound.naming(settings.base_url),
                bytes_max=ANSWER_BYTES_MAX,
                timeout=timeout,
                limits=limits,
            ),
        )
        self._create: Create = self._client.chat.completions.create  # its modules load here
        self._always: dict[str, Any] = {"model": settings.model, "stream": True}
        if settings.effort:
            self._always["reasoning_effort"] = settings.effort

    def ask(self, messages: list[Message], functions: list[dict[str, Any]]) -> "Completion":
        """See Model.ask."""
        request = self._always | {"messages": messages}
        return Completion(self._create, request | {"tools": functions} if functions else request)

    async def close(self) -> None:
        """See Model.close."""
        await self._client.close()


class Completion:
    """One answer."""

    def __init__(self, create: Create, request: dict[str, Any]) -> None:
        self._pieces: asyncio.Queue[Piece | Unanswered] = asyncio.Queue(PIECES_MAX)
        self._is_finished = False
        self._task = asyncio.create_task(self._read(create, request))

    async def next(self, until_s: float) -> Piece | None:
        """See Reading.next."""
        try:
            async with asyncio.timeout_at(until_s):
                piece = await self._pieces.get()
        except TimeoutError:
            return None
        if isinstance(piece, Unanswered):
            raise piece
        return piece

    async def close(self) -> None:
        """See Reading.close."""
        try:
            if self._is_finished:
                await asyncio.wait((self._task,), timeout=TAIL_MS / 1000)
        finally:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _read(self, create: Create, request: dict[str, Any]) -> None:
        try:
            async with await create(**request) as stream:
                await self._take(stream)
            trouble = Unanswered("the model's answer broke off", may_retry=True)
        except openai.APIStatusError as refused:
            trouble = _refusal(refused)
        except openai.APIConnectionError:
            trouble = Unanswered("the model can't be reached, or went away", may_retry=True)
        except Exception as nonsense:  # noqa: BLE001 - a server may send anything, and the library raises as much
            kind = type(nonsense).__name__
            trouble = Unanswered(f"the model answered nonsense ({kind})", may_retry=True)
        if not self._is_finished:
            await self._pieces.put(trouble)

    async def _take(self, stream: AsyncIterator[Any]) -> None:
        """Take the pieces out of the chunks; behind the finish only the end is waited for."""
        calls = _Calls()
        async for chunk in stream:
            if self._is_finished or not chunk.choices:
                continue
            choice = chunk.choices[0]
            delta = choice.delta
            text = (delta.content or delta.refusal or "") if delta else ""
            await self._pieces.put(Words(str(text)))
            for part in (delta.tool_calls or ()) if delta else ():
                calls.add(part)
            if choice.finish_reason:
                for wish in calls.whole():
                    await self._pieces.put(wish)
                self._is_finished = True
                await self._pieces.put(Finished(str(choice.finish_reason)))


class _Calls:
    """Calls of functions, put together from their parts.

    A part belongs to the call of its index; servers that number none, or all alike, begin the next
    one with another id.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def add(self, part: Any) -> None:
        name = (part.function.name if part.function else "") or ""
        arguments = (part.function.arguments if part.function else "") or ""
        same = [call for call in self._calls if call.index == part.index]
        if not same or (name and part.id and part.id != same[-1].id):
            same = [_Call(part.index, part.id)]
            self._calls.extend(same)
        same[-1].name += name
        if len(same[-1].arguments) <= ARGUMENTS_BYTES_MAX:
            same[-1].arguments += arguments

    def whole(self) -> list[Wish]:
        return [Wish(call.name, call.arguments) for call in self._calls[:CALLS_MAX]]


class _Call:
    def __init__(self, index: object, id_: object) -> None:
        self.index = index
        self.id = id_
        self.name = ""
        self.arguments = ""


def _refusal(refused: openai.APIStatusError) -> Unanswered:
    """The server's own sentence is left out: it may quote the key, or the caller."""
    status, headers = refused.status_code, refused.response.headers
    code = str(refused.code or refused.type or "")
    why = f" ({code})" if _CODE.fullmatch(code) else ""
    is_passing = status in _BUSY or status >= httpx2.codes.INTERNAL_SERVER_ERROR
    is_hopeless = code == "insufficient_quota" or headers.get("x-should-retry") == "false"
    return Unanswered(
        f"the model's server answered {status}{why}",
        may_retry=is_passing and not is_hopeless,
        retry_after_ms=_milliseconds(headers),
    )


def _milliseconds(headers: httpx2.Headers) -> int:
    """How long the server asks us to wait; a date is as good as too long."""
    for name, unit_ms in (("retry-after-ms", 1), ("retry-after", 1_000)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            wait_ms = float(value) * unit_ms
        except ValueError:
            wait_ms = math.inf
        return math.ceil(wait_ms) if 0 <= wait_ms < CONNECT_MS else CONNECT_MS
    return 0
