import random

import pytest

from service.audio import SAMPLES_PER_MS
from service.protocol import track
from service.protocol.events import Finding, Lost, Stalled
from service.protocol.messages import MediaBody
from service.protocol.track import Track

START_MS = 1_000_000
FRAME = b"\xff" * 160


def frame(chunk: int | None, timestamp: int | None, payload: bytes = FRAME) -> MediaBody:
    return MediaBody(payload=payload, chunk=chunk, timestamp=timestamp)


def fed(ours: Track, frames: list[MediaBody]) -> list[tuple[bool, tuple[Finding, ...]]]:
    return [ours.feed(one, START_MS + 20 * turn) for turn, one in enumerate(frames)]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("unit", [1, SAMPLES_PER_MS])
@pytest.mark.parametrize("offset", [0, 5, 123_456])
def test_a_whole_track_has_no_findings(first: int, unit: int, offset: int) -> None:
    frames = [frame(first + turn, (offset + 20 * turn) * unit) for turn in range(50)]
    assert fed(Track(), frames) == [(True, ())] * 50


@pytest.mark.parametrize("unit", [1, SAMPLES_PER_MS])
def test_a_jump_of_the_timestamp_is_loss_and_a_burst_is_not(unit: int) -> None:
    ours = Track()
    fed(ours, [frame(turn, 20 * turn * unit) for turn in range(5)])
    assert ours.feed(frame(5, 100 * unit), START_MS + 600) == (True, ())
    assert ours.feed(frame(6, 120 * unit), START_MS + 600) == (True, ())
    assert ours.feed(frame(7, 440 * unit), START_MS + 620) == (True, (Lost(300),))
    assert ours.feed(frame(8, 480 * unit), START_MS + 640) == (True, ())


def test_to_foresee_a_frame_changes_no_verdict() -> None:
    for seed in range(300):
        chance = random.Random(seed)
        quick, slow, at_ms = Track(), Track(), START_MS
        unit, chunk, timestamp = chance.choice([1, SAMPLES_PER_MS]), 1, 0
        for _ in range(60):
            at_ms += chance.choice([20, 20, 20, 0, 900, 1_100])
            length = chance.choice([160, 160, 160, 80, 100])
            one = frame(
                chance.choice([chunk, chunk, chunk, chunk, None, chunk - 2]),
                chance.choice([timestamp, timestamp, timestamp, timestamp, None, timestamp + 400]),
                b"\xff" * length,
            )
            chunk += 1
            timestamp += length * unit // SAMPLES_PER_MS
            assert quick.feed(one, at_ms) == slow.feed(one, at_ms), f"seed {seed}"
            slow._next_chunk = track.NEVER  # it foresees nothing


def test_a_stall_is_told_by_our_clock_alone() -> None:
    ours = Track()
    fed(ours, [frame(None, None)])
    assert ours.feed(frame(None, None), START_MS + track.STALL_MS - 1) == (True, ())
    after_ms = START_MS + 2 * track.STALL_MS
    assert ours.feed(frame(None, None), after_ms) == (True, (Stalled(track.STALL_MS + 1),))


def test_frames_that_come_twice_or_late_are_old() -> None:
    ours = Track()
    fed(ours, [frame(turn, 20 * turn) for turn in range(1, 6)])
    assert ours.feed(frame(5, 100), START_MS + 100) == (False, ())
    assert ours.feed(frame(4, 80), START_MS + 100) == (False, ())
    assert ours.feed(frame(6, 120), START_MS + 120) == (True, ())


@pytest.mark.parametrize(("chunk", "timestamp"), [(1, 0), (1, None), (None, 0), (None, None)])
def test_a_peer_whose_counters_stand_still_is_heard(
    chunk: int | None, timestamp: int | None
) -> None:
    assert fed(Track(), [frame(chunk, timestamp)] * 20) == [(True, ())] * 20


def test_a_chunk_that_rises_alone_proves_nothing() -> None:
    assert fed(Track(), [frame(turn % 3, 0) for turn in range(20)]) == [(True, ())] * 20


def test_counters_that_begin_anew_are_neither_old_nor_loss() -> None:
    ours = Track()
    fed(ours, [frame(turn, 20 * turn) for turn in range(1_000)])
    again = [frame(turn, 20 * turn) for turn in range(10)]
    assert fed(ours, again) == [(True, ())] * 10
    assert ours.feed(frame(10, 10**15), START_MS + 200) == (True, ())
    assert ours.feed(frame(11, 10**15 + 20), START_MS + 220) == (True, ())


def test_an_empty_frame_teaches_nothing() -> None:
    assert fed(Track(), [frame(turn, 20 * turn, b"") for turn in range(5)]) == [(True, ())] * 5


@pytest.mark.parametrize("unit", [1, SAMPLES_PER_MS])
@pytest.mark.parametrize("is_end", [False, True])
def test_mixed_and_bare_frames_are_never_reported_wrongly(unit: int, *, is_end: bool) -> None:
    for seed in range(100):
        chance = random.Random(seed)
        ours, at, now_ms = Track(), 0, START_MS
        for turn in range(100):
            length = chance.choice((1, 160, 160, 320, 999, 4_000, 8_000))
            begin, at = at, at + length
            stamp = (at if is_end else begin) * unit // SAMPLES_PER_MS
            chunk = turn if chance.random() < 0.7 else None
            timestamp = stamp if chance.random() < 0.7 else None
            now_ms += chance.randrange(track.STALL_MS)
            found = ours.feed(frame(chunk, timestamp, b"\xff" * length), now_ms)
            assert found == (True, ()), f"seed {seed}, turn {turn}"
