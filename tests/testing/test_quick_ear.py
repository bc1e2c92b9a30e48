import pytest

from service.audio import samples, silence
from service.errors import SpeechError
from service.speech.ear.heard import SpeechBegan, SpeechEnded
from service.testing.quick_ear import AnySound, quick_ear
from service.testing.textspeech import TextRecognizer, spoken


def test_whatever_is_no_silence_is_a_voice() -> None:
    ear = AnySound()
    assert ear.feed(silence(160) + b"\xfe" * 160) == (False, True)
    assert ear.feed(silence(80)) == ()
    assert ear.feed(silence(79) + b"\x10") == (True,)


def test_an_utterance_ends_after_an_eighth_of_the_patience() -> None:
    ear = quick_ear()
    ear.patience_ms = 1_200
    said = ear.feed(silence(3_200) + spoken("my printer is broken") + silence(samples(149)))
    assert [type(one) for one in said] == [SpeechBegan]
    ended = ear.feed(silence(samples(20)))[-1]
    assert isinstance(ended, SpeechEnded)
    assert TextRecognizer().transcribe(ended.audio).text == "my printer is broken"


def test_even_one_short_word_is_heard() -> None:
    said = quick_ear().feed(silence(3_200) + spoken("no") + silence(samples(200)))
    assert [TextRecognizer().transcribe(one.audio).text for one in said
            if isinstance(one, SpeechEnded)] == ["no"]  # fmt: skip


def test_a_patience_is_never_shorter_than_an_ear_allows_and_a_wrong_one_is_refused() -> None:
    ear = quick_ear()
    ear.patience_ms = 600
    assert ear.patience_ms == 100
    with pytest.raises(SpeechError):
        ear.patience_ms = 20
