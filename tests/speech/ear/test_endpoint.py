import random

import pytest

from service.audio import FRAME_SAMPLES, level, samples, silence
from service.errors import SpeechError
from service.speech.ear.endpoint import (
    PRE_ROLL,
    STIR_FRAMES_MAX,
    TAIL,
    UTTERANCE_MAX,
    Endpointer,
)
from service.speech.ear.heard import Speech, SpeechBegan, SpeechEnded, SpeechPaused
from service.speech.ear.vad import voice_activity
from service.testing.quick_ear import AnySound
from tests.speech.recordings import Recording, of_kind, recording

PIECES = [1, 37, 160, 320, 999, 4_000]
NEAR = samples(300)


def loud(duration_ms: int, sample: bytes = b"\x01") -> bytes:
    return sample * samples(duration_ms)


def quiet(duration_ms: int) -> bytes:
    return silence(samples(duration_ms))


def endpointer(patience_ms: int = 600) -> Endpointer:
    return Endpointer(AnySound(), patience_ms)


def ends(changes: tuple[Speech, ...]) -> tuple[Speech, ...]:
    """What began and ended, without the pauses in between."""
    return tuple(change for change in changes if not isinstance(change, SpeechPaused))


def fed_in_pieces(ears: Endpointer, ulaw: bytes, piece: int) -> tuple[Speech, ...]:
    parts = (ulaw[at : at + piece] for at in range(0, len(ulaw), piece))
    return tuple(change for part in parts for change in ears.feed(part))


def test_an_utterance_begins_and_ends_where_the_voice_does() -> None:
    began, ended = ends(endpointer().feed(quiet(1_000) + loud(500) + quiet(700)))
    assert began == SpeechBegan(samples(1_000))
    assert isinstance(ended, SpeechEnded)
    assert ended.from_sample == samples(1_000) - PRE_ROLL
    assert ended.to_sample == samples(1_500) + TAIL
    assert ended.audio == quiet(300) + loud(500) + quiet(300)
    assert not ended.was_cut


def test_a_click_opens_nothing() -> None:
    ears = endpointer()
    assert ears.feed(quiet(500) + loud(40) + quiet(2_000)) == ()
    assert not ears.is_speaking


def test_three_voiced_frames_of_five_open() -> None:
    blink = loud(20) + quiet(20)
    assert endpointer().feed(quiet(400) + blink * 3) == (SpeechBegan(samples(400)),)
    assert endpointer().feed(quiet(400) + (loud(20) + quiet(40)) * 9) == ()


def test_the_pre_roll_is_as_long_as_there_was_audio() -> None:
    _, ended = ends(endpointer().feed(quiet(100) + loud(300) + quiet(600)))
    assert isinstance(ended, SpeechEnded)
    assert ended.from_sample == 0
    assert ended.audio[: samples(400)] == quiet(100) + loud(300)


def test_a_pause_shorter_than_the_patience_ends_nothing() -> None:
    ears = endpointer()
    assert len(ends(ears.feed(loud(300) + quiet(580) + loud(300)))) == 1
    assert ears.is_speaking


@pytest.mark.parametrize("patience_ms", [400, 1_200])
def test_the_patience_can_change_while_the_caller_speaks(patience_ms: int) -> None:
    ears = endpointer()
    ears.feed(loud(500))
    ears.patience_ms = patience_ms
    assert ends(ears.feed(quiet(patience_ms - 20))) == ()
    (ended,) = ears.feed(quiet(20))
    assert isinstance(ended, SpeechEnded)
    assert ears.patience_ms == patience_ms


def test_less_patience_than_the_silence_so_far_ends_at_once() -> None:
    ears = endpointer(1_000)
    ears.feed(loud(500) + quiet(500))
    ears.patience_ms = 400
    (ended,) = ears.feed(quiet(20))
    assert isinstance(ended, SpeechEnded)
    assert ended.to_sample == samples(500) + TAIL


@pytest.mark.parametrize("patience_ms", [-1, 0, 99, 5_001])
def test_a_patience_out_of_range_is_refused(patience_ms: int) -> None:
    with pytest.raises(SpeechError, match=f"A patience of {patience_ms} ms"):
        endpointer(patience_ms)


