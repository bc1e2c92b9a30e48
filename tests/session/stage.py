"""A call in memory with a model on it: decided, written and folded as a session does, without sockets.

The model's side is real: the stand-in's server, by the official client. The caller hears exactly as much
as the test lets them.
"""

from collections import deque

from msgspec.structs import replace

from service.agent.duplex import SpeechAgent
from service.audio import samples, silence
from service.call import events as e, inputs as i
from service.call.events import Played
from service.call.state import Prompt
from service.session.duplex.duplex import Duplex
from service.session.speaking.model_voice import ModelVoice
from tests.call.story import Story
from tests.session.house import House
from tests.session.parts import LOUD


class PulledLine:
    """Says what it is told, as far as the caller listens."""

    def __init__(self, voice: ModelVoice) -> None:
        self.voice = voice
        self.prompts: tuple[Prompt, ...] = ()
        self.is_held = False
        self.holds = 0
        self.heard: dict[str, bytes] = {}
        self.sounds = b""

    def want(self, prompts: tuple[Prompt, ...]) -> None:
        self.prompts = prompts

    def hold(self) -> None:
        self.holds += not self.is_held
        self.is_held = True

    def release(self) -> None:
        self.is_held = False

    def wake(self) -> None:
        """Audio is taken when the caller listens."""

    def listen(self, count: int) -> None:
        for prompt in self.prompts:
            if prompt.voice == "model" and not self.is_held:
                count -= self._listen_to(prompt.prompt, count)

    def _listen_to(self, name: str, count: int) -> int:
        heard = self.heard.setdefault(name, b"")
        before = len(heard)
        while len(heard) - before < count and (piece := self.voice.take(name, len(heard))):
            heard += piece[: count - (len(heard) - before)]
        self.heard[name] = heard
        self.sounds += heard[before:]
        return len(heard) - before

    def played(self) -> tuple[Played, ...]:
        return tuple(self._played(prompt) for prompt in self.prompts)

    def _played(self, prompt: Prompt) -> Played:
        if prompt.voice == "ours":  # Whoever listens at all has heard our own short lines.
            count = len(prompt.clauses)
            return Played(prompt=prompt.prompt, clauses=count, heard_samples=8_000)
        count = len(self.heard.get(prompt.prompt, b""))
        return self.voice.played(prompt.prompt, heard=count, sent=count, queued=count)


class Stage:
    """One process's hold on the call. Another stage on the same story is another process."""

    def __init__(self, house: House, agent: SpeechAgent, story: Story | None = None) -> None:
        self.story = story or Story(house.means.policy)
        self.line = PulledLine(ModelVoice())
        self.duplex = Duplex(
            "CA1",
            house.means,
            agent,
            self.line,
            self.line.voice,
            self.post,
            lambda: self.story.call,
        )
        self._letters: deque[i.Input] = deque()
        self._is_busy = False
        self._is_known = story is not None
        if story is None:
            self.story.opened(client_name="Ada")

    def post(self, letter: i.Input) -> None:
        self._letters.append(letter)
        if not self._is_busy:
            self._is_busy = True
            while self._letters:
                self._take(self._letters.popleft())
            self._is_busy = False

    def _take(self, letter: i.Input) -> None:
        self.story.now_ms += 1
        if isinstance(letter, i.BargedIn | i.Utterance):
            letter = replace(letter, played=self.line.played())
        decision = self.story.tell(letter)
        if decision.facts:
            self.story.settle()
            self.duplex.follow(self.story.call)

    def attach(self, stream_sid: str = "MZ1", *, gap_ms: int = 0) -> None:
        """The caller's stream is here."""
        door: i.Door = "resume" if self._is_known else "voice"
        self._is_known = True
        self.story.now_ms += 1
        self.duplex.attach()
        self.story.attach(stream_sid, door=door, gap_ms=gap_ms, is_held_here=self.story.epoch > 0)
        self.duplex.follow(self.story.call)

    def drop(self, stream_sid: str = "MZ1") -> None:
        """The caller's stream is gone."""
        self.duplex.detach()
        self.post(i.Detached(stream_sid, "closed", self.story.now_ms, self.line.played()))
        self.line.prompts = ()

    def outside(self, *facts: e.Known) -> None:
        """Somebody else writes."""
        self.story.write(*facts, is_outside=True)
        self.story.settle()
        self.duplex.follow(self.story.call)

    def listen(self, duration_ms: int) -> None:
        """The caller hears what there is, for so long."""
        self.line.listen(samples(duration_ms))
        self.post(i.Progress(self.line.played()))

    def speak(self, duration_ms: int = 600) -> None:
        """The caller speaks."""
        self.hear(LOUD * samples(duration_ms))

    def pause(self, duration_ms: int = 1_300) -> None:
        """The caller says nothing."""
        self.hear(silence(samples(duration_ms)))

    def hear(self, ulaw: bytes) -> None:
        for at in range(0, len(ulaw), 160):
            self.duplex.hear(ulaw[at : at + 160])

    def lines(self) -> list[tuple[str, str]]:
        """Return who said what, as far as it was heard."""
        return [(line.who, line.heard) for line in self.story.call.transcript]

    def kinds(self) -> list[str]:
        return [type(fact).__name__ for fact, _ in self.story.journal]
