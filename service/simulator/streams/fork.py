"""The streams that only listen: `<Start>` begins one, `<Stop>` ends it, and the call's course leaves it alone.

It hears the caller whatever the call does: while a `<Connect>` ends and the next one begins, while digits
are played, while something is said. It gets no marks and no keys, and nothing may be sent on it: that
is warned of (31951) and ends it (31924). No stream comes in the place of one that is gone.
"""

import asyncio

from typing_extensions import override

from service.clock import Clock
from service.simulator.account import new_sid
from service.simulator.caller import Ear, Mouth
from service.simulator.card import Card, Spawn, Tell
from service.simulator.streams import faults, handshake
from service.simulator.streams.carrier import NON_COMPLIANT, Leg
from service.simulator.streams.line import Line
from service.simulator.timeline import Event, Kind, Timeline
from service.simulator.twiml.verbs import Start, Stop, Stream

TRACKS_MAX = 4  # of one call, as Twilio documents; each of these streams has one
UNREADABLE = 1002  # the close code of a protocol error


class Listening(Leg):
    """The wire of a stream that only listens."""

    @override
    def receive(self, text: str | bytes, now_ms: int) -> None:
        self._warn(NON_COMPLIANT, "a message on a stream that only listens")


class Forks:
    """The listening streams of one call, by name."""

    def __init__(
        self,
        card: Card,
        *,
        mouth: Mouth,
        timeline: Timeline,
        clock: Clock,
        tell: Tell,
        spawn: Spawn,
    ) -> None:
        self.lines: list[Line] = []
        self._card = card
        self._mouth = mouth
        self._timeline = timeline
        self._clock = clock
        self._tell = tell
        self._spawn = spawn
        self._running: dict[str, Line | None] = {}

    @property
    def live(self) -> list[Line]:
        """Return those that listen now, oldest first."""
        return [line for line in self._running.values() if line is not None and line.is_live]

    def perform(self, verb: Start | Stop, against: str) -> None:
        """Do as the document says; it goes on at once."""
        if isinstance(verb, Start):
            self.start(verb.stream, against)
        else:
            self.stop(verb.name)

    def start(self, stream: Stream, against: str) -> None:
        """Begin one, beside the call; the document goes on at once.

        A name that is taken, and one stream too many, are noted and begin nothing: Twilio's own answer
        to the first is not published.
        """
        stream_sid = new_sid("MZ")
        name = stream.name or stream_sid
        if name in self._running:
            self._note(Kind.NOTE, f"a listening stream {name} is there already")
        elif len(self._running) >= TRACKS_MAX:
            self._note(Kind.NOTE, f"no listening stream {name}: the call has {TRACKS_MAX} tracks")
        else:
            self._running[name] = None
            self._spawn(self._run(stream, name, stream_sid, against))

    def stop(self, name: str) -> None:
        """End the one of this name, if there is one."""
        if name not in self._running:
            self._note(Kind.NOTE, f"no listening stream {name} to stop")
        elif line := self._running[name]:
            self._spawn(line.stop())
        else:
            del self._running[name]  # It is being opened, and will find that nobody wants it.

    async def harm(self, fault: faults.Fault) -> bool:
        """Do `fault` to the newest of them and to nothing else; returns False when none listens."""
        if not self.live:
            return False
        self._note(Kind.NOTE, f"fault on the listening stream: {faults.name(fault)}")
        await faults.harm(self.live[-1], fault)
        return True

    async def release(self) -> None:
        """End them all, at the end of the call."""
        for line in self.live:
            await line.stop()
        for line in self.lines:
            await line.dispose()

    async def _run(self, stream: Stream, name: str, stream_sid: str, against: str) -> None:
        try:
            await self._carry(stream, name, stream_sid, against)
        finally:
            self._running.pop(name, None)

    async def _carry(self, stream: Stream, name: str, stream_sid: str, against: str) -> None:
        connection = await handshake.opened(self._card, stream.url, against)
        if isinstance(connection, int):
            self._note(Kind.FORK_FAILED, name, connection)
            self._tell(stream, stream_sid, "stream-error", connection)
            return
        leg = Listening(
            stream_sid,
            self._card.call_sid,
            self._card.account.account_sid,
            dict(stream.parameters),
        )
        line = Line(
            leg,
            connection,
            mouth=self._mouth,
            ear=Ear(),
            timeline=self._own_timeline(),
            clock=self._clock,
            number=len(self.lines) + 1,
        )
        self.lines.append(line)
        await line.open()
        if name not in self._running:
            await line.stop()
        else:
            self._running[name] = line
        self._note(Kind.FORK_OPENED, name)
        self._tell(stream, stream_sid, "stream-started", 0)
        ending = await line.run()
        self._note(Kind.FORK_ENDED, name, ending.error)
        event = "stream-error" if ending.error else "stream-stopped"
        self._tell(stream, stream_sid, event, ending.error)
        await asyncio.sleep(self._card.terms.pace.hold_ms / 1_000)
        await line.dispose()

    def _own_timeline(self) -> Timeline:
        """Keep what happens on a listening stream out of the call's story, but for a broken rule."""
        own = Timeline()
        own.listen(self._overheard)
        return own

    def _overheard(self, event: Event) -> None:
        if event.kind is not Kind.WARNING:
            return
        self._note(Kind.WARNING, event.text, event.value)
        for line in self.live:
            if line.leg.warnings:
                self._spawn(line.close(UNREADABLE))

    def _note(self, kind: Kind, text: str, value: int = 0) -> None:
        self._timeline.note(self._clock.now_ms(), kind, text, value=value)
