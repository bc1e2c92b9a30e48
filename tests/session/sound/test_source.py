import random

from service.audio import FRAME_SAMPLES, SAMPLES_PER_MS, samples, silence
from service.session.sound.source import KEPT, KEPT_ALONE, SLACK, WINDOW, Source

NOW = 1_700_000_000_000 * SAMPLES_PER_MS


def noise(seed: int, count: int) -> bytes:
    return random.Random(seed).randbytes(count)


def filled(audio: bytes, lateness: int = 0) -> Source:
    source = Source()
    for at in range(0, len(audio), FRAME_SAMPLES):
        source.add(audio[at : at + FRAME_SAMPLES], NOW + at + FRAME_SAMPLES + lateness)
    return source


def test_the_latest_audio_is_kept_and_no_more() -> None:
    audio = noise(1, 2 * KEPT + samples(500))
    source = filled(audio)
    assert source.end == len(audio)
    assert KEPT <= source.end - source.begin <= 2 * KEPT
    assert source.since(source.begin) == audio[source.begin :]
    assert source.since(0) == audio[source.begin :]
    assert source.since(source.end - 3) == audio[-3:]
    assert source.since(source.end) == source.since(source.end + 9) == b""
    assert source.latest(5) == audio[-5:]
    assert Source().latest(5) == b""


def test_a_stream_that_is_alone_keeps_little_and_more_from_the_moment_it_is_not() -> None:
    source = Source(KEPT_ALONE)
    for at in range(0, 4 * KEPT, FRAME_SAMPLES):
        if at == KEPT:
            assert source.end - source.begin <= 2 * KEPT_ALONE
            source.kept = KEPT
        source.add(silence(FRAME_SAMPLES), NOW + at)
    assert KEPT <= source.end - source.begin <= 2 * KEPT


def test_a_sound_is_found_to_the_sample_and_only_near_where_it_should_be() -> None:
    audio = noise(2, samples(1_500))
    source = filled(audio)
    end = samples(900)
    tail = audio[end - 320 : end]
    for off in (0, -SLACK, SLACK, 7, -1_201):
        assert source.after(tail, end + off) == end, off
    assert source.after(tail, end + SLACK + 1) is None
    assert source.after(tail, end - SLACK - 1) is None
    assert source.after(noise(3, 320), end) is None


def test_silence_is_found_where_the_clock_says() -> None:
    source = filled(silence(samples(1_000)))
    assert source.after(silence(320), samples(500) + 3) == samples(500) + 3


def test_the_quickest_frame_tells_when_a_stream_began() -> None:
    source = Source()
    for number in range(50):
        late = 0 if number == 30 else samples(100)
        source.add(silence(FRAME_SAMPLES), NOW + (number + 1) * FRAME_SAMPLES + late)
    assert source.origin == NOW


def test_a_clock_that_drifts_is_followed() -> None:
    source = Source()
    for number in range(3 * WINDOW // FRAME_SAMPLES):
        source.add(silence(FRAME_SAMPLES), NOW + (number + 1) * (FRAME_SAMPLES + 1))
    drifted = 3 * WINDOW // FRAME_SAMPLES
    assert drifted - 2 * WINDOW // FRAME_SAMPLES <= source.origin - NOW <= drifted
