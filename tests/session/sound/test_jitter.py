from service.session.sound.jitter import Jitter


def heard(*gaps_ms: int) -> Jitter:
    jitter, now_ms = Jitter(), 1_700_000_000_000
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        jitter.heard(160, now_ms)
    return jitter


def test_before_anything_came_nothing_is_known() -> None:
    assert heard().in_samples is None


def test_frames_that_come_as_they_were_sent_have_none() -> None:
    assert heard(*[20] * 100).in_samples == 0


def test_frames_that_come_in_turn_late_and_early_have_as_much_as_they_are_off() -> None:
    """RFC 3550, 6.4.1: the mean deviation of the difference in packet spacing, smoothed."""
    jitter = heard(*[15, 25] * 200).in_samples
    assert jitter is not None
    assert 38 <= jitter <= 42  # 5 ms are 40 samples


def test_one_late_frame_is_forgotten_again() -> None:
    peak = heard(*[20] * 50, 100).in_samples
    later = heard(*[20] * 50, 100, *[20] * 200).in_samples
    assert peak == 640 // 16
    assert later is not None
    assert later < 8
