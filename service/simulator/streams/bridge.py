"""The streams of one call: `<Connect>` opens one, it ends, and what a fault leaves behind is dealt with.

One stream is the live one. Others may linger: a half-open socket that goes away later, an old stream whose
`stop` comes after the next one's `start`, the first of two that a double webhook gave. All of them are
let go when the call ends.
"""

import asyncio
from collections.abc import Mapping

import msgspec

from service.clock import Clock
from service.simulator.account import new_sid
from service.simulator.caller import Ear, Mouth
from service.simulator.card import Card, Spawn, Tell
from service.simulator.streams import faults, handshake
from service.simulator.streams.carrier import Leg
from service.simulator.streams.fork import Forks
from service.simulator.streams.line import Cause, Line
from service.simulator.timeline import Kind, Timeline
from service.simulator.twiml.verbs import Stream

REDIALS_MAX = 5  # 1, 2, 4, 8, 16 s: the budget of carrier-side bridges is about 30 s
STREAMS_MAX = 1_000  # a call that opens more is looping


class Ended(msgspec.Struct, frozen=True):
    """How one `<Connect>` ended: Twilio's error code (0: well) and the fault that was played, if any."""

    error: int = 0
    fault: faults.Fault | None = None
    was_open: bool = True


class Bridge:
    """The streams of one call."""

    def __init__(
        self,
        card: Card,
        *,
        mouth: Mouth,
        ear: Ear,
        timeline: Timeline,
        clock: Clock,
        tell: Tell,
        spawn: Spawn,
    ) -> None:
        self.lines: list[Line] = []
        self._card = card
        self._mouth = mouth
        self._ear = ear
        self._timeline = timeline
        self._clock = clock
        self._tell = tell
        self._spawn = spawn
        self.forks = Forks(
            card, mouth=mouth, timeline=timeline, clock=clock, tell=tell, spawn=spawn
        )
        self._fault: faults.Fault | None = None
        self._late: list[Line] = []

    @property
    def live(self) -> Line | None:
        """Return the line that carries the call now."""
        return self.lines[-1] if self.lines and self.lines[-1].is_live else None

    async def connect(self, stream: Stream, against: str) -> Ended:
        """Perform one `<Connect>`, redials included; returns when its stream has ended."""
        stream_sid = new_sid("MZ")
        ended = await self._attempt(stream, against, stream_sid)
        fault = ended.fault
        redials = 0
        while isinstance(fault, faults.Redial) and redials < REDIALS_MAX:
            first_ms = fault.after_ms or self._card.terms.pace.redial_ms
            await asyncio.sleep((first_ms << redials) / 1_000)
            redials += 1
            ended = await self._attempt(stream, against, stream_sid)
            if ended.was_open:
                fault, redials = ended.fault, 0
        return ended

    async def add(self, stream: Stream, against: str) -> None:
        """Open a stream beside the call's own, which the next one replaces: what a double webhook gives."""
        opened = await self._open(stream, against, new_sid("MZ"))
        if isinstance(opened, Line):
            self._late.append(opened)
            self._spawn(self._beside(opened))

    async def harm(self, fault: faults.Fault) -> bool:
        """Do `fault` to the live line; returns False when there is none."""
        line = self.live
        if line is None:
            return False
        if faults.is_drop(fault):
            self._fault = fault
        text = faults.name(fault)
        self._timeline.note(self._clock.now_ms(), Kind.FAULT, text, stream=line.number)
        await faults.harm(line, fault)
        return True

    async def cut(self) -> bool:
        """Stop the live stream, if any, as Twilio does when the call goes elsewhere."""
        line = self.live
        if line is not None:
            await line.stop()
        return line is not None

    async def release(self) -> None:
        """Let every socket go, at the end of the call."""
        await self.forks.release()
        for line in self.lines:
            await line.dispose()

    async def _attempt(self, stream: Stream, against: str, stream_sid: str) -> Ended:
        opened = await self._open(stream, against, stream_sid)
        if isinstance(opened, Line):
            return await self._carry(opened, stream)
        self._timeline.note(self._clock.now_ms(), Kind.STREAM_FAILED, stream.url, value=opened)
        self._tell(stream, stream_sid, "stream-error", opened)
        return Ended(opened, was_open=False)

    async def _open(self, stream: Stream, against: str, stream_sid: str) -> Line | int:
        assert len(self.lines) < STREAMS_MAX, "the call opens streams without end"
        connection = await handshake.opened(self._card, stream.url, against)
        if isinstance(connection, int):
            return connection
        parameters: Mapping[str, str] = dict(stream.parameters) | dict(self._card.terms.parameters)
        leg = Leg(
            stream_sid,
            self._card.call_sid,
            self._card.account.account_sid,
            parameters,
            clear_echoes=self._card.terms.clear_echoes,
            echoes=self._card.terms.echoes,
        )
        line = Line(
            leg,
            connection,
            mouth=self._mouth,
            ear=self._ear,
            timeline=self._timeline,
            clock=self._clock,
            number=len(self.lines) + 1,
        )
        before_ms = self.lines[-1].ended_ms if self.lines else 0
        self.lines.append(line)
        await line.open(before_ms)
        self._tell(stream, stream_sid, "stream-started", 0)
        return line

    async def _carry(self, line: Line, stream: Stream) -> Ended:
        self._fault = None
        for old in self._late:
            old.replaced_ms = self._clock.now_ms()
            self._spawn(self._stop_late(old))
        self._late.clear()
        ending = await line.run()
        # The fault counts only when it was the fault that ended the line.
        fault = self._fault if ending.cause is Cause.FAULT else None
        self._fault = fault
        self._timeline.note(
            self._clock.now_ms(),
            Kind.STREAM_ENDED,
            f"{ending.cause.value} ({ending.code})",
            stream=line.number,
            value=ending.error,
        )
        event = "stream-error" if ending.error else "stream-stopped"
        self._tell(stream, line.leg.stream_sid, event, ending.error)
        match fault:
            case faults.HalfOpen():
                hold_ms = fault.hold_ms or self._card.terms.pace.hold_ms
                self._spawn(self._drop_later(line, hold_ms))
                await asyncio.sleep(self._card.terms.pace.notice_ms / 1_000)
            case faults.LateStop():
                self._late.append(line)
            case _:
                await line.dispose()
        return Ended(ending.error, fault)

    async def _beside(self, line: Line) -> None:
        await line.run()

    async def _stop_late(self, line: Line) -> None:
        await asyncio.sleep(self._card.terms.pace.late_ms / 1_000)
        await line.dispose(with_stop=True)

    async def _drop_later(self, line: Line, hold_ms: int) -> None:
        await asyncio.sleep(hold_ms / 1_000)
        await line.dispose()
