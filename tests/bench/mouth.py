"""How soon we speak, how soon we fall silent, and how exactly we know what of it was heard.

    python -m tests.bench.mouth

The real mouth, the real voice in the real pool, and the carrier's model behind a wire of a given delay,
all on the wall clock. Three tables:

1. A sentence is known to its first sound on the wire: quiet, with a caller being understood on every
   thread all the time, and with audio from the cache.
2. The caller is heard to `clear` on the wire, with the carrier's buffer full.
3. BARGES prompts, each cut at random: the words in the state against those that the carrier played
   to their end. One word too many or too few is wrong.
"""

import asyncio
import json
import random
import statistics
import sys
from collections.abc import Awaitable, Callable

from service.call import events as e
from service.call.decisions.clauses import clauses
from service.call.folds.fold import fold
from service.call.place import Place
from service.call.state import Call, Prompt
from service.clock import Clock
from service.session.pacer import Pacer
from service.session.sound.levels import Levels
from service.session.speaking.model_voice import ModelVoice
from service.session.speaking.mouth import Mouth
from service.simulator.streams.carrier import Leg
from service.speech.cache import SpeechCache
from service.speech.pool import SpeechPool
from service.speech.recognizer import recognizer
from service.speech.synthesizer import synthesizer
from service.speech.timing import word_ends, words_before
from tests.speech.recordings import of_kind

SENTENCES = 60
BARGES = 200
AT_ONCE = 25
DELAYS_MS = (0, 20, 50)
PROMPTS = (
    "Hello, thank you for calling support. May I have your name, please?",
    "Which company are you calling from?",
    "What is your ticket number? You can say it, or key in the digits and press hash.",
    "Please tell me in a sentence what the problem is.",
    "Sorry, I didn't get the ticket number. Please say it digit by digit, or key it in and press hash.",
    "I'm sorry, I've lost some of our context, so I may ask you some things again.",
    "Sorry, I lost you for a second, could you say that last part again?",
    "Let me read that back: your name is Sarah Johnson, your ticket is TKT-1234. Is that right?",
    "Thank you. A colleague will look at this today and call you back on this number. Goodbye.",
    "Which part is wrong: name, company, ticket or problem?",
)
SUBJECTS = (
    "printer",
    "router",
    "scanner",
    "invoice",
    "calendar",
    "keyboard",
    "telephone",
    "server",
)


class Wire:
    """A media socket with the carrier's model at its other end, `delay_ms` away both ways."""

    def __init__(self, delay_ms: int) -> None:
        self.leg = Leg("MZ1", "CA1", "AC1", {})
        self.events: list[tuple[int, str]] = []
        self.first_sound = asyncio.Event()
        self.mouth: Mouth | None = None
        self._delay_s = delay_ms / 1_000
        self._clock = Clock()
        self._echo: asyncio.TimerHandle | None = None

    async def send(self, text: str) -> None:
        """Nobody has to wait for it."""
        raise AssertionError(text)

    def say(self, *texts: str) -> bool:
        """Take messages of ours."""
        for text in texts:
            event = json.loads(text)["event"]
            self.events.append((self._clock.now_us(), event))
            if event == "media":
                self.first_sound.set()
            asyncio.get_running_loop().call_later(self._delay_s, self._arrive, text)
        return True

    async def close(self, code: int, reason: str, *, grace_ms: int = 0) -> None:
        """Nothing is to be closed."""
        del code, reason, grace_ms

    def _arrive(self, text: str) -> None:
        self.leg.receive(text, self._clock.now_ms())
        self._poll()

    def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        for text in self.leg.poll(self._clock.now_ms()):
            if self.mouth is not None:
                loop.call_later(self._delay_s, self.mouth.echoed, json.loads(text)["mark"]["name"])
        due_ms = self.leg.deadline_ms()
        if self._echo is not None:
            self._echo.cancel()
        if due_ms is not None:
            wait_ms = max(1, due_ms - self._clock.now_ms())
            self._echo = loop.call_later(wait_ms / 1_000, self._poll)


async def on_a_wire(
    wire: Wire, pool: SpeechPool, act: Callable[[Mouth], Awaitable[None]], call: str = "CA1"
) -> None:
    """Run a mouth on the wire while `act` does something with it."""
    mouth = wire.mouth = Mouth(
        call,
        "MZ1",
        1,
        wire,
        pool,
        ModelVoice(),
        clock := Clock(),
        Levels(0),
        pacer=Pacer(clock),
        on_heard=lambda _played: None,
        on_lost=lambda _reason: None,
    )
    try:
        await act(mouth)
    finally:
        await mouth.stop()


async def first_sound_us(pool: SpeechPool, text: str) -> int:
    """Return how long a prompt took from being known to its first sound."""
    wire, clock, taken = Wire(0), Clock(), 0

    async def speak(mouth: Mouth) -> None:
        nonlocal taken
        started_us = clock.now_us()
        mouth.want((Prompt("p1", 1, clauses(text)),))
        await wire.first_sound.wait()
        taken = clock.now_us() - started_us

    await on_a_wire(wire, pool, speak)
    return taken


