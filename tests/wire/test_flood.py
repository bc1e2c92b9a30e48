"""What one socket may send in a second and at once."""

import random

import pytest

from service.wire.flood import (
    BYTES_AT_ONCE_MAX,
    FRAMES_A_S,
    FRAMES_AT_ONCE_MAX,
    Flood,
)


def test_a_burst_is_let_through_and_not_one_more() -> None:
    """S-9: 300 frames at once, then 120 a second."""
    flood = Flood(0)
    assert all(flood.admits(1, 300, 0) for _ in range(FRAMES_AT_ONCE_MAX))
    assert not flood.admits(1, 300, 0)
    assert sum(flood.admits(1, 300, 1_000) for _ in range(1_000)) == FRAMES_A_S


def test_bytes_are_counted_beside_frames() -> None:
    flood = Flood(0)
    assert flood.admits(1, BYTES_AT_ONCE_MAX, 0)
    assert not flood.admits(1, 1, 0)
    assert flood.admits(1, 65_000, 1_000)


@pytest.mark.parametrize("seed", range(20))
def test_a_call_of_any_length_with_stalls_of_three_seconds_is_never_a_flood(seed: int) -> None:
    rng = random.Random(seed)
    flood, now_ms, waiting = Flood(0), 0, 0
    for _ in range(3_000):
        stall_ms = rng.choice([20] * 200 + [3_000])
        now_ms += stall_ms
        waiting += stall_ms // 20
        assert all(flood.admits(1, 340, now_ms) for _ in range(waiting)), f"{seed=} {now_ms=}"
        waiting = 0


@pytest.mark.parametrize("seed", range(20))
def test_over_any_stretch_no_more_passes_than_the_burst_and_the_rate(seed: int) -> None:
    rng = random.Random(seed)
    flood, now_ms, passed = Flood(0), 0, 0
    while flood.admits(1, 1, now_ms):
        passed += 1
        now_ms += rng.randrange(9)
    assert passed >= FRAMES_AT_ONCE_MAX, f"{seed=}"
    assert passed * 1_000 <= FRAMES_AT_ONCE_MAX * 1_000 + FRAMES_A_S * now_ms, f"{seed=} {now_ms=}"


def test_a_clock_that_goes_back_gives_nothing() -> None:
    flood = Flood(10_000)
    assert flood.admits(FRAMES_AT_ONCE_MAX, 1, 10_000)
    assert not flood.admits(1, 1, 5_000)
