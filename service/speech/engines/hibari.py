"""Hibari: text to speech in about 15 ms a sentence, one American English voice in the package.

    text -> speakable text -> breaths -> 24 kHz floats -> 8 kHz -> trimmed -> louder -> mu-law
                                └── phonemes -> frames -> where each word ends (alignment.py)

What was found by probing, and is dealt with here: text without a speakable character gives no audio
and no error; "..." gives a murmur; every sentence comes with a quarter of a second of silence in
front and behind, which the caller would hear as slowness and as an invitation to speak; and the level is low, about -28 dBFS.
"""

import re
from collections.abc import Sequence

from service.audio import encode, samples, silence
from service.errors import EngineMissing, SynthesisFailed
from service.speech.engine import HIBARI_MODEL, INSTALL, Array, asset, require
from service.speech.engines.alignment import FRAME, lasts, telling, word_frames, words_in
from service.speech.resample import downsample, pcm
from service.speech.spoken import breaths, speakable
from service.speech.timing import Timed, letters, spoken_words

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
        model = telling(asset(*HIBARI_MODEL).read_bytes())
        require("onnxruntime")
        self._numpy = require("numpy")
        self._synth = require("hibari.dsp").synth
        make = require("hibari").Hibari
        try:
            self._engine = make(voice=self.voice, threads=1, model=model)
        except (
            Exception
        ) as error:  # onnxruntime raises its own kinds, which share no root of theirs
            raise EngineMissing(f"Another hibari-tts is needed ({error}): {INSTALL}.") from error
        self._speak("Ready.")  # the first sentence reads the lexicon: not in a call

    def render(self, text: str) -> bytes:
        """See Synthesizer.render."""
        if len(text) > TEXT_MAX:
            raise SynthesisFailed(
                f"A text of {len(text)} characters is too long to speak in one go."
            )
        spoken = speakable(text)
        has_words = any(sign.isalnum() for sign in spoken)
        sentences = _SENTENCE_END.split(spoken) if has_words else []
        audio, ends = b"", []
        for piece in filter(
            None, (self._speak(one) for part in sentences for one in breaths(part))
        ):
            audio += silence(PAUSE) if audio else b""
            ends += [len(audio) + end for end in piece.ends]
            audio += piece
        if not audio:
            raise SynthesisFailed(f"The synthesiser had nothing to say for {len(text)} characters.")
        counts = [sum(map(bool, map(letters, group))) for group in spoken_words(text)]
        return _timed(audio, counts, ends)

    def _speak(self, clause: str) -> Timed:
        """Return a clause's audio, and where its words end; a sign alone is no word."""
        sound, ends = self._sound(clause)
        begin, end = self._audible(sound)
        audio = b""
        if end > begin:
            peak = float(self._numpy.abs(sound).max())
            audio = encode(pcm(sound[begin : end + TAIL] * min(GAIN, PEAK_MAX / peak)))
        words = [word for word in clause.split() if letters(word)]
        counts = [1] * len(words)
        if len(words) != len(ends):  # "24" is one word here and two there.
            counts = [words_in(self._engine.g2p(word)) for word in words]
        return _timed(audio, counts, [min(max(begin, at), end) - begin for at in ends])

    def _sound(self, clause: str) -> tuple[Array, list[int]]:
        """Return a clause at 8 kHz, and where the words of its phonemes end."""
        numpy, engine = self._numpy, self._engine
        chance = numpy.random.default_rng(self.seed)
        speed = numpy.ones(1, dtype=numpy.float32)
        sounds = [numpy.zeros(0, dtype=numpy.float32)]
        ends: list[int] = []
        before = 0
        for phonemes in engine.phonemize(clause):
            ids = numpy.asarray([engine.ids(phonemes)], dtype=numpy.int64)
            *parts, frames = engine.sess.run(None, {"ids": ids, "speed": speed})
            sounds.append(self._synth(*(part[0] for part in parts), chance))
            told = word_frames(phonemes, engine.vocab, frames)
            ends += [(before + frame) * FRAME for frame in told]
            before += int(frames[-1])
        return downsample(numpy.concatenate(sounds)), ends

    def _audible(self, sound: Array) -> tuple[int, int]:
        """Return where the sound begins, with its LEAD, and where it ends; twice 0 for silence."""
        numpy = self._numpy
        steps = sound[: len(sound) - len(sound) % _STEP].reshape(-1, _STEP)
        audible = numpy.flatnonzero(numpy.abs(steps).max(axis=1) > _QUIET) if len(steps) else steps
        if not len(audible):
            return 0, 0
        first, last = int(audible[0]) * _STEP, (int(audible[-1]) + 1) * _STEP
        return max(0, first - LEAD), last


def _timed(audio: bytes, counts: Sequence[int], ends: Sequence[int]) -> Timed:
    """Return the audio with the ends of its words; with none when they can't be told apart."""
    try:
        return Timed(audio, tuple(lasts(counts, ends)))
    except ValueError:
        return Timed(audio, ())
