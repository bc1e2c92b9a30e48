from itertools import pairwise

import pytest

from service.audio import milliseconds
from service.speech.engine import HIBARI_MODEL, asset, require
from service.speech.engines.alignment import lasts, telling, word_frames, words_in
from service.speech.recognizer import recognizer
from service.speech.synthesizer import synthesizer
from service.speech.timing import word_ends


def test_the_model_tells_at_which_frame_each_sound_ends() -> None:
    model = asset(*HIBARI_MODEL).read_bytes()
    runtime, numpy = require("onnxruntime"), require("numpy")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(telling(model), options, providers=["CPUExecutionProvider"])
    ids = numpy.array([[0, 50, 83, 54, 31, 0]])
    *parts, frames = session.run(None, {"ids": ids, "speed": numpy.ones(1, numpy.float32)})
    assert len(frames) == ids.size
    assert list(frames) == sorted(frames)
    # A frame of the sound is half as long as one of the lengths.
    assert 2 * frames[-1] == parts[-1].shape[-1]


def test_a_value_that_the_model_does_not_have_is_an_error_at_once() -> None:
    model = telling(asset(*HIBARI_MODEL).read_bytes(), b"/NoSuch_output_0")
    runtime = require("onnxruntime")
    with pytest.raises(Exception, match="NoSuch"):
        runtime.InferenceSession(model, providers=["CPUExecutionProvider"])


def test_words_are_what_blanks_part_and_punctuation_is_none() -> None:
    assert words_in("hələ ðɛɹ — hW ?") == 3
    known = set("hələðɛɹ,? ")
    frames = range(10, 40)
    assert word_frames("hələ, ðɛɹ ?", known, frames) == [14, 19]
    assert word_frames("", known, frames) == []
    assert word_frames("hʘə", known, frames) == [12]


def test_groups_end_with_their_last_word() -> None:
    assert lasts((1, 2, 0, 1), (5, 7, 9, 12)) == [5, 9, 9, 12]
    assert lasts((0, 1), (5,)) == [0, 5]
    with pytest.raises(ValueError, match="3 words, and the ends of 2"):
        lasts((1, 2), (5, 9))


@pytest.mark.parametrize(
    ("text", "at", "word"),
    [
        ("Please tell me in a sentence what the problem is.", 5, "sentence"),
        ("A colleague will look at this today and call you back.", 6, "today"),
        ("I see this is about the scanner on your desk.", 6, "scanner"),
    ],
)
def test_a_recogniser_hears_a_word_at_its_end_and_not_before(text: str, at: int, word: str) -> None:
    audio = synthesizer().render(text)
    ends = word_ends(text, audio)
    assert word not in recognizer().transcribe(audio[: ends[at - 1]]).text.lower()
    assert word in recognizer().transcribe(audio[: ends[at]] + b"\xff" * 1_600).text.lower()
    assert all(milliseconds(later - end) >= 40 for end, later in pairwise(ends))
