import random

import pytest

from service.audio import samples, silence
from service.errors import SpeechError
from service.speech.recognizer import recognizer
from service.speech.synthesizer import synthesizer
from service.speech.transcript import NOTHING
from tests.speech.recordings import Recording, of_kind, recording, words, words_wrong

PROMPTS = [
    "Thank you for calling support.",
    "Could you please tell me your name?",
    "Just to make sure I have this right, you are calling about the printer.",
    "Sorry, I lost you for a second, could you say that last part again?",
    "I am still looking, one moment please.",
    "Is there anything else that I can do for you?",
]


@pytest.mark.parametrize("spoken", of_kind("human", "rendered"), ids=lambda spoken: spoken.file)
def test_a_recorded_caller_is_understood_as_the_manifest_says(spoken: Recording) -> None:
    heard = recognizer().transcribe(spoken.ulaw)
    assert words_wrong(spoken.heard, heard.text) <= 1, heard  # processors round differently
    assert heard.confidence_milli > 700
    assert words_wrong(spoken.says, heard.text) <= 1 + len(words(spoken.says)) // 20, heard


@pytest.mark.parametrize("prompt", PROMPTS)
def test_what_we_say_is_understood(prompt: str) -> None:
    heard = recognizer().transcribe(synthesizer().render(prompt))
    assert words_wrong(prompt, heard.text) <= 1, heard


@pytest.mark.parametrize("listed", of_kind("noise", "silence"), ids=lambda listed: listed.file)
def test_nothing_is_heard_where_nothing_is_said(listed: Recording) -> None:
    assert recognizer().transcribe(listed.ulaw).text == ""


def test_random_bytes_are_no_words() -> None:
    for seed in range(5):
        noise = random.Random(seed).randbytes(16_000)
        assert recognizer().transcribe(noise).text == "", f"seed {seed}"


@pytest.mark.parametrize("duration_ms", [0, 1, 119])
def test_what_is_shorter_than_a_word_is_nothing(duration_ms: int) -> None:
    assert recognizer().transcribe(silence(samples(duration_ms))) == NOTHING


def test_the_shortest_audio_is_no_error() -> None:
    assert recognizer().transcribe(silence(samples(120))).text == ""


def test_a_long_utterance_is_understood_to_its_end() -> None:
    parts = [recording(f"human_{number}.ulaw") for number in (1, 4)]
    heard = recognizer().transcribe(silence(samples(500)).join(parts)).text
    assert words(heard)[-3:] == ["than", "he", "was"]


def test_too_long_an_utterance_is_refused() -> None:
    with pytest.raises(SpeechError, match="An utterance of 30001 ms is too long"):
        recognizer().transcribe(silence(samples(30_001)))
