"""What stands in for people and models: an agent with a plan of its own, tools that keep count, speech as text."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import Context
from functools import lru_cache
from typing import Any

from service.call.acts import Act, Collect, HangUp, Say, SendDigits, UseTool
from service.call.state import Call, Turn
from service.speech.transcript import NOTHING, Transcript
from service.testing.textspeech import CONFIDENCE_MILLI, literal, spoken, words
from service.tools.terms import Outcome, Terms, ToolArguments

GREETING = "Welcome to the simulated line, dear caller. How may we help today?"
LOOKUP, NOTE = "lookup", "note"
TERMS = {
    LOOKUP: Terms(is_idempotent=True, attempts_max=3, timeout_ms=2_000),
    NOTE: Terms(is_idempotent=False, attempts_max=1, timeout_ms=2_000),
}
COLLECTIONS_MAX = 2  # of one call
OPERATIONS_MAX = 6  # of one call: an agent that never has enough would never be quiet


class Clerk:
    """The agent. What it says to a turn depends on the seed and the turn alone, whoever asks."""

    offers_earlier = False

    def __init__(
        self,
        seed: int,
        chance: random.Random,
        *,
        collects: bool = False,
        on_thought: Callable[[Call, Turn], None] = lambda _call, _turn: None,
    ) -> None:
        self._seed = seed
        self._chance = chance
        self._collects = collects
        self._on_thought = on_thought

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        """See Agent.reply."""
        chance = random.Random(f"{self._seed} {call.call_sid} {turn.number}")
        self._on_thought(call, turn)
        if turn.reason == "opening":
            yield Say(GREETING)
            return
        await asyncio.sleep(self._chance.choice((0, 0.01, 0.15, 0.6)))
        for name in turn.operations:
            status = next((one.status for one in call.operations if one.operation == name), "gone")
            yield Say(f"Operation {name} of turn {turn.number} has {status}.")
        if turn.reason == "collected" and call.privacy.collected is not None:
            yield Say(f"Number {call.privacy.collected.collection} has {turn.number}.")
        if turn.reason in ("operation", "collected"):
            return
        for act in self._answer(call, turn, chance):
            yield act

    def _answer(self, call: Call, turn: Turn, chance: random.Random) -> Iterator[Act]:
        for part in range(chance.randint(1, 3)):
            yield Say(f"Sentence {part} of answer {turn.number} to you is this one here.")
        if chance.random() < 0.35 and len(call.operations) < OPERATIONS_MAX:
            yield UseTool(chance.choice((LOOKUP, NOTE)), {"turn": turn.number})
        if self._collects and call.privacy.collections < COLLECTIONS_MAX and chance.random() < 0.6:
            yield Collect("Your card number now, please.", "card", 13, 19, is_card=True)
            return
        if chance.random() < 0.06:
            yield SendDigits("1w2")
        if chance.random() < 0.03:
            yield Say("Good bye then, and thank you.")
            yield HangUp()


class Tools:
    """What tools really did, by key: no server knows it. Each server has its own `Box`."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.executions: Counter[str] = Counter()
        self.names: dict[str, str] = {}
        self.asked: Counter[str] = Counter()

    async def ask(self, name: str, key: str) -> Outcome:
        """Have it carried out. What was sent goes on there, whatever becomes of who asked."""
        work = asyncio.get_running_loop().create_task(self._serve(name, key), context=Context())
        return await asyncio.shield(work)

    async def _serve(self, name: str, key: str) -> Outcome:
        self.asked[key] += 1
        self.names[key] = name
        way = self.chance.choice(("well",) * 6 + ("no", "busy", "lost", "silent", "unsent"))
        await asyncio.sleep(self.chance.choice((5, 30, 200, 900)) / 1_000)
        if way in ("no", "busy", "unsent"):
            return Outcome("failed", detail=way, may_retry=way != "no")
        if name != LOOKUP or not self.executions[key]:  # It knows its keys; the other one does not.
            self.executions[key] += 1
        await asyncio.sleep(self.chance.choice((5, 30, 400)) / 1_000)
        if way == "lost":
            return Outcome("unanswered", detail="the connection went", may_retry=True)
        if way == "silent":
            await asyncio.sleep(60)
        return Outcome("succeeded", '{"done":true}')


class Box:
    """One server's toolbox. See session.means.Toolbox."""

    summary_tool = ""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def names(self) -> tuple[str, ...]:
        return tuple(TERMS)

    def terms(self, name: str) -> Terms:
        return TERMS[name]

    def describe(self) -> tuple[()]:
        return ()

    def check(self, name: str, arguments: dict[str, Any]) -> None:
        if name not in TERMS or "turn" not in arguments:
            raise ToolArguments("There is no such tool.")

    async def call(
        self, name: str, arguments: dict[str, Any], *, key: str, within_ms: int, call_sid: str
    ) -> Outcome:
        del arguments, call_sid
        try:
            async with asyncio.timeout(within_ms / 1_000):
                return await self._tools.ask(name, key)
        except TimeoutError:
            return Outcome("unanswered", detail="no answer in time", may_retry=True)

    async def close(self) -> None:
        return


@lru_cache(maxsize=4_096)
def rendered(text: str) -> bytes:
    """Speak a text, once for all runs."""
    return spoken(text)


class TextSpeech:
    """Speech as text in audio, with the time that engines take. See session.means.Speech."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    async def render(self, text: str, *, call: str = "", within_ms: int = 0) -> bytes:
        del within_ms
        if call != "rehearsal":
            await asyncio.sleep(self._chance.choice((0, 0.005, 0.04)))
        return rendered(text)

    async def transcribe(
        self, ulaw: bytes, within_ms: int = 0, *, call: str = "", is_guess: bool = False
    ) -> Transcript:
        del within_ms, call, is_guess
        await asyncio.sleep(self._chance.choice((0.01, 0.08, 0.3)))
        text = literal(words(ulaw))
        return Transcript(text, CONFIDENCE_MILLI) if text else NOTHING

    async def close(self) -> None:
        return
