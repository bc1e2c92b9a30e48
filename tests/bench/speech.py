"""How fast the voice speaks and the ear understands, and how many words it gets right.

python -m tests.bench.speech

Every recording of fixtures/audio that says something is transcribed three times; the agent's prompts
are rendered anew each time (no cache). The ratio is to the audio's own length: 0.02 means that a core
keeps up with fifty voices.
"""

import statistics
import sys

from service.audio import milliseconds
from service.clock import Clock
from service.speech.recognizer import recognizer
from service.speech.synthesizer import synthesizer
from tests.speech.recordings import of_kind, words, words_wrong

ROUNDS = 3
PROMPTS = (
    "Hello, thank you for calling support.",
    "May I have your name, please?",
    "What is your ticket number?",
    "You can say it, or key in the digits and press hash.",
    "Please tell me in a sentence what the problem is.",
    "A colleague will look at this today and call you back on this number.",
)


def row(name: str, taken_us: list[int], audio_ms: int) -> str:
    """Return one line of the table."""
    ordered = sorted(taken_us)
    p95 = ordered[len(ordered) * 95 // 100]
    ratio = sum(ordered) / 1000 / audio_ms
    return (
        f"{name:30} {statistics.median(ordered) / 1000:8.0f} {p95 / 1000:8.0f}"
        f" {ordered[-1] / 1000:8.0f} {ratio:8.3f}"
    )


def main() -> None:
    """Print the table."""
    clock, voice, ear = Clock(), synthesizer(), recognizer()
    spoken_us: list[int] = []
    heard_us: list[int] = []
    spoken_ms = heard_ms = wrong = said = 0
    voice.render("Hello.")
    for _ in range(ROUNDS):
        for prompt in PROMPTS:
            started_us = clock.now_us()
            spoken_ms += milliseconds(len(voice.render(prompt)))
            spoken_us.append(clock.now_us() - started_us)
    callers = of_kind("human", "rendered")
    for _ in range(ROUNDS):
        for caller in callers:
            started_us = clock.now_us()
            found = ear.transcribe(caller.ulaw)
            heard_us.append(clock.now_us() - started_us)
            heard_ms += milliseconds(caller.samples)
            wrong += words_wrong(caller.says, found.text)
            said += len(words(caller.says))
    lines = [
        f"{'':30} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8} {'ratio':>8}",
        row("text to a clause's audio", spoken_us, spoken_ms),
        row("utterance to text", heard_us, heard_ms),
        f"words wrong: {wrong} of {said}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
