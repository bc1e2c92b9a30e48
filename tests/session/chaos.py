"""One call's life among processes that die, streams that drop and tools that fail, all drawn by a seed.

Every write and every execution passes a named point, and a trap may be laid at one: whatever is to
happen to the call then happens right there, before or after the write, before or after the execution.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import quote

from typing_extensions import override

from service.call import events as e
from service.call.acts import Act, Say, UseTool
from service.call.policy import Policy, ToolTerms
from service.call.state import Call, Turn
from service.desk import TicketDesk
from service.errors import StoreError
from service.journal.journal import Journal
from service.journal.values import Claim, Fenced, Outcome as Written
from service.session.means import Means, Toolbox
from service.session.tasks import Tasks
from service.speech.transcript import Transcript
from service.switchboard.switchboard import Switchboard
from service.tools.terms import Outcome
from tests.conftest import for_a_moment
from tests.session.parts import ScriptedSpeech

GREETING = "Hello, I will see to it."
LOOKUP, NOTE = "lookup", "note"
TERMS = {
    LOOKUP: ToolTerms(is_idempotent=True, attempts_max=3, timeout_ms=400),
    NOTE: ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=400),
}
POLICY = Policy(drops_max=1_000, tools=TERMS)
OPERATIONS_MAX = 8  # an agent that never has enough would never let a life end
HOLD_S_MAX = (
    0.3  # time for another process to take the call; then the slow one wakes, wherever it is
)
POINTS = (
    *(
        f"{when} {kind}"
        for when in ("before", "after")
        for kind in ("OperationRequested", "OperationDispatched", "OperationEnded")
    ),
    "before OperationDelayed", "before AgentSpoke", "tool asked", "tool carried out",
    "tool answered",
)  # fmt: skip


class Trap:
    """Springs once, when its point is passed; who passes may be held there."""

    def __init__(self, point: str, spring: Callable[[], None], *, holds: bool) -> None:
        self.point = point
        self.spring = spring
        self.sprung = asyncio.Event()
        self.may_go_on = asyncio.Event()
        if not holds:
            self.may_go_on.set()


class Points:
    """All points of one life. At most one trap is laid at a time."""

    def __init__(self) -> None:
        self.trap: Trap | None = None

    async def passed(self, point: str) -> None:
        trap = self.trap
        if trap is None or trap.point != point:
            return
        self.trap = None
        trap.spring()
        trap.sprung.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(HOLD_S_MAX):
                await trap.may_go_on.wait()
        await asyncio.sleep(0)  # Who was cancelled by the trap goes no further.


class MortalJournal:
    """A process's way to the store: it ends with the process, in the middle of a write if need be."""

    def __init__(self, journal: Journal, points: Points) -> None:
        self._journal = journal
        self._points = points
        self.is_dead = False

    def _check(self) -> None:
        if self.is_dead:
            raise StoreError("this process is dead")

    async def append(self, call_sid: str, bodies: Sequence[bytes], **named: Any) -> Written:
        kinds = [type(e.decode(body)).__name__ for body in bodies]
        for kind in kinds:
            await self._points.passed(f"before {kind}")
        self._check()
        written = await self._journal.append(call_sid, bodies, **named)
        for kind in kinds:
            await self._points.passed(f"after {kind}")
        self._check()
        return written

    async def claim(self, call_sid: str, opening: Sequence[bytes], **named: Any) -> Claim | Fenced:
        self._check()
        claim = await self._journal.claim(call_sid, opening, **named)
        self._check()
        return claim

    def __getattr__(self, name: str) -> Any:
        self._check()
        return getattr(self._journal, name)


class Parrot(ScriptedSpeech):
    """Always hears the same words."""

    @override
    async def transcribe(
        self, ulaw: bytes, within_ms: int = 0, *, call: str = "", is_guess: bool = False
    ) -> Transcript:
        del ulaw, within_ms, call, is_guess
        return Transcript("Please go on then.", 900)


@dataclass
class Attempt:
    """One time that a process asked a tool, and what it was told; "" when it was told nothing."""

    process: "Process"
    answer: str = ""


@dataclass
class Truth:
    """What became of one key, which nobody on our side can see."""

    attempts: list[Attempt] = field(default_factory=list)
    executions: int = 0


