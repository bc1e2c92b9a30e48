"""What one socket may send in a second and at once."""

import random

import pytest

from service.wire.flood import (
    BYTES_AT_ONCE_MAX,
    FRAMES_A_S,
    FRAMES_AT_ONCE_MAX,
    PURSE_FRAMES,
    Flood,
)


def admits(flood: Flood, frames: int, octets: int, now_ms: int) -> bool:
    return flood.has_paid(frames, octets) or flood.admits(frames, octets, now_ms)


def test_a_burst_is_let_through_and_not_one_more() -> None:
    """S-9: 300 frames at once, then 120 a second."""
    flood = Flood(0)
    assert all(admits(flood, 1, 300, 0) for _ in range(FRAMES_AT_ONCE_MAX))
    assert not admits(flood, 1, 300, 0)
    assert sum(admits(flood, 1, 300, 1_000) for _ in range(1_000)) == FRAMES_A_S


def test_bytes_are_counted_beside_frames() -> None:
    flood = Flood(0)
    assert admits(flood, 1, BYTES_AT_ONCE_MAX, 0)
    assert not admits(flood, 1, 1, 0)
    assert admits(flood, 1, 65_000, 1_000)


@pytest.mark.parametrize("seed", range(20))
def test_a_call_of_any_length_with_stalls_of_three_seconds_is_never_a_flood(seed: int) -> None:
    rng = random.Random(seed)
    flood, now_ms, waiting = Flood(0), 0, 0
    for _ in range(3_000):
        stall_ms = rng.choice([20] * 200 + [3_000])
        now_ms += stall_ms
        waiting += stall_ms // 20
        assert all(admits(flood, 1, 340, now_ms) for _ in range(waiting)), f"{seed=} {now_ms=}"
        waiting = 0


@pytest.mark.parametrize("seed", range(20))
def test_over_any_stretch_no_more_passes_than_the_burst_and_the_rate(seed: int) -> None:
    rng = random.Random(seed)
    flood, now_ms, passed = Flood(0), 0, 0
    while admits(flood, 1, 1, now_ms):
        passed += 1
        now_ms += rng.randrange(9)
    assert passed >= FRAMES_AT_ONCE_MAX, f"{seed=}"
    assert passed * 1_000 <= FRAMES_AT_ONCE_MAX * 1_000 + FRAMES_A_S * now_ms, f"{seed=} {now_ms=}"


def test_what_we_did_not_read_ourselves_is_no_burst_of_the_peers() -> None:
    flood = Flood(0)
    assert admits(flood, FRAMES_AT_ONCE_MAX, BYTES_AT_ONCE_MAX, 0)
    flood.forgive(5_500)
    assert admits(flood, 5_500 // 20, 340 * 5_500 // 20, 0), "frames of a call"
    assert not admits(flood, 5_500 * FRAMES_A_S // 1_000, 0, 0), "and no more than so many"


def test_a_clock_that_goes_back_gives_nothing() -> None:
    flood = Flood(10_000)
    assert admits(flood, FRAMES_AT_ONCE_MAX, 1, 10_000)
    assert not admits(flood, 1, 1, 5_000)


def test_a_calls_frames_are_nearly_all_paid_without_a_look_at_the_clock() -> None:
    flood = Flood(0)
    looks = 0
    for frame in range(1_000):
        if not flood.has_paid(1, 380):
            looks += 1
            assert flood.admits(1, 380, 20 * frame)
    assert 0 < looks <= 1_000 // PURSE_FRAMES
