"""One process of the service without its doors, and the callers that a test puts through to it."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

from service.audio import SILENCE, samples
from service.call import events as e
from service.call.inputs import Door
from service.call.policy import Policy, ToolTerms
from service.call.state import Call
from service.clock import Clock
from service.documents import Documents
from service.journal.journal import Journal
from service.journal.values import Missing
from service.meter import Meter
from service.session.arrival import Arrival
from service.session.kept.records import rebuilt
from service.session.means import Means, Sink
from service.session.pacer import Pacer
from service.session.session import Session
from service.session.sound.forks import Forks
from service.session.tasks import Tasks
from service.sight.noticing import Sight, Traces
from service.speech.ear.endpoint import Endpointer
from service.switchboard.switchboard import Switchboard
from service.trust.token import TokenMint
from tests.conftest import wait_until
from tests.session.parts import (
    LOUD,
    LoudVoice,
    MemorySocket,
    NotingCarrier,
    ScriptedAgent,
    ScriptedSpeech,
    ScriptedToolbox,
)

CALL = "CA00000000000000000000000000000001"
TOOLS = {
    "lookup": ToolTerms(is_idempotent=True, attempts_max=3, timeout_ms=4_000),
    "note": ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=4_000),
    "tell": ToolTerms(is_idempotent=True, attempts_max=2, timeout_ms=4_000),
}


class Caller:
    """One stream that was put through."""

    def __init__(self, socket: MemorySocket, session: Session, epoch: int) -> None:
        self.socket = socket
        self.session = session
        self.epoch = epoch
        socket.echo = lambda mark: session.echoed(epoch, mark)
        if socket.is_listening:
            socket.listen()

    def speaks(self, duration_ms: int = 200) -> None:
        self._sounds(LOUD * samples(duration_ms))

    def falls_silent(self, duration_ms: int = 1_300) -> None:
        self._sounds(SILENCE * samples(duration_ms))

    def _sounds(self, ulaw: bytes) -> None:
        self.session.heard_audio(self.epoch, ulaw, self.session._means.clock.now_ms())

    def says(self, duration_ms: int = 200) -> None:
        """Say something; the house's speech knows what."""
        self.speaks(duration_ms)
        self.falls_silent()

    def presses(self, keys: str) -> None:
        for key in keys:
            self.session.pressed(self.epoch, key)

    def drops(self, reason: str = "closed 1006") -> None:
        self.session.lost(self.epoch, reason)
        self.socket.is_dead = True

    async def has_dropped(self) -> None:
        self.drops()
        await wait_until(lambda: self.call.phase == "detached", description="the drop is noted")

    @property
    def call(self) -> Call:
        return self.session.call

    async def is_told(self, text: str) -> None:
        """Wait until the state says that the caller heard this."""
        await wait_until(
            lambda: any(line.heard == text for line in self.call.transcript),
            description=f"the caller heard {text!r}",
        )


class House:
    """A process with all that a session works with."""

    def __init__(
        self,
        journal: Journal,
        *,
        owner: str = "here",
        clock: Clock | None = None,
        sink: Sink | None = None,
        consent_text: str = "",
        traces: Traces | None = None,
    ) -> None:
        self.journal = journal
        self.speech = ScriptedSpeech()
        self.agent = ScriptedAgent()
        self.carrier = NotingCarrier()
        self.toolbox = ScriptedToolbox()
        self.clock = clock or Clock()
        self.tasks = Tasks()
        self.meter = Meter()
        chance = random.Random(7)
        self.means = Means(
            journal=journal,
            carrier=self.carrier,
            agent=self.agent,
            speech=self.speech,
            endpointer=lambda: Endpointer(LoudVoice()),
            documents=Documents(
                "https://calls.example.com",
                TokenMint(["secret"]),
                lambda: f"{chance.getrandbits(64):016x}",
                "+15550100",
            ),
            clock=self.clock,
            pacer=Pacer(self.clock),
            forks=Forks(self.tasks),
            meter=self.meter,
            sight=Sight(self.meter, traces),
            policy=Policy(
                drops_max=3,
                window_ms=60_000,
                tools=TOOLS,
                summary_tool="tell",
                consent_text=consent_text,
                has_sink=sink is not None,
            ),
            sink=sink,
            toolbox=self.toolbox,
            owner=owner,
            tasks=self.tasks,
        )
        self.switchboard = Switchboard(self.means)

    def arrival(self, socket: MemorySocket, **changes: Any) -> Arrival:
        opened = e.CallOpened(call_sid=CALL, parameters={"client_name": "Ada"})
        settings: dict[str, Any] = {
            "socket": socket,
            "stream_sid": "MZ1",
            "door": "voice",
            "opening": (e.encode(opened),),
            "parameters": {"client_name": "Ada"},
            "is_known": False,
            "started_us": self.clock.now_us(),
            "done": asyncio.get_running_loop().create_future(),
        }
        return Arrival(**{**settings, **changes})

    async def connect(
        self,
        *,
        stream_sid: str = "MZ1",
        door: Door = "voice",
        socket: MemorySocket | None = None,
        **changes: Any,
    ) -> Caller:
        caller = await self.try_to_connect(
            stream_sid=stream_sid, door=door, socket=socket, **changes
        )
        assert caller is not None, "the stream was refused"
        return caller

    async def try_to_connect(
        self, *, socket: MemorySocket | None = None, **changes: Any
    ) -> Caller | None:
        socket = socket or MemorySocket()
        taken = await self.switchboard.attach(CALL, self.arrival(socket, **changes))
        return None if taken is None else Caller(socket, *taken)

    async def returns(self, *, stream_sid: str = "MZ2", **changes: Any) -> Caller:
        return await self.connect(stream_sid=stream_sid, door="resume", is_known=True, **changes)

    async def facts(self) -> list[e.AnyFact]:
        reading = await self.journal.read(CALL)
        assert not isinstance(reading, Missing)
        return [e.decode(record.body) for record in reading.records]

    async def kinds(self) -> list[str]:
        return [type(fact).__name__ for fact in await self.facts()]

    async def stored(self) -> Call:
        reading = await self.journal.read(CALL)
        assert not isinstance(reading, Missing)
        return rebuilt(None, reading.records)

    async def write(self, *facts: e.Known, key: str = "outside") -> None:
        """Write as another process does: the API, or a webhook."""
        await self.journal.append(
            CALL,
            [e.encode(fact) for fact in facts],
            epoch=None,
            after=None,
            key=key,
            now_ms=self.clock.now_ms(),
        )

    async def close(self) -> None:
        self.agent.may_answer.set()
        self.speech.may_answer.set()
        self.carrier.may_answer.set()
        self.toolbox.may_answer.set()
        await self.switchboard.close()
        await self.tasks.close()


def words_of(call: Call, who: Sequence[str] = ("agent", "human")) -> list[str]:
    return [line.text for line in call.transcript if line.who in who]