def test_speech_without_end_is_cut_and_nothing_is_lost() -> None:
    ears = endpointer()
    changes = ears.feed(loud(40_000) + quiet(600))
    ended = [change for change in changes if isinstance(change, SpeechEnded)]
    assert [utterance.was_cut for utterance in ended] == [True, True, False]
    assert all(len(utterance.audio) <= UTTERANCE_MAX for utterance in ended)
    assert b"".join(utterance.audio for utterance in ended) == loud(40_000) + quiet(300)
    assert [one.to_sample for one in ended[:2]] == [two.from_sample for two in ended[1:]]


def test_a_pause_is_told_once_with_the_audio_that_the_end_will_have() -> None:
    ears = endpointer(1_200)
    ears.feed(quiet(500) + loud(500) + quiet(280))
    assert not ears.is_paused
    (paused,) = ears.feed(quiet(20))
    assert paused == SpeechPaused(quiet(300) + loud(500) + quiet(300))
    assert ears.is_paused
    assert ears.feed(quiet(880)) == ()
    (ended,) = ears.feed(quiet(20))
    assert isinstance(ended, SpeechEnded)
    assert ended.audio == paused.audio
    assert not ears.is_paused


def test_speech_that_goes_on_ends_the_pause_and_may_pause_again() -> None:
    ears = endpointer()
    first, second = ears.feed(loud(500) + quiet(400) + loud(40) + quiet(300))[1:]
    assert isinstance(first, SpeechPaused)
    assert isinstance(second, SpeechPaused)
    assert second.audio == loud(500) + quiet(400) + loud(40) + quiet(300)
    ears.feed(loud(20))
    assert not ears.is_paused
    assert ears.is_voiced
    assert ears.so_far == second.audio + loud(20)
    assert ears.open_ms == 1_260


def test_no_utterance_has_no_audio_and_no_pause() -> None:
    ears = endpointer()
    ears.feed(quiet(3_000))
    assert ears.so_far == b""
    assert ears.open_ms == 0
    assert not ears.is_paused
    assert not ears.is_voiced


def test_something_stirs_after_two_voiced_frames_until_it_is_speech() -> None:
    ears = endpointer()
    ears.feed(quiet(500) + loud(20))
    assert not ears.is_stirring
    ears.feed(loud(20))
    assert ears.is_stirring
    assert ears.feed(loud(20)) == (SpeechBegan(samples(500)),)
    assert not ears.is_stirring


def test_what_stirs_and_comes_to_nothing_is_over_within_a_moment() -> None:
    ears = endpointer()
    ears.feed(quiet(500) + loud(40) + quiet(20 * (STIR_FRAMES_MAX - 1)))
    assert ears.is_stirring
    assert ears.feed(quiet(20)) == ()
    assert not ears.is_stirring


def test_a_restored_half_no_longer_only_stirs() -> None:
    ears = endpointer()
    ears.feed(quiet(500) + loud(40))
    ears.restore(loud(500))
    assert not ears.is_stirring
    assert ears.is_speaking


def test_the_length_of_confirmed_speech_is_known_for_barge_in() -> None:
    ears = endpointer()
    ears.feed(quiet(500) + loud(40))
    assert ears.speech_ms == 0
    ears.feed(loud(20))
    assert ears.speech_ms == 60
    ears.feed(loud(200) + quiet(300))
    assert ears.speech_ms == 260
    ears.feed(quiet(300))
    assert ears.speech_ms == 0


def test_a_half_utterance_is_taken_with_its_pre_roll_and_its_last_sample() -> None:
    ears = endpointer()
    ears.feed(quiet(1_000) + loud(505))
    assert ears.take() == quiet(300) + loud(505)
    assert not ears.is_speaking
    assert ears.take() is None


def test_nothing_is_taken_when_nobody_speaks() -> None:
    ears = endpointer()
    ears.feed(quiet(1_000) + loud(40))
    assert ears.take() is None


def test_a_restored_half_stands_in_front_of_what_follows() -> None:
    before, after = endpointer(), endpointer()
    before.feed(quiet(1_000) + loud(500, b"\x02"))
    after.restore(before.take() or b"")
    assert after.is_speaking
    assert after.speech_ms == 0
    (ended,) = ends(after.feed(quiet(100) + loud(400) + quiet(600)))
    assert isinstance(ended, SpeechEnded)
    assert ended.audio == (quiet(300) + loud(500, b"\x02") + quiet(100) + loud(400) + quiet(300))
    assert (ended.from_sample, ended.to_sample) == (0, samples(800))


