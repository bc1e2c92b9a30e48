"""Voice activity: whether anybody speaks in these 20 ms.

    mu-law -> 20 ms frames -> hushed             -> silence, and nothing else runs
                              webrtcvad says no  -> silence
                              webrtcvad says yes -> Silero confirms -> loud enough -> voice or silence
                                                    └── with those of other calls, a moment later

Rules this file keeps:
1. webrtcvad (1.7 us a frame) comes before Silero (30 to 80 us). Alone it can't be trusted: car noise held 75
   of 75 turns open, and the hiss of a quiet line is speech to it in two of five frames. So where it hears
   speech, Silero decides; and it is not asked about what is too quiet to count, whoever it is. Quiet callers
   are noticed sooner by that, and no turn is missed or held open that was not (`tests.bench.turns`).
2. The gate stays open for a little after webrtcvad last heard speech. Silero remembers; running it on
   scraps would make it forget the sentence. When the gate closes Silero starts afresh.
3. While the gate is shut the last moments of sound are kept, and Silero hears them first when it opens.
4. A voice counts only when it is as loud as the caller's (`foreground`): Silero hears the people behind
   the caller as well.
5. The verdicts depend on the audio alone, never on how it was cut into pieces, and on no clock. Only
   when they come does: with a batch, those of an open gate come some milliseconds after their frame.
"""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from service.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, decode, loudness
from service.errors import EngineMissing
from service.speech.ear.batch import Batch
from service.speech.ear.foreground import Foreground
from service.speech.ear.silero import WINDOW_BYTES, SileroScorer, score_all
from service.speech.engine import require

HUSH = 29  # root mean square, -61 dB of full scale: no voice under -58 is near (see foreground)
WEBRTC_MODE = 2  # of 0 to 3: misses 1 % of speech frames, 3 misses 5 %
OPEN_MILLI = 500  # Silero's own advice: a voice begins at one half
CLOSE_MILLI = 350  # and ends a little lower, so that it doesn't flicker
GATE_HOLD_FRAMES = 15  # 300 ms: longer than the stops inside words, shorter than a pause
WARM_UP_BYTES = 4 * WINDOW_BYTES  # 128 ms: what Silero hears first when the gate opens
WAITING_MAX = (
    64  # windows, 2 s: the sound of a stall comes at once; with more, a call waits no longer
)


class Gate(Protocol):
    """A cheap first opinion about 20 ms of 8 kHz PCM."""

    def is_speech(self, buf: bytes, sample_rate: int, length: int) -> bool:
        """Return whether these 20 ms, `length` samples, may be speech."""
        ...


class Scorer(Protocol):
    """A second opinion that remembers, one per call."""

    def score(self, pcm: bytes) -> int:
        """Return how surely the next WINDOW_BYTES of PCM hold a voice: 0 to 1,000."""
        ...

    def reset(self) -> None:
        """Forget the sound so far."""
        ...


S = TypeVar("S", bound=Scorer)


