from service.speech.ear.foreground import (
    BLOCK_FRAMES,
    BLOCKS_MIN,
    DOUBTFUL_FRAMES,
    FULL_SCALE,
    QUIET_CALLER_DB,
    SPAN_DB_MAX,
    Foreground,
)

CALLER_DB = -20
SECOND = 50
FADED = 12  # frames: a loud sound rings on in the smoothed level by 3 dB a frame


def at_db(loudness_db: float) -> int:
    return round(FULL_SCALE * 10 ** (loudness_db / 20))


def fed(ear: Foreground, loudness_db: float, frames: int, *, is_voice: bool = True) -> list[bool]:
    return [ear.is_near(at_db(loudness_db), is_voice=is_voice) for _ in range(frames)]


def heard_a_caller() -> Foreground:
    ear = Foreground()
    fed(ear, -90, 3 * SECOND, is_voice=False)
    fed(ear, CALLER_DB, SECOND)
    return ear


def heard_a_caller_among_voices(behind_db: float) -> Foreground:
    ear = Foreground()
    fed(ear, behind_db, BLOCKS_MIN * BLOCK_FRAMES)
    fed(ear, CALLER_DB, SECOND)
    return ear


def test_what_is_no_voice_is_not_the_caller_however_loud() -> None:
    assert not any(fed(Foreground(), -3, SECOND, is_voice=False))


def test_a_quiet_caller_is_heard_from_the_first_words() -> None:
    assert all(fed(Foreground(), QUIET_CALLER_DB, SECOND))


def test_a_weak_syllable_of_the_caller_is_the_callers() -> None:
    assert all(fed(heard_a_caller(), CALLER_DB - SPAN_DB_MAX + 2, 10))


def test_a_voice_far_below_the_callers_is_somebody_elses() -> None:
    assert not any(fed(heard_a_caller(), CALLER_DB - SPAN_DB_MAX - 8, SECOND)[FADED:])


def test_a_less_loud_person_on_the_same_phone_is_heard_after_a_while() -> None:
    ear = heard_a_caller()
    verdicts = []
    for _ in range(8):
        verdicts.append(fed(ear, CALLER_DB - SPAN_DB_MAX - 8, 2 * SECOND)[FADED:])
        fed(ear, -90, SECOND, is_voice=False)
    assert not any(verdicts[0])
    assert all(verdicts[-1])


def test_voices_between_the_callers_words_draw_the_threshold_nearer() -> None:
    ear = heard_a_caller_among_voices(-36)
    verdicts = fed(ear, -34, SECOND)
    assert not any(verdicts[DOUBTFUL_FRAMES + FADED :])
    assert all(fed(ear, CALLER_DB, SECOND)[2:])


def test_the_same_level_is_the_callers_where_nobody_else_talks() -> None:
    assert all(fed(heard_a_caller(), -34, SECOND))


def test_a_caller_who_drops_their_voice_among_others_is_heard_out() -> None:
    ear = heard_a_caller_among_voices(-36)
    assert all(fed(ear, -30, DOUBTFUL_FRAMES))
    assert not any(fed(ear, -30, SECOND)[FADED:])
    assert all(fed(ear, CALLER_DB, 5)[1:])
    assert all(fed(ear, -30, DOUBTFUL_FRAMES))


def test_steady_noise_between_words_is_not_a_voice_behind() -> None:
    ear = Foreground()
    fed(ear, -36, BLOCKS_MIN * BLOCK_FRAMES, is_voice=False)
    fed(ear, CALLER_DB, SECOND)
    assert all(fed(ear, -33, SECOND))


def test_digital_silence_and_full_scale_are_levels_like_others() -> None:
    ear = Foreground()
    assert not any(ear.is_near(0, is_voice=False) for _ in range(SECOND))
    assert not ear.is_near(0, is_voice=True)
    assert ear.is_near(FULL_SCALE, is_voice=True)
