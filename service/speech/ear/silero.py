"""Silero v6, 16 kHz branch: how surely 32 ms of sound hold a voice.

The 8 kHz branch was measured to miss two thirds of the frames of spelled digits and letters, so the
telephone's 8 kHz is doubled first. One model serves every call, and many calls in one run, which takes
each a third of the time. What it remembers of a call lies in a `SileroScorer`, as plain bytes: its
recurrent state, and the sound before the window (4 ms that it wants to hear again, 2 ms for the filter).
Model and window sizes: https://github.com/snakers4/silero-vad.
"""

from collections.abc import Sequence
from functools import cache

from service.errors import SpeechError
from service.speech.engine import SILERO_MODEL, Model, load, require
from service.speech.resample import UP_LEAD, doubled, floats

WINDOW_BYTES = (
    512  # 256 samples of 8 kHz PCM, 32 ms: the only length the model takes (512 at 16 kHz)
)
SURE = 1_000  # the highest score
_CONTEXT_SAMPLES = 32  # of 8 kHz: the model wants the end of the window before
_BEFORE = bytes(2 * (UP_LEAD + _CONTEXT_SAMPLES))
_WIDTH = 128  # of the recurrent state: two vectors
_BLANK = bytes(2 * 4 * _WIDTH)
_RATE_HZ = 16_000


class SileroScorer:
    """One call's ear. Raises EngineMissing when it is made and Silero is not installed."""

    __slots__ = ("before", "state")

    def __init__(self) -> None:
        require("numpy")
        _model()
        self.reset()

    def score(self, pcm: bytes) -> int:
        """Return the likelihood of a voice in the next 32 ms, in thousandths: 0 to SURE.

        `pcm` is exactly WINDOW_BYTES of 8 kHz PCM.
        """
        return score_all(((self, pcm),))[0]

    def reset(self) -> None:
        """Forget the sound so far."""
        self.before, self.state = _BEFORE, _BLANK


def score_all(asked: Sequence[tuple[SileroScorer, bytes]]) -> list[int]:
    """Return the scores of the next windows of several calls, each as `SileroScorer.score` would.

    Each scorer may be there once. One run of the model, on the caller's thread.
    """
    numpy = require("numpy")
    for _, pcm in asked:
        if len(pcm) != WINDOW_BYTES:
            raise SpeechError(f"Silero scores {WINDOW_BYTES} bytes at a time, not {len(pcm)}.")
    count = len(asked)
    lines = floats(b"".join([scorer.before + pcm for scorer, pcm in asked])).reshape(count, -1)
    states = numpy.frombuffer(b"".join([scorer.state for scorer, _ in asked]), numpy.float32)
    likelihoods, after = _model().run(
        None,
        {
            "input": doubled(lines),
            "state": numpy.ascontiguousarray(states.reshape(count, 2, _WIDTH).swapaxes(0, 1)),
            "sr": numpy.array(_RATE_HZ, dtype=numpy.int64),
        },
    )
    for (scorer, pcm), state in zip(asked, after.swapaxes(0, 1), strict=True):
        scorer.before, scorer.state = pcm[-len(_BEFORE) :], state.tobytes()
    return [int(likelihood * SURE) for likelihood in likelihoods[:, 0].tolist()]


@cache
def _model() -> Model:
    """Return the one model that every call shares; running it is safe from any thread."""
    return load(SILERO_MODEL)
