"""Silero v6, 16 kHz branch: how surely 32 ms of sound hold a voice.

The 8 kHz branch was measured to miss two thirds of the frames of spelled digits and letters, so the
telephone's 8 kHz is doubled first. One model serves every call; what it remembers of a call (its
recurrent state, the last 4 ms of sound, the tail of the filter) lives in a `SileroScorer`.
Model and window sizes: https://github.com/snakers4/silero-vad.
"""

from functools import cache

from service.errors import SpeechError
from service.speech.engine import SILERO_MODEL, Array, Model, load, require
from service.speech.resample import Upsampler

WINDOW_BYTES = (
    512  # 256 samples of 8 kHz PCM, 32 ms: the only length the model takes (512 at 16 kHz)
)
_CONTEXT_SAMPLES = 64  # of 16 kHz: the model wants the end of the window before
_RATE_HZ = 16_000


class SileroScorer:
    """One call's ear. Raises EngineMissing when it is made and Silero is not installed."""

    def __init__(self) -> None:
        numpy = require("numpy")
        self._numpy = numpy
        self._model = _model()
        self._rate = numpy.array(_RATE_HZ, dtype=numpy.int64)
        self._upsampler = Upsampler()
        self._line: Array = None
        self._state: Array = None
        self.reset()

    def score(self, pcm: bytes) -> int:
        """Return the likelihood of a voice in the next 32 ms, in thousandths: 0 to 1,000.

        `pcm` is exactly WINDOW_BYTES of 8 kHz PCM.
        """
        if len(pcm) != WINDOW_BYTES:
            raise SpeechError(f"Silero scores {WINDOW_BYTES} bytes at a time, not {len(pcm)}.")
        line = self._line
        line[0, :_CONTEXT_SAMPLES] = line[0, -_CONTEXT_SAMPLES:]
        line[0, _CONTEXT_SAMPLES:] = self._upsampler.feed(pcm)
        asked = {"input": line, "state": self._state, "sr": self._rate}
        likelihood, self._state = self._model.run(None, asked)
        return int(likelihood[0, 0] * 1_000)

    def reset(self) -> None:
        """Forget the sound so far."""
        numpy = self._numpy
        width = _CONTEXT_SAMPLES + 2 * (WINDOW_BYTES // 2)
        self._line = numpy.zeros((1, width), dtype=numpy.float32)
        self._state = numpy.zeros((2, 1, 128), dtype=numpy.float32)
        self._upsampler.reset()


@cache
def _model() -> Model:
    """Return the one model that every call shares; running it is safe from any thread."""
    return load(SILERO_MODEL)