class Tools(Protocol):
    """What is asked to act, and how often it really did, by key."""

    truth: dict[str, Truth]

    async def ask(
        self, name: str, arguments: dict[str, Any], *, key: str, within_ms: int, call_sid: str
    ) -> Outcome:
        """Make one attempt."""
        ...

    def executions(self, key: str) -> int:
        """Return how often it acted."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...


class DeskTools:
    """The real ticket desk over HTTP: slow, closed for a moment, or never answering, as chance has it."""

    def __init__(self, desk: TicketDesk, toolbox: Toolbox, chance: random.Random) -> None:
        self._toolbox = toolbox
        self._desk = desk
        self._chance = chance
        self.truth: dict[str, Truth] = {}

    async def ask(self, name: str, arguments: dict[str, Any], **named: Any) -> Outcome:
        self._desk.slow_ms = self._chance.choice((0, 20, 60, 600))
        self._desk.failures += self._chance.random() < 0.1
        self._desk.lost_answers += self._chance.random() < 0.1
        return await self._toolbox.call(name, arguments, **named)

    def executions(self, key: str) -> int:
        return self._desk.executions(quote(key, safe=":"))

    async def close(self) -> None:
        """The toolbox is shared; whoever opened it closes it."""


class ToolServer:
    """Carries out whatever it is asked, however often: it knows no keys. It only keeps count.

    What was sent goes on here whatever becomes of who asked, unless chance says that it never came.
    """

    def __init__(self, points: Points, chance: random.Random) -> None:
        self._points = points
        self._chance = chance
        self._work: set[asyncio.Task[Outcome]] = set()
        self.truth: dict[str, Truth] = {}

    def executions(self, key: str) -> int:
        return self.truth[key].executions if key in self.truth else 0

    async def ask(
        self, name: str, arguments: dict[str, Any], *, key: str, within_ms: int, call_sid: str
    ) -> Outcome:
        assert within_ms > -TERMS[name].timeout_ms, (arguments, call_sid)
        way = self._chance.choice(
            ("well",) * 5 + ("no", "busy", "lost", "silent", "unsent", "raise")
        )
        if way == "unsent":
            return Outcome("failed", detail="never sent", may_retry=True)
        work = asyncio.create_task(self._serve(self.truth[key], way))
        self._work.add(work)
        work.add_done_callback(self._end)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if self._chance.random() < 0.5:
                work.cancel()
            raise

    def _end(self, work: asyncio.Task[Outcome]) -> None:
        self._work.discard(work)
        if not work.cancelled():
            work.exception()  # Who asked may be gone; nobody else wants to know.

    async def _serve(self, truth: Truth, way: str) -> Outcome:
        if way in ("no", "busy"):
            return Outcome("failed", detail=way, may_retry=way == "busy")
        await self._pause()
        truth.executions += 1
        await self._points.passed("tool carried out")
        await self._pause()
        if way == "lost":
            return Outcome("unanswered", detail="the connection went", may_retry=True)
        if way == "silent":
            await asyncio.Event().wait()
        if way == "raise":
            raise RuntimeError("the user's code")
        return Outcome("succeeded", '{"done":true}')

    async def _pause(self) -> None:
        long = self._chance.random() < 0.15
        await for_a_moment(self._chance.randrange(600 if long else 60) / 1000)

    async def close(self) -> None:
        for work in tuple(self._work):
            work.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)


class Watched:
    """A process's toolbox, with the points before and after it and a record of who asked."""

    def __init__(self, process: "Process", points: Points, tools: Tools) -> None:
        self._process = process
        self._points = points
        self._tools = tools

    def check(self, name: str, arguments: dict[str, Any]) -> None:
        assert name in TERMS, arguments

    async def call(
        self, name: str, arguments: dict[str, Any], *, key: str, within_ms: int, call_sid: str
    ) -> Outcome:
        await self._points.passed("tool asked")
        attempt = Attempt(self._process)
        self._tools.truth.setdefault(key, Truth()).attempts.append(attempt)
        allowed_ms = min(within_ms, TERMS[name].timeout_ms)
        try:
            async with asyncio.timeout(allowed_ms / 1000):
                outcome = await self._tools.ask(
                    name, arguments, key=key, within_ms=allowed_ms, call_sid=call_sid
                )
        except (TimeoutError, RuntimeError, asyncio.CancelledError):
            attempt.answer = "unanswered"
            raise
        attempt.answer = outcome.status
        await self._points.passed("tool answered")
        return outcome


class Errand:
    """The agent: greets, uses both tools again and again, and tells what became of them."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.turns: list[Turn] = []
        self.has_enough = False

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        self.turns.append(turn)
        chance = random.Random(f"{self._seed}.{turn.number}")
        if turn.reason == "opening":
            yield Say(GREETING)
        for name in turn.operations:
            status = next(one.status for one in call.operations if one.operation == name)
            yield Say(f"{name} has {status}.")
        if chance.random() < 0.3:
            await for_a_moment(chance.randrange(30) / 1000)
        if turn.reason not in ("opening", "operation"):
            yield Say("I see.")
        if self.has_enough or len(call.operations) >= OPERATIONS_MAX:
            return
        wanted = [LOOKUP, NOTE] if turn.reason == "opening" else chance.choices((LOOKUP, NOTE))
        for tool in wanted:
            yield UseTool(tool, {"ticket_id": "TKT-1234", "text": f"{turn.number}"})


class Process:
    """One process of the service as one call sees it; it can die without a word."""

    def __init__(
        self, means: Means, journal: Journal, points: Points, agent: Errand, owner: str
    ) -> None:
        self.journal = MortalJournal(journal, points)
        self.means = replace(
            means,
            journal=self.journal,
            agent=agent,
            speech=Parrot(),
            policy=POLICY,
            tasks=Tasks(),
            owner=owner,
        )
        self.switchboard = Switchboard(self.means)

    def works_with(self, toolbox: Toolbox) -> None:
        self.means = replace(self.means, toolbox=toolbox)
        self.switchboard = Switchboard(self.means)

    @property
    def is_dead(self) -> bool:
        return self.journal.is_dead

    def die(self, *, is_tool_cut: bool) -> None:
        """Nothing is written from now on; a tool at work is cut off, or goes on for nobody."""
        self.journal.is_dead = True
        sessions = tuple(self.switchboard._sessions.values())
        tools = {task for one in sessions for task in one._working._running.values()}
        for task in tuple(self.means.tasks._running):
            if is_tool_cut or task not in tools:
                task.cancel()
        for session in sessions:
            session.finish()

    async def buried(self) -> None:
        """Let go of everything, dead or not."""
        if not self.is_dead:
            self.die(is_tool_cut=True)
        await asyncio.gather(*self.switchboard._tasks.values(), return_exceptions=True)
        for task in tuple(self.means.tasks._running):
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self.means.tasks.close()
