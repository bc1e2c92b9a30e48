import numpy as np
import pytest
from numpy.typing import NDArray

from service.speech.resample import UP_LEAD, doubled, downsample, floats, pcm, upsample

UP_DELAY = 15  # samples of 16 kHz


def tone(hertz: int, rate_hz: int, seconds: int = 1) -> NDArray[np.float64]:
    wave: NDArray[np.float64] = 0.5 * np.sin(
        2 * np.pi * hertz * np.arange(seconds * rate_hz) / rate_hz
    )
    return wave


def decibels(sound: NDArray[np.float64]) -> float:
    return float(20 * np.log10(1e-9 + np.sqrt(2 * np.mean(sound[100:-100] ** 2)) / 0.5))


@pytest.mark.parametrize("hertz", [100, 1_000, 2_000, 3_000])
def test_speech_goes_up_unchanged(hertz: int) -> None:
    found = upsample(pcm(tone(hertz, 8_000)))
    wanted = np.roll(tone(hertz, 16_000), UP_DELAY)
    assert len(found) == 16_000
    assert np.abs(found - wanted)[100:-100].max() < 0.002


def test_going_up_leaves_little_mirror_image() -> None:
    found = upsample(pcm(tone(3_000, 8_000)))
    spectrum = np.abs(np.fft.rfft(found * np.hanning(16_000)))
    assert spectrum[5_000] < spectrum[3_000] / 300


@pytest.mark.parametrize("piece", [1, 37, 160, 2_000])
def test_pieces_join_without_a_seam_when_the_end_of_the_last_leads_in(piece: int) -> None:
    line = np.concatenate((np.zeros(UP_LEAD, np.float32), floats(pcm(tone(700, 8_000)))))
    joined = [doubled(line[at : at + UP_LEAD + piece]) for at in range(0, 8_000, piece)]
    assert np.allclose(np.concatenate(joined), doubled(line), atol=1e-6)


def test_rows_are_doubled_each_for_itself() -> None:
    rows = np.stack([floats(pcm(tone(hertz, 8_000))) for hertz in (300, 700, 1_900)])
    assert np.allclose(doubled(rows), [doubled(row) for row in rows], atol=1e-6)


@pytest.mark.parametrize("hertz", [100, 1_000, 2_000, 3_000])
def test_speech_goes_down_unchanged_and_unmoved(hertz: int) -> None:
    third = downsample(tone(hertz, 24_000))
    assert len(third) == 8_000
    assert np.abs(third - tone(hertz, 8_000))[100:-100].max() < 0.002


@pytest.mark.parametrize("hertz", [4_300, 5_000, 7_000, 9_000, 11_000])
def test_what_a_telephone_cannot_carry_does_not_fold_back(hertz: int) -> None:
    assert decibels(downsample(tone(hertz, 24_000))) < -55


@pytest.mark.parametrize(
    ("given", "got"), [(0, 0), (1, 1), (2, 1), (3, 1), (4, 2), (24_001, 8_001)]
)
def test_one_sample_stays_of_three(given: int, got: int) -> None:
    assert len(downsample(np.zeros(given, dtype=np.float32))) == got


def test_nothing_goes_up_as_nothing() -> None:
    assert len(upsample(b"")) == 0


def test_pcm_is_clipped_and_never_wraps() -> None:
    assert np.frombuffer(pcm(np.array([2.0, -2.0, 0.0])), "<i2").tolist() == [32_767, -32_768, 0]


def test_floats_and_pcm_are_inverse() -> None:
    every = np.arange(-32_768, 32_768, dtype="<i2").tobytes()
    assert pcm(floats(every)) == every
