"""Voice activity: whether anybody speaks in these 20 ms.

    mu-law -> 20 ms frames -> webrtcvad says no  -> silence, and nothing else runs
                              webrtcvad says yes -> Silero confirms -> loud enough -> voice or silence

Rules this file keeps:
1. webrtcvad (1.7 us a frame) comes first, so a quiet line costs almost nothing. Alone it can't be
   trusted: car noise held 75 of 75 turns open. So where it hears speech, Silero decides (50 us).
2. The gate stays open for a little after webrtcvad last heard speech. Silero remembers; running it on
   scraps would make it forget the sentence. When the gate closes Silero starts afresh.
3. While the gate is shut the last moments of sound are kept, and Silero hears them first when it opens.
4. A voice counts only when it is as loud as the caller's (`foreground`): Silero hears the people behind
   the caller as well.
5. The answer depends on the audio alone, never on how it was cut into pieces, and on no clock.
"""

from typing import Protocol

from service.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, decode, loudness
from service.errors import EngineMissing
from service.speech.engine import require
from service.speech.foreground import Foreground
from service.speech.silero import WINDOW_BYTES, SileroScorer

WEBRTC_MODE = 2  # of 0 to 3: misses 1 % of speech frames, 3 misses 5 %
OPEN_MILLI = 500  # Silero's own advice: a voice begins at one half
CLOSE_MILLI = 350  # and ends a little lower, so that it doesn't flicker
GATE_HOLD_FRAMES = 15  # 300 ms: longer than the stops inside words, shorter than a pause
WARM_UP_BYTES = 4 * WINDOW_BYTES  # 128 ms: what Silero hears first when the gate opens


class Gate(Protocol):
    """A cheap first opinion about 20 ms of 8 kHz PCM."""

    def is_speech(self, buf: bytes, sample_rate: int) -> bool:
        """Return whether these 20 ms may be speech."""
        ...


class Scorer(Protocol):
    """A second opinion that remembers, one per call."""

    def score(self, pcm: bytes) -> int:
        """Return how surely the next WINDOW_BYTES of PCM hold a voice: 0 to 1,000."""
        ...

    def reset(self) -> None:
        """Forget the sound so far."""
        ...


class VoiceActivity:
    """One call's voice activity. Without a scorer the gate alone decides.

    `feed` is meant for the event loop: at most about 0.3 ms for a 20 ms frame, when the gate opens.
    """

    def __init__(self, gate: Gate, scorer: Scorer | None) -> None:
        self._gate = gate
        self._scorer = scorer
        self._foreground = Foreground()
        self._partial = b""
        self._unheard = bytearray()
        self._hold_frames = 0
        self._is_voice = False

    def feed(self, ulaw: bytes) -> tuple[bool, ...]:
        """Take mu-law audio of any length and return one verdict for each 20 ms that it completes."""
        if len(ulaw) == FRAME_SAMPLES and not self._partial:
            return (self._judge(ulaw),)
        line = self._partial + ulaw
        whole = len(line) - len(line) % FRAME_SAMPLES
        self._partial = line[whole:]
        return tuple(
            self._judge(line[at : at + FRAME_SAMPLES]) for at in range(0, whole, FRAME_SAMPLES)
        )

    def _judge(self, frame: bytes) -> bool:
        pcm = decode(frame)
        return self._foreground.is_near(loudness(pcm), is_voice=self._hear(pcm))

    def _hear(self, pcm: bytes) -> bool:
        """Return whether these 20 ms hold a voice, anybody's."""
        is_open = self._gate.is_speech(pcm, SAMPLE_RATE_HZ)
        if self._scorer is None:
            return is_open
        self._unheard += pcm
        if is_open:
            self._hold_frames = GATE_HOLD_FRAMES
        elif self._hold_frames:
            self._hold_frames -= 1
            if not self._hold_frames:
                self._scorer.reset()
                self._is_voice = False
        if not self._hold_frames:
            del self._unheard[:-WARM_UP_BYTES]
            return False
        self._confirm(self._scorer)
        return self._is_voice

    def _confirm(self, scorer: Scorer) -> None:
        while len(self._unheard) >= WINDOW_BYTES:
            sure = scorer.score(bytes(self._unheard[:WINDOW_BYTES]))
            del self._unheard[:WINDOW_BYTES]
            self._is_voice = sure >= (CLOSE_MILLI if self._is_voice else OPEN_MILLI)


def voice_activity() -> VoiceActivity:
    """Return a fresh ear for one call, with the best engines installed here.

    Raises EngineMissing when not even webrtcvad is.
    """
    gate = require("webrtcvad").Vad(WEBRTC_MODE)
    try:
        scorer = SileroScorer()
    except EngineMissing:
        return VoiceActivity(gate, None)
    return VoiceActivity(gate, scorer)
