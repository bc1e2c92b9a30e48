"""A mouth on a socket of memory, for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.call.events import Played
from service.clock import Clock
from service.session.pacer import Pacer
from service.session.sound.levels import Levels
from service.session.speaking.model_voice import ModelVoice
from service.session.speaking.mouth import Mouth
from tests.session.parts import MemorySocket, ScriptedSpeech


class Stage:
    """A mouth on a socket, and what it told."""

    def __init__(self) -> None:
        self.socket = MemorySocket()
        self.speech = ScriptedSpeech()
        self.told: list[Played] = []
        self.lost: list[str] = []
        self.voice = ModelVoice()
        self.mouth = Mouth(
            "CA1",
            "MZ1",
            3,
            self.socket,
            self.speech,
            self.voice,
            clock := Clock(),
            Levels(0),
            pacer=Pacer(clock),
            on_heard=self.told.extend,
            on_lost=self.lost.append,
        )
        self.socket.echo = self.mouth.echoed

    @asynccontextmanager
    async def speaking(self) -> AsyncIterator[Mouth]:
        try:
            yield self.mouth
        finally:
            await self.mouth.stop()

    def heard(self, prompt: str) -> int:
        return max((one.clauses for one in self.told if one.prompt == prompt), default=0)
