"""What is known of a run for certain: what callers heard, what was acknowledged, what tools did, and when.

Nothing here is read off a server's own counters. `broke` ends the run at the first broken rule.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence

import msgspec

from service.call import events as e
from service.clock import Clock
from service.journal.values import Appended, Durability, Record
from service.simulator.streams.line import Line
from service.simulator.timeline import Event, Kind

EVENTS_SHOWN = 30
UNTOLD = frozenset({Kind.MARK, Kind.AGENT_BEGAN, Kind.AGENT_STOPPED})  # there are too many


class Broken(Exception):
    """A rule was broken: its number, and what happened."""

    def __init__(self, rule: int, why: str) -> None:
        super().__init__(f"rule {rule}: {why}")
        self.rule = rule
        self.why = why


class Note(msgspec.Struct, frozen=True):
    """One event of the run."""

    at_ms: int
    kind: str
    who: str
    text: str

    def line(self) -> str:
        return f"{self.at_ms:>8} {self.kind:<10} {self.who:<8} {self.text}"


class Ack(msgspec.Struct, frozen=True):
    """A write that was acknowledged to whoever wrote it."""

    at_ms: int
    server: str
    call_sid: str
    key: str
    epoch: int
    bodies: tuple[bytes, ...]
    durability: Durability


class Told(msgspec.Struct, frozen=True):
    """A fact as the store took it, by our own time."""

    at_ms: int
    record: Record
    fact: e.AnyFact


def is_taken(told: Sequence[Told]) -> bool:
    """Whether a person has the agent's place. Nobody, whose request the store lost: they were promised nothing."""
    seats = (one.fact for one in reversed(told) if isinstance(one.fact, e.TakenOver | e.HandedBack))
    newest = next(seats, None)
    asked = {one.fact.seat for one in told if isinstance(one.fact, e.TakeoverRequested)}
    return isinstance(newest, e.TakenOver) and newest.seat in asked


class Witness:
    """The notes of one run."""

    def __init__(self, clock: Clock) -> None:
        self.notes: list[Note] = []
        self.acks: list[Ack] = []
        self.told: dict[str, list[Told]] = {}
        self.broken: Broken | None = None
        self.has_broken = asyncio.Event()
        self.on_frame: Callable[[Line, str, int], None] = _nothing
        self.steps = 0
        self.secrets: tuple[str, ...] = ()
        self._clock = clock
        self._origin_ms = clock.now_ms()
        self._sum = hashlib.sha256()

    def now_ms(self) -> int:
        """Return the virtual time since the run's begin."""
        return self._clock.now_ms() - self._origin_ms

    @property
    def sum(self) -> str:
        """The hash of everything that happened, in its order."""
        return self._sum.hexdigest()[:16]

    def note(self, kind: str, who: str, text: str = "") -> None:
        """Note an event."""
        note = Note(self.now_ms(), kind, who[-8:], text)
        self.notes.append(note)
        self._sum.update(note.line().encode())

    def broke(self, rule: int, why: str) -> None:
        """Note that a rule is broken; the first one counts."""
        if self.broken is None:
            self.broken = Broken(rule, why)
            self.note("BROKEN", f"rule {rule}", why)
            self.has_broken.set()

    def check(self, rule: int, holds: object, why: str) -> None:
        """Note that a rule is broken unless it holds."""
        self.steps += 1
        if not holds:
            self.broke(rule, why)

    def last(self) -> str:
        """Return the latest events, one a line."""
        return "\n".join(note.line() for note in self.notes[-EVENTS_SHOWN:])

    # What is seen.

    def saw(self, call_sid: str, event: Event) -> None:
        """Something happened to a phone."""
        if event.kind not in UNTOLD:
            self.note(event.kind, call_sid, f"{event.text} {event.stream} {event.value}")

    def answered(self, url: str, status: int, server: str) -> None:
        """A webhook was answered."""
        self.note("answered", server, f"{url.partition('example.com')[2]} {status}")
        is_clear = status < 500 or (status == 503 and "/callbacks/" in url)
        self.check(10, is_clear, f"{url} was answered with {status}")

    def frame(self, line: Line, text: str | bytes, now_ms: int) -> None:
        """The service sent a message on a stream."""
        assert isinstance(text, str)
        self._sum.update(text.encode())
        self.on_frame(line, text, now_ms)

    def acked(
        self,
        server: str,
        call_sid: str,
        key: str,
        epoch: int,
        bodies: Sequence[bytes],
        outcome: Appended,
    ) -> None:
        """A writer was told that its facts are kept, or that this was written before under its key."""
        told = () if outcome.repeated else tuple(bodies)
        self.acks.append(Ack(self.now_ms(), server, call_sid, key, epoch, told, outcome.durability))


def _nothing(_line: Line, _text: str, _now_ms: int) -> None:
    return
