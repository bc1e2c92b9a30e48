"""What a gap costs of a caller's sentence: with the second ear, and without it.

python -m tests.bench.gap

Every recording of fixtures/audio that says a sentence is cut at random places by a gap of 0.3 to 2 s, on
wires with jitter and bursts, both streams begun on frames of their own. Lost and doubled are counted
against the recording itself, sample by sample where the fork carries the same bytes. "Other bytes" is a
fork whose every byte is off by one step of mu-law, so that only the clock tells where to go on.
"""

import random
import statistics
import sys
from dataclasses import dataclass, field

from service.audio import FRAME_SAMPLES, samples, silence
from service.speech.recognizer import recognizer
from tests.bench.dialogue import wrong_in
from tests.session.sound.test_seam import Wire, heard_of
from tests.speech.recordings import Recording, of_kind, words

CUTS = 40  # of each recording; the words of every WORDS_EVERY-th are recognised
WORDS_EVERY = 8
LEAD = samples(600)  # the line before the sentence: the streams have begun by then
TAIL = samples(1_000)
WORDS_MIN = 6


@dataclass
class Tally:
    """What one way of listening did."""

    off_ms: list[int] = field(default_factory=list)
    wrong: int = 0
    said: int = 0

    def row(self, name: str) -> str:
        """Return one line of the table."""
        ordered = sorted(self.off_ms)
        words_of = f"{self.wrong} of {self.said}"
        p95 = ordered[len(ordered) * 95 // 100]
        exact = f"{sum(not off for off in ordered)} of {len(ordered)}"
        median = statistics.median(ordered)
        return f"{name:24} {median:8.0f} {p95:8} {ordered[-1]:8} {exact:>14} {words_of:>14}"


def cut(spoken: bytes, chance: random.Random, *, is_same: bool) -> tuple[bytes, bytes]:
    """Return what is heard of the line with a fork, and what without one."""
    at = chance.randrange(LEAD + samples(200), len(spoken) - TAIL - samples(200), 8)
    gap = chance.randrange(samples(300), samples(2_000), 8)
    back = min(at + gap, len(spoken) - samples(600))
    other = spoken if is_same else bytes(byte ^ 1 for byte in spoken)
    rough = {"jitter_ms": 30, "bursts": 3}
    end = len(spoken)
    listening, _ = heard_of(
        Wire(0, at, chance, spoken=spoken, **rough),
        Wire(chance.randrange(0, samples(400), 8), end, chance, spoken=other, **rough),
        Wire(back, end, chance, spoken=spoken, **rough),
        notice_ms=400,
    )
    return bytes(listening.audio), spoken[: at - at % 160] + spoken[back:]


def off_ms(heard: bytes, spoken: bytes) -> int:
    """Return by how much what was heard is too short or too long; the last frame may not be full."""
    short = len(spoken) - len(heard)
    return (0 if 0 <= short < FRAME_SAMPLES else abs(short)) // samples(1)


def main() -> None:
    """Print the table."""
    ear = recognizer()
    callers = [one for one in of_kind("human", "rendered") if len(words(one.says)) >= WORDS_MIN]
    tallies = {name: Tally() for name in ("not cut", "with it", "with it, other bytes", "without")}

    def told(name: str, caller: Recording, heard: bytes, *, is_recognised: bool) -> None:
        tally = tallies[name]
        if is_recognised:
            tally.wrong += wrong_in(caller.says, ear.transcribe(heard).text)
            tally.said += len(words(caller.says))

    for seed, caller in enumerate(callers):
        chance = random.Random(seed)
        spoken = silence(LEAD) + caller.ulaw + silence(TAIL)
        for number in range(CUTS):
            is_recognised = number % WORDS_EVERY == 0
            other, _ = cut(spoken, chance, is_same=False)
            tallies["with it, other bytes"].off_ms.append(off_ms(other, spoken))
            told("with it, other bytes", caller, other, is_recognised=is_recognised)
            heard, without = cut(spoken, chance, is_same=True)
            tallies["with it"].off_ms.append(off_ms(heard, spoken))
            told("with it", caller, heard, is_recognised=is_recognised)
            tallies["without"].off_ms.append(off_ms(without, spoken))
            told("without", caller, without, is_recognised=is_recognised)
            tallies["not cut"].off_ms.append(0)
            told("not cut", caller, spoken, is_recognised=is_recognised)
    head = f"{'':24} {'off, p50':>8} {'p95':>8} {'max ms':>8} {'exact':>14} {'words wrong':>14}"
    rows = [tally.row(name) for name, tally in tallies.items()]
    sys.stdout.write("\n".join([head, *rows]) + f"\n{len(callers)} recordings, {CUTS} cuts each\n")


if __name__ == "__main__":
    main()
