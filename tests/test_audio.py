import random

from service import audio


def test_eight_samples_are_a_millisecond_and_less_is_none() -> None:
    assert audio.samples(20) == audio.FRAME_SAMPLES == 160
    assert [audio.milliseconds(count) for count in (0, 7, 8, 15, 16)] == [0, 0, 1, 1, 2]
    assert audio.samples(1_000) == audio.SAMPLE_RATE_HZ


def test_silence_is_silent() -> None:
    assert audio.silence(3) == b"\xff\xff\xff"
    assert audio.decode(audio.silence(2)) == b"\x00\x00\x00\x00"
    assert audio.level(audio.silence(160)) == 0
    assert audio.level(b"") == 0


def test_every_mu_law_byte_survives_decoding_but_the_second_zero() -> None:
    every = bytes(range(256))
    again = audio.encode(audio.decode(every))
    assert [at for at in range(256) if again[at] != every[at]] == [0x7F]
    assert len(audio.decode(every)) == 512


def test_speech_keeps_its_shape_within_the_steps_of_mu_law() -> None:
    for seed in range(20):
        chance = random.Random(seed)
        values = [chance.randrange(-32_000, 32_000) for _ in range(160)]
        pcm = b"".join(value.to_bytes(2, "little", signed=True) for value in values)
        again = memoryview(audio.decode(audio.encode(pcm))).cast("h")
        for value, heard in zip(values, again, strict=True):
            assert abs(value - heard) <= max(8, abs(value) // 16), f"seed {seed}"


def test_a_louder_sound_has_a_higher_level() -> None:
    loud = audio.encode(b"\x00\x7d" * 160)
    soft = audio.encode(b"\x00\x05" * 160)
    assert 32_767 >= audio.level(loud) > audio.level(soft) > 0
