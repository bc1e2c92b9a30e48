"""One call among three processes, from its first ring until somebody has returned and all is told.

What must hold is checked at each return and at the end: against the journal, and against what the tools
really did, which none of the processes can see.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from typing_extensions import override

from service.call import events as e
from service.call.folds.fold import fold
from service.call.place import Place
from service.call.state import Call, Operation
from service.journal.journal import Journal
from service.journal.values import Missing, Record
from service.session.kept.records import rebuilt
from tests.conftest import for_a_moment, wait_until
from tests.session.chaos import (
    GREETING,
    POINTS,
    DeskTools,
    Errand,
    Points,
    Process,
    Tools,
    ToolServer,
    Trap,
    Truth,
    Watched,
)
from tests.session.house import Caller, House
from tests.session.parts import MemorySocket

DROPS = 5
DOORS_MAX = 20
LATE_MS_MAX = 1_000  # after the deadline, or after somebody holds the call again
ORPHANED = "the server that asked is gone"  # an attempt that was nobody's failure
WAYS = (
    "closed",
    "closed",
    "half_open",
    "killed",
    "orphaned",
    "doubled",
    "late_stop",
    "at_the_door",
)


@dataclass
class Figures:
    """What all lives together came to."""

    drops: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    executions: int = 0
    repeated: int = 0
    told_again: int = 0
    late_ms: list[int] = field(default_factory=list)

    @override
    def __str__(self) -> str:
        late = sorted(self.late_ms)
        return (
            f"{self.drops.total()} drops {dict(self.drops)}, {dict(self.points)}\n"
            f"{len(late)} operations {dict(self.statuses)}, {self.executions} executions, "
            f"{self.repeated} repeated, {self.told_again} told again; "
            f"late by {late[len(late) // 2]} ms p50, {late[len(late) * 99 // 100]} ms p99, "
            f"{late[-1]} ms at most"
        )


class Life:
    """One call from its first ring to the moment when somebody has returned and all is told."""

    caller: Caller

    def __init__(
        self,
        seed: int,
        house: House,
        journals: list[Journal],
        figures: Figures,
        desk: DeskTools | None = None,
    ) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.call_sid = f"CA{seed:032d}"
        self.agent = Errand(seed)
        self.points = Points()
        self.tools: Tools = desk or ToolServer(self.points, self.chance)
        self.house = house
        self.journals = journals
        self.figures = figures
        self.born = 0
        self.graves: list[Process] = []
        self.owners: list[Process] = []
        self.places = [self._born(journal) for journal in journals]
        self.here = self.places[0]
        self.streams = 0
        self.killed_ms = 0
        self.unheld: list[tuple[int, int]] = []

    def _born(self, journal: Journal) -> Process:
        self.born += 1
        means = self.house.means
        process = Process(means, journal, self.points, self.agent, f"p{self.born}")
        process.works_with(Watched(process, self.points, self.tools))
        self.graves.append(process)
        return process

    async def run(self) -> None:
        try:
            await self._until_there()
            for _ in range(DROPS):
                await self._drop()
            await self._all_is_told()
            await self._check()
        finally:
            self.points.trap = None
            for process in self.graves:
                await process.buried()
            await self.tools.close()

    # Streams come and go.

    async def _until_there(self, process: Process | None = None) -> None:
        """Put a stream through somewhere; a process that dies at the door is followed by another."""
        for _ in range(DOORS_MAX):
            if await self._attach(process or self.chance.choice(self.places)):
                return
            process = None
        raise AssertionError("no process takes the call")

    async def _attach(self, process: Process) -> bool:
        self.streams += 1
        number = self.streams
        socket = MemorySocket()
        socket.is_listening = self.chance.random() < 0.7
        opened = e.CallOpened(call_sid=self.call_sid)
        arrival = self.house.arrival(
            socket,
            stream_sid=f"MZ{number}",
            door="voice" if number == 1 else self.chance.choice(("resume", "redial")),
            opening=(e.encode(opened),),
            parameters={},
            is_known=bool(self.owners),
        )
        async with asyncio.timeout(20):
            taken = await process.switchboard.attach(self.call_sid, arrival)
        if taken is None:
            return False
        caller = Caller(socket, *taken)
        if not self.owners or taken[1] >= self.caller.epoch:
            self.caller, self.here = caller, process
        self.owners.append(process)
        if self.killed_ms:
            self.unheld.append((self.killed_ms, self.house.clock.now_ms()))
            self.killed_ms = 0
        await self._is_folded(taken[0].call)
        return True

    async def _is_folded(self, call: Call) -> None:
        """The state that a session works with is what the journal says, record by record."""
        records = [one for one in await self._records() if one.position <= call.position]
        assert rebuilt(None, records) == call

    async def _records(self) -> tuple[Record, ...]:
        reading = await self.journals[0].read(self.call_sid)
        assert not isinstance(reading, Missing)
        return reading.records

    async def _drop(self) -> None:
        """Let the stream be lost at some point in some way, and come back somewhere."""
        way = self.chance.choice(WAYS)
        if self.chance.random() < 0.6:
            self.caller.says()
        there = self.chance.choice(self.places)
        is_elsewhere = there is not self.here
        old = self.caller
        trap = Trap(
            self.chance.choice(POINTS),
            lambda: self._lose(way),
            holds=is_elsewhere and way in ("half_open", "doubled", "late_stop"),
        )
        await self._spring(trap)
        self.figures.drops[way] += 1
        if self.chance.random() < 0.5:
            await for_a_moment(self.chance.choice((10, 60, 300, 900)) / 1000)
        if way == "at_the_door":
            self._lay_at_the_door(there)
        if there.is_dead:
            there = next(one for one in self.places if not one.is_dead)
        if way == "doubled":
            both = (there, self.chance.choice(self.places))
            await asyncio.gather(*map(self._attach, both))
        await self._until_there(there)
        trap.may_go_on.set()
        if way == "late_stop":
            old.session.lost(old.epoch, "stop")

    async def _spring(self, trap: Trap) -> None:
        """Wait for the point to be passed; one that isn't is any other moment."""
        self.points.trap = trap
        try:
            async with asyncio.timeout(self.chance.randrange(1, 300) / 1000):
                await trap.sprung.wait()
            self.figures.points[trap.point] += 1
        except TimeoutError:
            self.points.trap = None
            if not trap.sprung.is_set():
                trap.spring()
            self.figures.points["any"] += 1

    def _lose(self, way: str) -> None:
        match way:
            case "closed" | "at_the_door":
                self.caller.drops()
            case "killed" | "orphaned":
                self._kill(self.here, is_tool_cut=way == "killed")
            case _:
                self.caller.socket.is_dead = True

    def _kill(self, process: Process, *, is_tool_cut: bool) -> None:
        if process is self.here:
            self.killed_ms = self.house.clock.now_ms()
            self.caller.socket.is_dead = True
        process.die(is_tool_cut=is_tool_cut)
        place = self.places.index(process)
        self.places[place] = self._born(self.journals[place])

    def _lay_at_the_door(self, process: Process) -> None:
        point = self.chance.choice(("before StreamAttached", "after StreamAttached"))
        self.points.trap = Trap(point, lambda: self._kill(process, is_tool_cut=True), holds=False)

    # Somebody has returned.

    async def _all_is_told(self) -> None:
        """Listen until nothing is at work; then say a word, so that what was cut unheard is told."""
        self.points.trap = None
        self.agent.has_enough = True
        for _ in range(2):
            if self.here.is_dead:
                await self._until_there()
            self.caller.socket.is_listening = True
            self.caller.socket.listen()
            await wait_until(self._is_settled, description=f"all is told: {self.caller.call}")
            turns = self.caller.call.turns
            self.caller.says()
            is_heard = partial(self._has_more_turns, turns)
            await wait_until(is_heard, description="a word is heard")
        await wait_until(self._is_settled, description="the last word is said")

    def _has_more_turns(self, turns: int) -> bool:
        return self.caller.call.turns > turns

    def _is_settled(self) -> bool:
        call = self.caller.call
        is_working = any(one.status == "pending" for one in call.operations)
        return not is_working and call.turn is None and not call.prompts

    async def _check(self) -> None:
        call, records = self.caller.call, await self._records()
        await self._is_folded(call)
        facts = [e.decode(record.body) for record in records]
        assert sum(isinstance(fact, e.Greeted) for fact in facts) == 1
        said = [" ".join(fact.clauses) for fact in facts if isinstance(fact, e.AgentSpoke)]
        assert said.count(GREETING) == 1
        answered = {fact.turn for fact in facts if isinstance(fact, e.TurnAnswered)}
        told = self._told(records)
        for one in call.operations:
            truth = self.tools.truth.get(f"{self.call_sid}:{one.operation}", Truth())
            assert one.turn in answered, f"a turn that is no more has acted: {one}"
            self._check_attempts(one, truth, records)
            assert one.operation in told, f"never told: {one}"
            self._check_truth(one, truth, self.tools.executions(f"{self.call_sid}:{one.operation}"))
            self._check_end(one, records)
        named = {f"{self.call_sid}:{one.operation}" for one in call.operations}
        assert set(self.tools.truth) <= named

    def _check_attempts(self, one: Operation, truth: Truth, records: tuple[Record, ...]) -> None:
        """Called as often as is written, and again only after it failed or its server was gone."""
        dispatched = gone = asking = epoch = 0
        server = ""
        for record in records:
            fact = e.decode(record.body)
            if isinstance(fact, e.StreamAttached):
                is_moved = fact.server != server or record.epoch != epoch + 1
                asking = 0 if is_moved else asking
                server, epoch = fact.server, record.epoch
            elif getattr(fact, "operation", "") != one.operation:
                continue
            elif isinstance(fact, e.OperationDispatched):
                dispatched += 1
                asking = fact.attempt
            elif isinstance(fact, e.OperationDelayed) and fact.detail == ORPHANED:
                gone += 1
                assert not asking, f"{server} is still there: {one}"
        failed = [one for one in truth.attempts if one.answer in ("failed", "unanswered")]
        assert len(truth.attempts) <= dispatched <= one.attempts_max + gone, one
        assert dispatched <= 1 + len(failed) + gone, one

    def _told(self, records: tuple[Record, ...]) -> dict[str, int]:
        """In which turn the end of each operation was told: once, unless nobody heard a word of it."""
        told: dict[str, int] = {}
        heard: set[int] = set()
        call = Call()
        for record in records:
            fact = e.decode(record.body)
            turns = {one.prompt: one.turn for one in call.prompts}
            match fact:
                case e.Played() if fact.heard_samples:
                    heard.add(turns.get(fact.prompt, 0))
                case e.SpeechCut() if turns.get(fact.prompt, 0) not in heard:
                    unheard = [
                        name for name, turn in told.items() if turn == turns.get(fact.prompt)
                    ]
                    self.figures.told_again += len(unheard)
                    for name in unheard:
                        del told[name]
                case e.TurnAnswered() if call.turn and call.turn.number == fact.turn:
                    again = told.keys() & set(call.turn.operations)
                    assert not again, f"told twice: {again}"
                    told.update(dict.fromkeys(call.turn.operations, fact.turn))
            call = fold(call, fact, Place(record.position, record.epoch, record.at_ms))
        return told

    async def story(self) -> str:
        """What the journal tells of streams, turns and tools."""
        shown = (e.StreamAttached, e.StreamDetached, e.TurnAnswered, e.SpeechCut, e.AgentSpoke)
        records = await self._records()
        facts = [(one, e.decode(one.body)) for one in records]
        lines = [
            f"{one.position} {one.at_ms % 1_000_000} epoch {one.epoch} {fact}"
            for one, fact in facts
            if isinstance(fact, shown) or hasattr(fact, "operation")
        ]
        return "\n".join(lines)

    def _check_truth(self, one: Operation, truth: Truth, executions: int) -> None:
        """What we claim is so, and what may act only once has."""
        answers = [attempt.answer for attempt in truth.attempts]
        if one.status == "succeeded":
            assert executions, one
            assert "succeeded" in answers, (one, answers)
        if not one.is_idempotent:
            assert executions <= 1, f"acted {executions} times: {one}"
            assert len(truth.attempts) <= 1, one
            if one.status in ("failed", "timed_out"):
                assert not executions, f"it acted: {one}"
            if not answers or answers[0] in ("", "unanswered"):
                assert one.status in (("unknown",) if one.attempts else ("timed_out",)), one
        self.figures.statuses[f"{one.tool} {one.status}"] += 1
        self.figures.executions += executions
        self.figures.repeated += max(0, executions - 1)

    def _check_end(self, one: Operation, records: tuple[Record, ...]) -> None:
        """Final within a second of its deadline, or of somebody's holding the call again."""
        due_ms = one.deadline_ms
        for from_ms, until_ms in self.unheld:
            if from_ms <= due_ms + LATE_MS_MAX:
                due_ms = max(due_ms, until_ms)
        late_ms = records[one.ended_position - 1].at_ms - due_ms
        assert late_ms <= LATE_MS_MAX, f"{late_ms} ms late: {one}, {self.unheld}"
        self.figures.late_ms.append(max(0, late_ms))