class VoiceActivity(Generic[S]):
    """One call's voice activity. Without a scorer the gate alone decides.

    `feed` is meant for the event loop: at most about 0.3 ms for a 20 ms frame, when the gate opens. With a
    batch it is a few microseconds; the scorer's part is done with that of other calls.
    """

    __slots__ = (
        "_batch",
        "_counts",
        "_foreground",
        "_frames",
        "_gate",
        "_hold_frames",
        "_is_voice",
        "_partial",
        "_scorer",
        "_tell",
        "_unheard",
        "_verdicts",
        "_windows",
    )

    def __init__(self, gate: Gate, scorer: S | None, batch: Batch[S] | None = None) -> None:
        self._gate = gate
        self._scorer = scorer
        self._batch = batch
        self._foreground = Foreground()
        self._partial = b""
        self._unheard = (
            bytearray()
        )  # behind the last whole window; while the gate is shut the warm-up
        self._hold_frames = 0
        self._is_voice = False
        self._windows: list[bytes] = []  # to be scored
        self._counts = [0, 0]  # windows since the gate opened: whole ones, scored ones
        self._frames: list[tuple[int, int]] = []  # without a verdict: loudness, windows needed
        self._verdicts: tuple[bool, ...] = ()  # not yet given; one, where nothing waits
        self._tell: Callable[[], None] | None = None

    def feed(self, ulaw: bytes) -> tuple[bool, ...]:
        """Take mu-law audio of any length and return the verdicts that are known by now.

        There is one for each 20 ms, in their order; see `when_decided` for those that are late.
        """
        if len(ulaw) == FRAME_SAMPLES and not self._partial:
            self._take(ulaw)
        else:
            line = self._partial + ulaw
            whole = len(line) - len(line) % FRAME_SAMPLES
            self._partial = line[whole:]
            for at in range(0, whole, FRAME_SAMPLES):
                self._take(line[at : at + FRAME_SAMPLES])
        verdicts, self._verdicts = self._verdicts, ()
        return verdicts

    def when_decided(self, tell: Callable[[], None] | None) -> None:
        """Have `tell` called whenever verdicts came late: `feed(b"")` then gives them.

        None: nobody listens any more, so what waits to be scored is left.
        """
        self._tell = tell
        if tell is None and self._batch is not None:
            self._batch.drop(self)

    def _take(self, frame: bytes) -> None:
        pcm = decode(frame)
        level = loudness(pcm)
        is_open = level >= HUSH and self._gate.is_speech(pcm, SAMPLE_RATE_HZ, FRAME_SAMPLES)
        if self._scorer is None:
            self._decide(level, is_voice=is_open)
            return
        self._unheard += pcm
        if is_open:
            self._hold_frames = GATE_HOLD_FRAMES
        elif self._hold_frames:
            self._hold_frames -= 1
            if not self._hold_frames:
                self._shut(self._scorer)
        if self._hold_frames:
            self._confirm(level, self._scorer)
        else:
            del self._unheard[:-WARM_UP_BYTES]
            self._decide(level, is_voice=False)

    def _decide(self, level: int, *, is_voice: bool) -> None:
        self._verdicts += (self._foreground.is_near(level, is_voice=is_voice),)

    def _shut(self, scorer: S) -> None:
        """Forget the sound, once all of it was heard."""
        self._settle(scorer)
        scorer.reset()
        self._is_voice = False
        self._counts = [0, 0]

    def _confirm(self, level: int, scorer: S) -> None:
        """Have the windows scored that are whole now; the frame's verdict needs all of them."""
        while len(self._unheard) >= WINDOW_BYTES:
            self._windows.append(bytes(self._unheard[:WINDOW_BYTES]))
            del self._unheard[:WINDOW_BYTES]
            self._counts[0] += 1
        self._frames.append((level, self._counts[0]))
        if not self._windows:
            self._go_on()
        elif self._batch is None or len(self._windows) > WAITING_MAX:
            self._settle(scorer)
        else:
            self._batch.add(self)

    def _settle(self, scorer: S) -> None:
        """Wait for nobody: score all windows now."""
        while self._windows:
            self.answer(scorer.score(self._windows[0]))
        if self._batch is not None:
            self._batch.drop(self)

    def _go_on(self) -> None:
        """Give the frames their verdicts whose windows are scored."""
        while self._frames and self._frames[0][1] <= self._counts[1]:
            self._decide(self._frames.pop(0)[0], is_voice=self._is_voice)

    # What the batch calls; see batch.Waiting.

    @property
    def scorer(self) -> S:
        """What remembers the call's sound."""
        assert self._scorer is not None, "nothing waits without a scorer"
        return self._scorer

    @property
    def window(self) -> bytes:
        """The oldest window that was not scored."""
        return self._windows[0]

    def answer(self, score: int) -> bool:
        """Take the score of that window; return whether another one waits."""
        del self._windows[0]
        self._counts[1] += 1
        self._is_voice = score >= (CLOSE_MILLI if self._is_voice else OPEN_MILLI)
        self._go_on()
        return bool(self._windows)

    def tell(self) -> None:
        """Tell who listens that verdicts came late, unless a frame has fetched them meanwhile."""
        if self._verdicts and self._tell is not None:
            self._tell()


def batch() -> Batch[SileroScorer]:
    """Return what lets the calls of one event loop share Silero's runs."""
    return Batch(score_all)


def voice_activity(batch: Batch[SileroScorer] | None = None) -> VoiceActivity[SileroScorer]:
    """Return a fresh ear for one call, with the best engines installed here.

    Raises EngineMissing when not even webrtcvad is.
    """
    gate = require("webrtcvad").Vad(WEBRTC_MODE)
    try:
        scorer = SileroScorer()
    except EngineMissing:
        return VoiceActivity(gate, None)
    return VoiceActivity(gate, scorer, batch)
