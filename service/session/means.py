"""What a session works with: everything that is shared by all calls of this process."""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from service.agent.agent import Agent
from service.agent.duplex import SpeechAgent
from service.call.policy import Policy
from service.carrier import Outward
from service.clock import Clock
from service.documents import Documents
from service.journal.journal import Journal
from service.meter import Meter
from service.session.kept.ring_backs import RingBacks
from service.session.pacer import Pacer
from service.session.sound.forks import Forks
from service.session.tasks import Tasks
from service.sight.noticing import Sight
from service.speech.ear.endpoint import Endpointer
from service.speech.transcript import Transcript
from service.tools.terms import Outcome


class Speech(Protocol):
    """Speech in and out, as a session uses it. Fair across calls, off the loop."""

    async def render(self, text: str, *, call: str) -> bytes:
        """Return mu-law of `text`. Raises SpeechError."""
        ...

    async def transcribe(self, ulaw: bytes, *, call: str, is_guess: bool = False) -> Transcript:
        """Return what was said; `is_guess` when nobody waits for it. Raises SpeechError."""
        ...


class Toolbox(Protocol):
    """The tools, as a session uses them. See service/tools."""

    def check(self, name: str, arguments: dict[str, Any]) -> None:
        """Raise KeyError for an unknown tool, ValueError for arguments that don't fit it."""
        ...

    async def call(
        self, name: str, arguments: dict[str, Any], *, key: str, within_ms: int, call_sid: str
    ) -> Outcome:
        """Have a tool work, once. Never raises for what the tool does."""
        ...


class Sink(Protocol):
    """Where numbers go that are collected under seal. See service/sink.py."""

    async def take(
        self, number: str, *, field: str, call_sid: str, key: str
    ) -> tuple[Literal["taken", "refused", "failed"], str]:
        """Take a number and return its reference. Never raises."""
        ...


class Socket(Protocol):
    """The media socket, as a session uses it."""

    def say(self, *texts: str) -> bool:
        """Send text messages at once, behind all that was sent. False when none could be: then `send` can."""
        ...

    async def send(self, text: str) -> None:
        """Send one text message. Raises ConnectionError when the peer is gone."""
        ...

    async def close(self, code: int, reason: str, *, grace_ms: int = 0) -> None:
        """Close, unless the peer does so itself within `grace_ms`. Never raises, never hangs."""
        ...


@dataclass(frozen=True, kw_only=True)
class Means:
    """The journal, the carrier, the brain, the voice: one of each per process."""

    journal: Journal
    carrier: Outward
    agent: Agent | SpeechAgent
    speech: Speech
    endpointer: Callable[[], Endpointer]
    documents: Documents
    clock: Clock
    pacer: Pacer
    meter: Meter
    sight: Sight
    policy: Policy
    toolbox: Toolbox
    owner: str
    tasks: Tasks
    is_final: Callable[[str, int], bool | None] = lambda _call_sid, _epoch: (
        True
    )  # see Bridge.is_final
    holds: Iterator[int] = field(
        default_factory=itertools.count
    )  # numbers that no two sessions share
    chance: random.Random = field(default_factory=random.SystemRandom)
    ring_backs: RingBacks | None = None  # None: nobody who rings back goes on
    forks: Forks
    sink: Sink | None = None