async def understand(pool: SpeechPool, call: str) -> None:
    """Have a caller understood, again and again."""
    callers = of_kind("human", "rendered")
    while True:
        for caller in callers:
            await pool.transcribe(caller.ulaw, 60_000, call=call)


async def barge(pool: SpeechPool, text: str, delay_ms: int, share: float) -> tuple[int, bool]:
    """Speak, hold in the midst; return how long `clear` took (us), and whether the words are right."""
    wire, clock = Wire(delay_ms), Clock()
    parts = clauses(text)
    audio = [await pool.render(part) for part in parts]
    told: list[e.Played] = []
    held_us = 0

    async def speak(mouth: Mouth) -> None:
        nonlocal held_us
        mouth.want((Prompt("p1", 2, parts),))
        await wire.first_sound.wait()
        await asyncio.sleep(share * sum(map(len, audio)) / 8_000)
        held_us = clock.now_us()
        mouth.hold()
        told.extend(mouth.played())
        await asyncio.sleep(0.02 + 2 * delay_ms / 1_000)

    await on_a_wire(wire, pool, speak)
    took_us = next((at for at, event in wire.events if event == "clear"), held_us) - held_us
    return took_us, heard_words(parts, told) == true_words(parts, audio, wire)


def heard_words(parts: tuple[str, ...], told: list[e.Played]) -> int:
    """Return how many words of the prompt the state holds for heard."""
    facts: list[e.AnyFact] = [e.AgentSpoke(prompt="p1", clauses=parts), *told]
    call = Call()
    for position, fact in enumerate(facts, start=1):
        call = fold(call, fact, Place(position=position, epoch=1, at_ms=0))
    return len(call.transcript[-1].heard.split())


def true_words(parts: tuple[str, ...], audio: list[bytes], wire: Wire) -> int:
    """Return how many words of the prompt the carrier played to their end."""
    ends: list[int] = []
    before = 0
    for part, sound in zip(parts, audio, strict=True):
        ends += [before + end for end in word_ends(part, sound)]
        before += len(sound)
    return words_before(tuple(ends), wire.leg.played(Clock().now_ms()))


def row(name: str, taken_us: list[int]) -> str:
    """Return one line of a table."""
    ordered = sorted(taken_us)
    p95 = ordered[len(ordered) * 95 // 100]
    half = statistics.median(ordered)
    return f"{name:44} {half / 1000:8.1f} {p95 / 1000:8.1f} {ordered[-1] / 1000:8.1f}"


async def first_sounds() -> list[str]:
    """Return the first table."""
    pool = SpeechPool(synthesizer(), recognizer(), cache=SpeechCache(0))
    texts = [
        f"Your {subject} was checked {times} times today, and the last report says that it works again."
        for subject in SUBJECTS
        for times in range(2, 2 + SENTENCES // len(SUBJECTS))
    ]
    quiet = [await first_sound_us(pool, text) for text in texts]
    busy = [asyncio.create_task(understand(pool, f"CA{n}")) for n in range(8)]
    loaded = [await first_sound_us(pool, text) for text in texts]
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
    await pool.close()
    pool = SpeechPool(synthesizer(), recognizer())
    await first_sound_us(pool, texts[0])
    cached = [await first_sound_us(pool, texts[0]) for _ in texts]
    await pool.close()
    return [
        row("sentence known to first sound", quiet),
        row("  with 8 callers being understood", loaded),
        row("  from the cache", cached),
    ]


async def barges(delay_ms: int) -> tuple[list[int], int]:
    """Cut BARGES prompts, AT_ONCE at a time."""
    chance, gate = random.Random(delay_ms), asyncio.Semaphore(AT_ONCE)
    pool = SpeechPool(synthesizer(), recognizer())
    for text in PROMPTS:
        for part in clauses(text):
            await pool.render(part)

    async def one(text: str, share: float) -> tuple[int, bool]:
        async with gate:
            return await barge(pool, text, delay_ms, share)

    chosen = [(chance.choice(PROMPTS), chance.random() * 0.98) for _ in range(BARGES)]
    found = await asyncio.gather(*(one(text, share) for text, share in chosen))
    await pool.close()
    return [took for took, _ in found], sum(is_right for _, is_right in found)


async def run() -> None:
    """Print the tables."""
    out = [f"{'':44} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8}", *await first_sounds()]
    rights = []
    for delay_ms in DELAYS_MS:
        took, right = await barges(delay_ms)
        out.append(row(f"caller heard to clear, wire of {delay_ms} ms", took))
        rights.append(f"heard text right to the word, wire of {delay_ms} ms: {right} of {BARGES}")
    sys.stdout.write("\n".join([*out, *rights]) + "\n")


def main() -> None:
    """Run."""
    asyncio.run(run())


if __name__ == "__main__":
    main()
