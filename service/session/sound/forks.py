"""The streams of this process that only listen, and the calls that they listen to.

    a fork's socket ──> Fork.hear ──> the seam of the call's session, once there is one here
                                └──> nobody: after ALONE_MS it is closed

A fork comes by a token of its own door. It claims nothing and writes nothing; its end means nothing.
Each document of the call begins the next one. The one before is closed here as soon as the next is heard:
to begin one takes a handshake, and until it is done only the one before hears the caller.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from service.audio import SAMPLES_PER_MS, samples, silence
from service.session.sound.seam import Listener, Seam
from service.session.sound.source import KEPT, Source
from service.session.tasks import Tasks

FORKS_OF_A_CALL_MAX = 3  # one, the next one before that is stopped, and one whose end nobody saw
FORKS_MAX = 10_000  # two for each call that a switchboard holds
OVERLAP = samples(500)  # both are heard for so long: more than a change from one to the other takes
ALONE_MS = 15_000  # a call that has not come back here by then is held elsewhere
DISMISSED = "not needed any more"
CLOSE_OVER = 1000


class Closing(Protocol):
    """A socket, as far as it can be closed. See Socket."""

    async def close(self, code: int, reason: str, *, grace_ms: int = 0) -> None:
        """Close it. Never raises, never hangs."""
        ...


@dataclass
class _Ears:
    """What this process has of one call: its seam, if it holds the call, and its forks."""

    seam: Seam | None = None
    forks: list["Fork"] = field(default_factory=list)
    alone_ms: int = 0


class Fork:
    """One stream that only listens."""

    def __init__(self, call_sid: str, forks: "Forks", socket: Closing) -> None:
        self.call_sid = call_sid
        self.socket = socket
        self.source = Source()
        self.closing: asyncio.Task[None] | None = None
        self._forks = forks

    def hear(self, ulaw: bytes, lost_ms: int, now_ms: int) -> None:
        """Take its next audio, before which `lost_ms` are missing."""
        lost = silence(min(samples(lost_ms), KEPT))
        self.source.add(lost + ulaw, now_ms * SAMPLES_PER_MS)
        self._forks.brought(self, now_ms)

    def part(self, now_ms: int) -> None:
        """Its socket is gone."""
        self._forks.part(self, now_ms)


class Forks:
    """The forks of one process, by call."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._calls: dict[str, _Ears] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def join(self, call_sid: str, socket: Closing, now_ms: int) -> Fork | None:
        """Take a fork in, None when there are too many. One too many of a call closes its oldest."""
        if self._count >= FORKS_MAX:
            return None
        fork = Fork(call_sid, self, socket)
        ears = self._calls.setdefault(call_sid, _Ears(alone_ms=now_ms))
        ears.forks.append(fork)
        self._count += 1
        if ears.seam is not None:
            ears.seam.join(fork.source)
        for old in ears.forks[:-FORKS_OF_A_CALL_MAX]:
            self._close(old)
        return fork

    def brought(self, fork: Fork, now_ms: int) -> None:
        """A fork has brought audio."""
        ears = self._calls[fork.call_sid]
        if fork is ears.forks[-1] and fork.source.end >= OVERLAP:
            for old in ears.forks[:-1]:
                self._close(old)
        if ears.seam is not None:
            ears.seam.overhear(fork.source, now_ms)
        elif now_ms - ears.alone_ms >= ALONE_MS:
            self._close(fork)

    def part(self, fork: Fork, now_ms: int) -> None:
        """A fork is gone."""
        ears = self._calls[fork.call_sid]
        ears.forks.remove(fork)
        self._count -= 1
        if ears.seam is not None:
            ears.seam.part(fork.source, now_ms)
        self._tidy(fork.call_sid, ears)

    def attend(self, call_sid: str, listener: Listener) -> Seam:
        """A session holds the call here: what it hears goes by this seam from now on."""
        ears = self._calls.setdefault(call_sid, _Ears())
        ears.seam = seam = Seam(listener)
        for fork in ears.forks:
            seam.join(fork.source)
        return seam

    def leave(self, call_sid: str, seam: Seam, now_ms: int) -> None:
        """The session has let go of the call."""
        ears = self._calls.get(call_sid)
        if ears is not None and ears.seam is seam:
            ears.seam, ears.alone_ms = None, now_ms
            self._tidy(call_sid, ears)

    def dismiss(self, call_sid: str) -> None:
        """The call is over, or given to somebody else: nobody may listen any more."""
        for fork in self._calls.get(call_sid, _Ears()).forks:
            self._close(fork)

    def _close(self, fork: Fork) -> None:
        if fork.closing is None:
            fork.closing = self._tasks.start(fork.socket.close(CLOSE_OVER, DISMISSED))

    def _tidy(self, call_sid: str, ears: _Ears) -> None:
        if ears.seam is None and not ears.forks:
            del self._calls[call_sid]