def test_speech_after_a_restored_half_counts_for_barge_in() -> None:
    ears = endpointer()
    ears.restore(loud(500))
    ears.feed(quiet(100) + loud(200))
    assert ears.speech_ms == 200


def test_a_restored_half_ends_when_nothing_follows() -> None:
    ears = endpointer()
    ears.feed(quiet(5_000))
    ears.restore(loud(500))
    (ended,) = ends(ears.feed(quiet(600)))
    assert isinstance(ended, SpeechEnded)
    assert ended.audio.endswith(quiet(300))
    assert loud(500) in ended.audio
    assert len(ended.audio) == samples(500) + ended.to_sample - ended.from_sample


def test_a_half_restored_late_stands_in_front_of_open_speech() -> None:
    ears = endpointer()
    ears.feed(loud(300))
    ears.restore(loud(500, b"\x02"))
    (ended,) = ends(ears.feed(quiet(600)))
    assert isinstance(ended, SpeechEnded)
    assert ended.audio == loud(500, b"\x02") + loud(300) + quiet(300)


def test_restoring_nothing_changes_nothing() -> None:
    ears = endpointer()
    ears.restore(b"")
    assert not ears.is_speaking


def test_of_a_half_that_is_too_long_the_end_is_kept() -> None:
    ears = endpointer()
    ears.restore(loud(5_000) + loud(20_000, b"\x02"))
    (ended,) = ears.feed(loud(20))
    assert isinstance(ended, SpeechEnded)
    assert ended.was_cut
    assert ended.audio == loud(15_000, b"\x02") + loud(20)


def test_memory_stays_bounded_whatever_is_fed() -> None:
    ears = endpointer()
    for part in (quiet(60_000), loud(60_000)):
        ears.feed(part)
        assert len(ears._audio) <= UTTERANCE_MAX
    assert ears.samples_fed == samples(120_000)


def test_any_pieces_give_the_same_ends_in_seeded_noise() -> None:
    for seed in range(30):
        chance = random.Random(seed)
        whole = b"".join(
            chance.choice((loud, quiet))(chance.randrange(1, 1_500)) for _ in range(30)
        )
        expected = endpointer().feed(whole)
        piece = chance.choice(PIECES)
        ears = endpointer()
        assert fed_in_pieces(ears, whole, piece) == expected, f"seed {seed}"
        assert ears.samples_fed == len(whole), f"seed {seed}"


def audible_span(ulaw: bytes) -> tuple[int, int]:
    """Return where a recording's sound begins and ends: what is within 30 dB of its loudest 20 ms."""
    levels = [level(ulaw[at : at + FRAME_SAMPLES]) for at in range(0, len(ulaw), FRAME_SAMPLES)]
    audible = [at for at, loudness in enumerate(levels) if loudness > max(levels) // 32]
    return audible[0] * FRAME_SAMPLES, (audible[-1] + 1) * FRAME_SAMPLES


@pytest.mark.parametrize("spoken", of_kind("human", "rendered"), ids=lambda spoken: spoken.file)
def test_a_recorded_caller_is_one_utterance_found_within_300_ms(spoken: Recording) -> None:
    lead = samples(1_000)
    changes = Endpointer(voice_activity()).feed(silence(lead) + spoken.ulaw + silence(lead))
    began, ended = ends(changes)
    first, last = audible_span(spoken.ulaw)
    assert isinstance(began, SpeechBegan)
    assert isinstance(ended, SpeechEnded)
    assert abs(began.at_sample - lead - first) <= NEAR
    assert -NEAR // 3 <= ended.to_sample - lead - last <= TAIL + NEAR
    assert ended.from_sample <= lead + first


@pytest.mark.parametrize("piece", PIECES)
def test_any_pieces_give_the_same_ends_of_a_recorded_caller(piece: int) -> None:
    whole = silence(4_000) + recording("human_2.ulaw") + silence(8_000)
    whole += recording("caller_sarah_yes.ulaw") + silence(8_000)
    expected = Endpointer(voice_activity()).feed(whole)
    assert len(ends(expected)) == 4
    assert fed_in_pieces(Endpointer(voice_activity()), whole, piece) == expected


@pytest.mark.parametrize("file", ["silence.ulaw", "noise_pink.ulaw"])
def test_silence_and_noise_open_nothing(file: str) -> None:
    assert Endpointer(voice_activity()).feed(recording(file)) == ()
