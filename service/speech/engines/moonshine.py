"""Moonshine tiny, English: speech to text on one thread, about 55 ms for three seconds of speech.

The package `moonshine-voice` brings its own library with its own voice activity; of it only the model
files are used, run by onnxruntime: four times less work and better recognition than the library, and
the logits, from which the confidence comes. The loop is greedy: always the likeliest token.

    mu-law -> PCM -> 16 kHz floats -> encoder -> one vector for 24 ms -> decoder, token by token -> text

The trap: the decoder's `encoder_attention_mask` is the mask of the *samples*, as given to the encoder,
not of the encoder's vectors. With a mask of vectors everything beyond about 9 s of audio fails.
"""

from functools import cached_property
from typing import TypeAlias

from service.audio import decode, milliseconds, samples
from service.errors import SpeechError
from service.speech.engine import (
    MOONSHINE_DECODER,
    MOONSHINE_ENCODER,
    MOONSHINE_TOKENS,
    Array,
    asset,
    load,
    require,
)
from service.speech.resample import upsample
from service.speech.transcript import NOTHING, Transcript, believed

AUDIO_MIN = samples(120)  # shorter than any word, and close to what the encoder can't take
AUDIO_MAX = samples(30_000)  # what the model was trained on; an utterance is cut at half of it
TOKENS_PER_S_MAX = 12  # people manage six; beyond that the model is going round in circles
TOKENS_MIN = 12  # a spelled "yes" is short, but its first tokens cost the same
_START, _END = 1, 2
_SPACE = "\N{LOWER ONE EIGHTH BLOCK}"  # stands for a space inside tokens

_Memory: TypeAlias = dict[str, Array]


class Moonshine:
    """The recogniser. Raises EngineMissing when it is made and its files are not installed."""

    name = "moonshine"

    def __init__(self) -> None:
        self._numpy = require("numpy")
        self._encoder = load(MOONSHINE_ENCODER)
        self._decoder = load(MOONSHINE_DECODER)
        self._tokens = _read_tokens(asset(*MOONSHINE_TOKENS).read_bytes())

    def transcribe(self, ulaw: bytes) -> Transcript:
        """See Recognizer.transcribe. Raises SpeechError for more than 30 s of audio."""
        if len(ulaw) > AUDIO_MAX:
            raise SpeechError(
                f"An utterance of {milliseconds(len(ulaw))} ms is too long to transcribe; "
                f"at most {milliseconds(AUDIO_MAX)} ms."
            )
        if len(ulaw) < AUDIO_MIN:
            return NOTHING
        tokens, confidence_milli = self._listen(upsample(decode(ulaw)))
        return believed(self._text(tokens), confidence_milli)

    def _listen(self, sound: Array) -> tuple[list[int], int]:
        """Return the likeliest tokens, and how likely they were."""
        numpy = self._numpy
        line = sound[numpy.newaxis, :]
        mask = numpy.ones(line.shape, dtype=numpy.int64)
        heard = self._encoder.run(None, {"input_values": line, "attention_mask": mask})[0]
        asked = {
            "encoder_attention_mask": mask,
            "encoder_hidden_states": heard,
            "input_ids": numpy.array([[_START]], dtype=numpy.int64),
            "use_cache_branch": numpy.array([False]),
            **self._blank_memory,
        }
        limit = max(TOKENS_MIN, len(sound) * TOKENS_PER_S_MAX // 16_000)
        tokens: list[int] = []
        likelihood = numpy.float64(0)
        while len(tokens) < limit:
            logits, *present = self._decoder.run(None, asked)
            scores = logits[0, -1]
            token = int(scores.argmax())
            likelihood -= numpy.log(numpy.exp(scores - scores[token]).sum())
            tokens.append(token)
            if token == _END:
                break
            self._remember(asked, present)
            asked["input_ids"] = numpy.array([[token]], dtype=numpy.int64)
        return tokens, int(1_000 * numpy.exp(likelihood / len(tokens)))

    def _remember(self, asked: _Memory, present: list[Array]) -> None:
        """Carry the decoder's memory over; what it made of the sound it makes once, at the first token."""
        is_first = not asked["use_cache_branch"][0]
        for name, memory in zip(self._memory_names, present, strict=True):
            if is_first or ".decoder." in name:
                asked[name] = memory
        asked["use_cache_branch"] = self._numpy.array([True])

    @cached_property
    def _memory_names(self) -> tuple[str, ...]:
        names = (given.name for given in self._decoder.get_inputs())
        return tuple(name for name in names if name.startswith("past_key_values."))

    @cached_property
    def _blank_memory(self) -> _Memory:
        numpy = self._numpy
        given = {given.name: given.shape for given in self._decoder.get_inputs()}
        blank = {}
        for name in self._memory_names:
            _, heads, _, width = given[name]
            blank[name] = numpy.zeros((1, heads, 0, width), dtype=numpy.float32)
        return blank

    def _text(self, tokens: list[int]) -> str:
        """Join tokens to text. The first three are no text; what is no UTF-8 is replaced."""
        pieces = b"".join(self._tokens[token] for token in tokens if token > _END)
        return pieces.decode("utf-8", "replace").replace(_SPACE, " ").strip()


def _read_tokens(packed: bytes) -> list[bytes]:
    """Return the tokens of the tokenizer's file: each is one byte of length, then its text."""
    tokens, at = [], 0
    while at < len(packed):
        end = at + 1 + packed[at]
        tokens.append(packed[at + 1 : end])
        at = end
    return tokens
