"""Hibari: text to speech in about 15 ms a sentence, one American English voice in the package.

    text -> speakable text -> breaths -> 24 kHz floats -> 8 kHz -> trimmed -> louder -> mu-law

What was found by probing, and is dealt with here: text without a speakable character gives no audio
and no error; "..." gives a murmur; every sentence comes with a quarter of a second of silence in
front and behind, which the caller would hear as slowness and as an invitation to speak; and the level is low, about -28 dBFS.
"""

import re

from service.audio import encode, samples, silence
from service.errors import SynthesisFailed
from service.speech.engine import HIBARI_MODEL, Array, asset, require
from service.speech.resample import downsample, pcm
from service.speech.spoken import breaths, speakable

TEXT_MAX = 2_000  # characters, two minutes of speech: nobody says more in one go on a telephone
LEAD = samples(40)  # what stays in front of the first sound
TAIL = samples(80)  # and behind the last: soft endings lie below the threshold
GAIN = 2.0  # +6 dB brings it to where telephone speech lies
PEAK_MAX = 0.9  # of full scale: the gain stops here, so nothing is ever clipped
PAUSE = samples(150)  # between sentences; the engine's own of 0.7 s sounds like "your turn"
_QUIET = 0.004  # -48 dBFS: below it lies the engine's own noise
_STEP = samples(5)
_SEED = 20_240  # any number, but always the same: prompts are cached and compared

# After three letters, so that "Dr. Miller" stays in one breath.
_SENTENCE_END = re.compile(r"(?<=\w{3}[.!?])\s+(?=[A-Z])")


class Hibari:
    """The synthesiser. Raises EngineMissing when it is made and its package is not installed."""

    name = "hibari"
    voice = "heart"

    def __init__(self, seed: int = _SEED) -> None:
        self.seed = seed
        asset(*HIBARI_MODEL)  # or the package would try to download it
        require("onnxruntime")
        self._numpy = require("numpy")
        self._engine = require("hibari").Hibari(voice=self.voice, threads=1)
        self._engine("Ready.", seed=seed)  # the first sentence reads the lexicon: not in a call

    def render(self, text: str) -> bytes:
        """See Synthesizer.render."""
        if len(text) > TEXT_MAX:
            raise SynthesisFailed(
                f"A text of {len(text)} characters is too long to speak in one go."
            )
        spoken = speakable(text)
        has_words = any(sign.isalnum() for sign in spoken)
        sentences = _SENTENCE_END.split(spoken) if has_words else []
        pieces = [self._speak(breath) for one in sentences for breath in breaths(one)]
        audio = silence(PAUSE).join(filter(None, pieces))
        if not audio:
            raise SynthesisFailed(f"The synthesiser had nothing to say for {len(text)} characters.")
        return audio

    def _speak(self, clause: str) -> bytes:
        sound = self._trimmed(downsample(self._engine(clause, seed=self.seed)))
        if not len(sound):
            return b""
        peak = float(self._numpy.abs(sound).max())
        return encode(pcm(sound * min(GAIN, PEAK_MAX / peak)))

    def _trimmed(self, sound: Array) -> Array:
        """Return the sound without the silence around it; nothing when it is all silence."""
        numpy = self._numpy
        steps = sound[: len(sound) - len(sound) % _STEP].reshape(-1, _STEP)
        audible = numpy.flatnonzero(numpy.abs(steps).max(axis=1) > _QUIET) if len(steps) else steps
        if not len(audible):
            return sound[:0]
        first, last = int(audible[0]) * _STEP, (int(audible[-1]) + 1) * _STEP
        return sound[max(0, first - LEAD) : last + TAIL]
