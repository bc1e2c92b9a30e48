from base64 import b64decode
from pathlib import Path

import pytest

from service.audio import SILENCE, encode, level, samples
from service.call.inputs import Measured
from service.session.sound.levels import FLOOR_DB, LAST_MS_MIN, PIECE, TELL_MS, Levels, scaled

LOUD = encode(b"\x00\x40" * 8_000)  # a second at half of full scale
HALF = 230  # -6 dB


def told(measured: Measured | None) -> tuple[int, list[int], list[int]]:
    assert measured is not None
    return measured.at_ms, list(b64decode(measured.caller)), list(b64decode(measured.ours))


def test_levels_are_told_in_steps_of_a_tenth_of_a_second() -> None:
    levels = Levels(10_000)
    for frame in range(25):  # half a second of sound, then silence
        levels.caller(LOUD[:160], 10_020 + 20 * frame)
    assert levels.take(10_000 + TELL_MS - 1) is None
    at_ms, caller, ours = told(levels.take(10_000 + TELL_MS))
    assert (at_ms, len(caller), len(ours)) == (10_000, TELL_MS // 100, TELL_MS // 100)
    assert caller[1:6] == pytest.approx([HALF] * 5, abs=2)
    assert not any(caller[6:])
    assert not any(ours)


def test_a_large_message_spreads_over_the_time_that_it_took() -> None:
    levels = Levels(0)
    levels.caller(LOUD, 1_000)
    _, caller, _ = told(levels.take(TELL_MS))
    assert [bool(one) for one in caller[:12]] == [False, *[True] * 10, False]


def test_what_we_send_ahead_is_heard_when_its_turn_comes() -> None:
    levels = Levels(0)
    levels.ours(LOUD, 100)
    levels.ours(SILENCE * samples(300), 150)
    levels.ours(LOUD[: samples(200)], 160)
    _, _, ours = told(levels.take(TELL_MS))
    assert [bool(one) for one in ours[:17]] == [
        False,
        *[True] * 10,
        *[False] * 3,
        True,
        True,
        False,
    ]


def test_what_was_cleared_is_never_heard() -> None:
    levels = Levels(0)
    levels.ours(LOUD, 0)
    levels.cleared(450)
    levels.ours(LOUD[: samples(100)], 1_000)
    _, _, ours = told(levels.take(TELL_MS))
    assert [bool(one) for one in ours[:12]] == [*[True] * 5, *[False] * 5, True, False]


def test_silence_is_not_told_and_time_goes_on() -> None:
    levels = Levels(0)
    levels.caller(SILENCE * samples(TELL_MS), TELL_MS)
    assert levels.take(TELL_MS) is None
    levels.caller(LOUD[: samples(100)], TELL_MS + 1_000)
    assert levels.take(2 * TELL_MS - 1) is None
    assert told(levels.take(2 * TELL_MS))[0] == TELL_MS


def test_the_end_of_a_stream_tells_a_shorter_rest() -> None:
    levels = Levels(0)
    levels.caller(LOUD[: samples(200)], 300)
    assert levels.take(LAST_MS_MIN - 1, is_last=True) is None
    at_ms, caller, _ = told(levels.take(LAST_MS_MIN, is_last=True))
    assert (at_ms, len(caller)) == (0, 10)


def test_a_process_that_stood_still_tells_the_latest_only() -> None:
    levels = Levels(0)
    levels.caller(LOUD[: samples(100)], 59_950)
    at_ms, caller, _ = told(levels.take(60_000))
    assert (at_ms, len(caller)) == (60_000 - TELL_MS, TELL_MS // 100)


@pytest.mark.parametrize(
    ("amplitude", "byte"), [(0, 0), (1, 0), (32, 0), (40, 7), (16_384, 229), (32_767, 255)]
)
def test_amplitudes_are_scaled_by_decibels(amplitude: int, byte: int) -> None:
    assert scaled(amplitude) == byte
    assert FLOOR_DB == -60


def test_every_third_sample_tells_the_level_of_a_voice() -> None:
    voice = (Path(__file__).parents[3] / "fixtures/audio/caller_david_long.ulaw").read_bytes()
    for at in range(0, len(voice) - PIECE, PIECE):
        levels = Levels(0)
        levels.caller(voice[at : at + PIECE], 100)
        levels.caller(LOUD[:PIECE], 200)
        _, caller, _ = told(levels.take(TELL_MS))
        assert caller[1] == pytest.approx(scaled(level(voice[at : at + PIECE])), abs=8)
