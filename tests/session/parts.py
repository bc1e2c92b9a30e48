"""The small parts that stand in for the world around a session: speech, socket, carrier, agent."""

import asyncio
import json
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from typing_extensions import override

from service.audio import SILENCE, samples
from service.call.acts import Act, Say
from service.call.state import Call, Turn
from service.carrier import Carrier
from service.speech.ear.voice import Voice
from service.speech.transcript import Transcript
from service.tools.terms import Outcome, ToolArguments

LOUD = b"\x00"
MS_A_WORD = 20  # a sentence is over before a test gets impatient


class ScriptedSpeech:
    """Says every word as a constant of MS_A_WORD; understands whatever comes next in the script."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.heard: list[bytes] = []
        self.transcripts: deque[str] = deque()
        self.trouble: Exception | None = None
        self.ms_a_word = MS_A_WORD
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_closed = False

    async def render(self, text: str, *, call: str = "", within_ms: int = 0) -> bytes:
        del call, within_ms
        await self.may_answer.wait()
        if self.trouble is not None:
            raise self.trouble
        self.said.append(text)
        return b"\x2a" * samples(self.ms_a_word * len(text.split()))

    async def transcribe(
        self, ulaw: bytes, within_ms: int = 0, *, call: str = "", is_guess: bool = False
    ) -> Transcript:
        del call, within_ms, is_guess
        await self.may_answer.wait()
        self.heard.append(ulaw)
        if self.trouble is not None:
            raise self.trouble
        text = self.transcripts.popleft() if self.transcripts else ""
        return Transcript(text, 900 if text else 0)

    async def close(self) -> None:
        self.is_closed = True


class LoudVoice(Voice):
    """Whatever is not silence is voice."""

    def __init__(self) -> None:
        self._rest = b""

    @override
    def feed(self, ulaw: bytes) -> tuple[bool, ...]:
        line = self._rest + ulaw
        whole = len(line) - len(line) % 160
        self._rest = line[whole:]
        return tuple(line[at : at + 1] != SILENCE for at in range(0, whole, 160))


class MemorySocket:
    """A media socket that keeps what was sent; its caller hears everything at once, unless told not to."""

    is_patient = False  # it sends by waiting alone, as a server does that is not ours

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.grace_ms = 0
        self.is_dead = False
        self.is_stuck = False
        self.is_listening = True
        self.echo: Callable[[str], None] | None = None
        self._echoed = 0

    def say(self, *texts: str) -> bool:
        if self.is_dead or self.closed or self.is_stuck or self.is_patient:
            return False
        for text in texts:
            self._take(text)
        return True

    async def send(self, text: str) -> None:
        if self.is_dead or self.closed:
            raise ConnectionError("the peer is gone")
        if self.is_stuck:
            await asyncio.Event().wait()
        self._take(text)

    def _take(self, text: str) -> None:
        self.sent.append(json.loads(text))
        if self.is_listening:
            self.listen()

    def listen(self) -> None:
        """Send back every mark that was not sent back yet."""
        if self.echo is None:
            return
        marks = self.marks()[self._echoed :]
        self._echoed += len(marks)
        for mark in marks:
            asyncio.get_running_loop().call_soon(self.echo, mark)

    async def close(self, code: int, reason: str, *, grace_ms: int = 0) -> None:
        self.grace_ms = grace_ms
        if self.closed is None:
            self.closed = (code, reason)

    def events(self) -> list[str]:
        return [message["event"] for message in self.sent]

    def marks(self) -> list[str]:
        return [message["mark"]["name"] for message in self.sent if message["event"] == "mark"]


class NotingCarrier(Carrier):
    """Notes what it is asked; answers well, or with the trouble it is given."""

    def __init__(self) -> None:
        super().__init__("AC1", ("secret",), "http://127.0.0.1:9", random.Random(1))
        self.asked: list[tuple[str, str]] = []
        self.trouble: Exception | None = None
        self.live = True
        self.found, self.word = "", "in-progress"
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def _note(self, what: str, detail: str) -> None:
        self.asked.append((what, detail))
        await self.may_answer.wait()
        if self.trouble is not None:
            raise self.trouble

    @override
    async def run_twiml(self, call_sid: str, twiml: str) -> None:
        await self._note("run_twiml", twiml)

    @override
    async def redirect(self, call_sid: str, url: str) -> None:
        await self._note("redirect", url)

    @override
    async def hang_up(self, call_sid: str) -> None:
        await self._note("hang_up", call_sid)

    @override
    async def is_live(self, call_sid: str) -> bool:
        await self._note("is_live", call_sid)
        return self.live

    @override
    async def ring(self, to: str, from_: str, *, url: str, status_url: str, timeout_s: int) -> str:
        await self._note("ring", f"{to} {from_} {url} {status_url} {timeout_s}")
        return f"CAring{len(self.asked_for('ring'))}"

    @override
    async def rung(self, to: str, from_: str, *, since_ms: int) -> str:
        await self._note("rung", f"{to} {from_} {since_ms}")
        return self.found

    @override
    async def status(self, call_sid: str) -> str:
        await self._note("status", call_sid)
        return self.word

    def asked_for(self, what: str) -> list[str]:
        return [detail for name, detail in self.asked if name == what]


class ScriptedToolbox:
    """Tools that do what the script says, once they may; without one they succeed."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any], str]] = []
        self.script: deque[Outcome | BaseException] = deque()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def check(self, name: str, arguments: dict[str, Any]) -> None:
        if name not in ("lookup", "note", "tell"):
            raise ToolArguments("There is no tool of this name.")
        if "refused" in arguments:
            raise ToolArguments("That doesn't fit.")

    async def call(
        self, name: str, arguments: dict[str, Any], *, key: str, within_ms: int, call_sid: str
    ) -> Outcome:
        assert within_ms > 0, (name, call_sid)
        self.asked.append((name, arguments, key))
        await self.may_answer.wait()
        answer = self.script.popleft() if self.script else Outcome("succeeded", '{"done":true}')
        if isinstance(answer, BaseException):
            raise answer
        return answer


class ScriptedAgent:
    """Greets, then answers from its script; without one it says what it heard."""

    def __init__(self) -> None:
        self.offers_earlier = False
        self.turns: list[Turn] = []
        self.greeting: list[Any] = [Say("Hello and welcome to our support line, dear caller.")]
        self.script: deque[list[Any]] = deque()
        self.trouble: BaseException | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        del call
        self.turns.append(turn)
        await self.may_answer.wait()
        if self.trouble is not None:
            raise self.trouble
        if turn.reason == "opening":
            answer = self.greeting
        elif self.script:
            answer = self.script.popleft()
        else:
            answer = [Say(f"You said {turn.earlier} {turn.text} to me.")]
        for act in answer:
            yield act
