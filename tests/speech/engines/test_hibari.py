from concurrent.futures import ThreadPoolExecutor

import pytest

from service.audio import FRAME_SAMPLES, decode, level, milliseconds, samples
from service.errors import EngineMissing, SynthesisFailed
from service.speech.engines import hibari
from service.speech.engines.alignment import telling
from service.speech.engines.hibari import PAUSE, PEAK_MAX, TAIL, TEXT_MAX, Hibari
from service.speech.synthesizer import synthesizer
from service.speech.timing import Timed

SENTENCE = "Could you please tell me your name?"


def levels(ulaw: bytes) -> list[int]:
    return [level(ulaw[at : at + FRAME_SAMPLES]) for at in range(0, len(ulaw), FRAME_SAMPLES)]


def test_the_same_text_is_the_same_audio_from_any_thread() -> None:
    audio = synthesizer().render(SENTENCE)
    with ThreadPoolExecutor(2) as threads:
        again = list(threads.map(synthesizer().render, [SENTENCE] * 6))
    assert set(again) == {audio}


def test_another_seed_is_another_take_of_the_same_length() -> None:
    audio = Hibari(seed=1).render(SENTENCE)
    assert audio != synthesizer().render(SENTENCE)
    assert abs(len(audio) - len(synthesizer().render(SENTENCE))) < samples(50)


def test_the_sound_starts_at_once_and_ends_soon() -> None:
    loudness = levels(synthesizer().render(SENTENCE))
    audible = [at for at, value in enumerate(loudness) if value > 300]
    assert 20 * audible[0] <= 100
    assert 20 * (len(loudness) - audible[-1]) <= 300


@pytest.mark.parametrize("text", [SENTENCE, "Yes!", "Your ticket is TKT-1234."])
def test_it_is_as_loud_as_telephone_speech_and_not_clipped(text: str) -> None:
    audio = synthesizer().render(text)
    assert 1_000 < level(audio) < 10_000
    assert max(map(abs, memoryview(decode(audio)).cast("h"))) <= PEAK_MAX * 32_768 * 1.03


def test_an_identifier_is_spelled() -> None:
    written = synthesizer().render("It is TKT-1234.")
    assert written == synthesizer().render("It is T, K, T, one, two, three, four.")


def test_a_long_text_is_spoken_in_full() -> None:
    once = synthesizer().render("We will look into it as soon as we can.")
    many = synthesizer().render("We will look into it as soon as we can. " * 10)
    assert 9 * len(once) < len(many) < 12 * len(once)
    assert milliseconds(len(many)) > 15_000


@pytest.mark.parametrize("text", ["", " \n", "...", "?!", "你好", "😀"])
def test_what_cannot_be_spoken_is_a_failure(text: str) -> None:
    with pytest.raises(SynthesisFailed, match="had nothing to say"):
        synthesizer().render(text)


def test_too_long_a_text_is_refused() -> None:
    with pytest.raises(SynthesisFailed, match="too long to speak"):
        synthesizer().render("a" * (TEXT_MAX + 1))


@pytest.mark.parametrize("text", ["\x00\x01hi", "<b>hi</b>", "hi 😀 there", "50 % & more", "é"])
def test_odd_text_is_spoken_all_the_same(text: str) -> None:
    assert synthesizer().render(text)


def test_no_pause_between_two_sentences_sounds_like_the_end() -> None:
    audio = synthesizer().render("It shows error code seventeen. Is that right?")
    longest = run = 0
    for at in range(0, len(audio) - 80, 80):
        run = run + 10 if level(audio[at : at + 80]) < 100 else 0
        longest = max(longest, run)
    assert 100 <= longest <= 400, f"{longest} ms of silence"


def test_it_tells_where_the_words_end() -> None:
    text = "Thank you. Your ticket is TKT-1234, for 24 pages — is that right?"
    audio = synthesizer().render(text)
    assert isinstance(audio, Timed)
    assert len(audio.ends) == len(text.split())
    assert list(audio.ends) == sorted(audio.ends)
    thanks = synthesizer().render("Thank you.")
    assert audio.ends[1] == len(thanks) - TAIL
    assert audio.ends[2] > len(thanks) + PAUSE
    spelled = audio.ends[5] - audio.ends[4]
    assert spelled > samples(1_500)
    assert audio.ends[9] == audio.ends[8]
    assert audio.ends[-1] == len(audio) - TAIL


def test_where_the_words_can_not_be_told_apart_it_tells_nothing() -> None:
    audio = synthesizer().render("x" * 260)
    assert isinstance(audio, Timed)
    assert audio.ends == ()


def test_a_model_that_does_not_tell_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hibari, "telling", lambda model: telling(model, b"/NoSuch_output_0"))
    with pytest.raises(EngineMissing, match="Another hibari-tts is needed"):
        Hibari()
