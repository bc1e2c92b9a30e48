"""What it costs to tell voices from noise, for many calls at once, and how late the verdicts come.

    python -m tests.bench.voices [CALLS ...]          by default 1, 50, 200 and 500; six seconds each

First the model alone: processor time for a window of 32 ms, by how many calls share a run. Then ears as
the service has them, on one event loop and in real time: every caller speaks for four seconds of ten, from
a recording, and makes the sound of a quiet line for the rest.

    gate      webrtcvad alone
    alone     Silero confirms, each call for itself
    together  Silero confirms, calls share its runs (this is what the service does)
    us        processor time of the whole process for each frame of 20 ms, spoken or not
    calls     so many would take one core, with nothing else to do
    a run     windows that shared a run
    late      from a frame to its verdict, in ms: median, one in a hundred, one in a thousand
    lag       of the event loop, in ms, one time in a hundred and in a thousand
"""

import asyncio
import base64
import random
import sys
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import uvloop
from typing_extensions import override

from service.audio import decode
from service.clock import Clock
from service.speech.ear.batch import Batch
from service.speech.ear.endpoint import Endpointer
from service.speech.ear.silero import WINDOW_BYTES, SileroScorer, score_all
from service.speech.ear.vad import WEBRTC_MODE, VoiceActivity
from service.speech.engine import require
from tests.bench._lines import CYCLE_FRAMES, FRAME_S, SLOTS, sounds
from tests.bench._timing import Times, table
from tests.bench._used import Lag, used
from tests.speech.recordings import recording

CALLS = (1, 50, 200, 500)
SECONDS = 6
SHARED = (1, 2, 4, 8, 16, 32, 64)
ROUNDS, WINDOWS = 7, 128
MANNERS = ("gate", "alone", "together")
SPOKEN = "caller_david_long.ulaw"

clock = Clock()


def model() -> str:
    """Return the table of the model alone."""
    pcm = decode(recording(SPOKEN))
    sound = [pcm[at : at + WINDOW_BYTES] for at in range(0, WINDOWS * WINDOW_BYTES, WINDOW_BYTES)]
    costs = [min(_cost(count, sound) for _ in range(ROUNDS)) for count in SHARED]
    rows: list[tuple[str, ...]] = [
        (f"{count}", f"{cost:.1f}", f"{costs[0] / cost:.1f}")
        for count, cost in zip(SHARED, costs, strict=True)
    ]
    return table(("calls a run", "us a window", "times cheaper"), rows)


def _cost(count: int, sound: Sequence[bytes]) -> float:
    """Return the microseconds of a window when so many share a run."""
    scorers = [SileroScorer() for _ in range(count)]
    runs = max(1, WINDOWS // count)
    begun = used()["cpu_us"]
    for run in range(runs):
        window = sound[run % len(sound)]
        score_all([(scorer, window) for scorer in scorers])
    return (used()["cpu_us"] - begun) / runs / count


class Counted(Batch[SileroScorer]):
    """A batch that notes how many shared its runs."""

    def __init__(self) -> None:
        super().__init__(self._scored)
        self.sizes: list[int] = []

    def _scored(self, asked: Sequence[tuple[SileroScorer, bytes]]) -> list[int]:
        self.sizes.append(len(asked))
        return score_all(asked)


class Timely(VoiceActivity[SileroScorer]):
    """Notes when frames come and when their verdicts do."""

    def __init__(self, scorer: SileroScorer | None, batch: Counted | None, late: list[int]) -> None:
        super().__init__(require("webrtcvad").Vad(WEBRTC_MODE), scorer, batch)
        self._came: deque[int] = deque()
        self._late = late

    @override
    def feed(self, ulaw: bytes) -> tuple[bool, ...]:
        """See VoiceActivity.feed."""
        now_us = clock.now_us()
        if ulaw:
            self._came.append(now_us)
        verdicts = super().feed(ulaw)
        decided_us = clock.now_us()
        self._late.extend(decided_us - self._came.popleft() for _ in verdicts)
        return verdicts


def _fetch(endpointer: Endpointer) -> None:
    endpointer.feed(b"")


class Crowd:
    """Callers who speak at once, each to an ear of their own."""

    def __init__(self, calls: int, manner: str) -> None:
        self.late: list[int] = []
        self.batch = Counted()
        shared = self.batch if manner == "together" else None
        chance = random.Random(calls)
        self._line = [base64.b64decode(frame) for frame in sounds()]
        self._ears: list[tuple[Callable[[bytes], object], int]] = []
        for _ in range(calls):
            scorer = SileroScorer() if manner != "gate" else None
            endpointer = Endpointer(Timely(scorer, shared, self.late))
            endpointer.when_decided(partial(_fetch, endpointer))
            self._ears.append((endpointer.feed, chance.randrange(CYCLE_FRAMES)))

    async def beat(self, seconds: int) -> None:
        """Let them speak: a twentieth of them in each millisecond."""
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        for slot in range(round(seconds / FRAME_S) * SLOTS):
            for feed, phase in self._ears[slot % SLOTS :: SLOTS]:
                feed(self._line[(phase + slot // SLOTS) % CYCLE_FRAMES])
            await asyncio.sleep(max(0.0, begun_s + (slot + 1) * FRAME_S / SLOTS - loop.time()))


async def heard(calls: int, manner: str) -> tuple[str, ...]:
    """Return a row of the table."""
    crowd, lag = Crowd(calls, manner), Lag()
    lag.begin()
    await crowd.beat(1)
    lag.told()
    crowd.late.clear()
    crowd.batch.sizes.clear()
    begun = used()["cpu_us"]
    await crowd.beat(SECONDS)
    spent_us = (used()["cpu_us"] - begun) / (calls * SECONDS / FRAME_S)
    late, sizes, behind = Times(sorted(crowd.late)), crowd.batch.sizes, lag.told()
    thousandth = late.us[len(late.us) * 999 // 1_000]
    return (
        f"{calls}", manner, f"{spent_us:.1f}", f"{1e6 * FRAME_S / spent_us:,.0f}",
        f"{sum(sizes) / len(sizes):.1f}" if sizes else "",
        f"{late.at(50) / 1_000:.1f} / {late.at(99) / 1_000:.1f} / {thousandth / 1_000:.1f}",
        f"{behind.get('p99', 0) / 1_000:.1f} / {behind.get('p999', 0) / 1_000:.1f}",
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    counts = [int(word) for word in sys.argv[1:]] or list(CALLS)
    rows = [uvloop.run(heard(calls, manner)) for calls in counts for manner in MANNERS]
    head = ("calls", "ear", "us a frame", "calls a core", "a run", "late", "lag")
    sys.stdout.write(f"{model()}\n\n{table(head, rows)}\n")


if __name__ == "__main__":
    main()
