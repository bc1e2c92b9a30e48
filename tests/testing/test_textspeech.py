import random

import pytest

from service.audio import level, samples, silence
from service.speech.timing import Timed, word_ends
from service.testing.textspeech import (
    TextRecognizer,
    TextSynthesizer,
    lasts_ms,
    literal,
    placed,
    smooth,
    spoken,
    words,
    written,
)

LINE = "Hello Maria, what can I do for you?"


@pytest.mark.parametrize("text", [LINE, "no", "Zoë Łukasz 株式会社 🙂", "x" * 400, "a\nb\tc"])
def test_what_is_said_is_read_back_to_the_letter(text: str) -> None:
    assert literal(words(spoken(text))) == " ".join(text.split())


def test_each_word_is_known_before_it_is_said_and_has_its_place() -> None:
    speech = spoken(LINE)
    assert words(speech) == written(LINE)
    assert [end for end, _ in placed(speech)] == list(speech.ends)


def test_half_a_character_is_no_reason_to_fall_silent() -> None:
    assert literal(words(spoken("so \ud83d so"))) == "so ? so"


def test_nothing_to_say_is_no_sound() -> None:
    assert spoken(" ") == b""
    assert TextRecognizer().transcribe(b"").text == ""


def test_only_words_heard_to_their_last_sample_count() -> None:
    audio = spoken(LINE)
    for at, end in enumerate(audio.ends):
        assert len(words(audio[:end])) == at + 1
        assert len(words(audio[: end - 1])) == at


def test_the_ends_of_the_words_are_told_as_an_engine_tells_them() -> None:
    audio = TextSynthesizer().render(LINE)
    assert isinstance(audio, Timed)
    assert word_ends(LINE, audio) == tuple(samples(40) * (n + 1) for n in range(8))


def test_a_short_word_is_long_enough_to_be_noticed() -> None:
    assert len(spoken("no")) == samples(120)
    assert lasts_ms("no") == 40
    assert word_ends("no", spoken("no")) == (samples(120),)


def test_every_word_is_loud_and_no_part_of_it_is_silence() -> None:
    audio = spoken("yes indeed")
    assert level(audio) > 1_000
    assert not audio.count(silence(1))


def test_sound_that_is_no_text_is_passed_over() -> None:
    chance = random.Random(7)
    noise = bytes(chance.choice(b"\x20\x21\x00\x0f\x80\x8f\xff") for _ in range(20_000))
    assert words(noise) == ()
    assert TextRecognizer().transcribe(noise).confidence_milli == 0


def test_a_word_that_was_changed_on_the_way_is_no_word() -> None:
    audio = bytearray(spoken("one two three"))
    audio[-3] ^= 0x01
    assert literal(words(bytes(audio))) == "one two"


def test_a_clause_that_was_cut_and_is_said_again_stands_there_once() -> None:
    whole = spoken(LINE)
    heard = words(whole[: whole.ends[2] + 50] + whole)
    assert literal(heard) == f"Hello Maria, what {LINE}"
    assert smooth(heard) == LINE


def test_a_clause_said_twice_stands_there_twice() -> None:
    assert smooth(words(spoken("Hello Maria.") + spoken("Hello Maria."))) == (
        "Hello Maria. Hello Maria."
    )


def test_a_clause_said_again_after_other_words_is_a_second_saying() -> None:
    whole = spoken("What is it?")
    heard = words(whole[: whole.ends[1]] + spoken("Sorry.") + whole)
    assert smooth(heard) == "What is Sorry. What is it?"


def test_a_speaker_who_is_stopped_goes_on_within_a_word_and_loses_none() -> None:
    audio = spoken(LINE)
    for stopped in range(0, len(audio), 37):
        back = max(0, stopped - stopped % samples(40))
        assert smooth(words(audio[:stopped] + silence(500) + audio[back:])) == LINE
