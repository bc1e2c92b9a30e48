from service.protocol.buffer import LAG_MS_MAX, Buffer

START_MS = 1_000_000


def test_plays_from_the_moment_the_audio_was_sent() -> None:
    buffer = Buffer()
    assert buffer.played(START_MS) == 0
    buffer.send(1_600, START_MS)
    assert [buffer.played(START_MS + ms) for ms in (-1, 0, 1, 199, 200, 900)] == [
        0,
        0,
        8,
        1_592,
        1_600,
        1_600,
    ]
    assert buffer.plays_at_ms(1_600) == START_MS + 200
    assert buffer.plays_at_ms(1_593) == START_MS + 200
    assert buffer.plays_at_ms(0) == START_MS


def test_audio_sent_while_it_plays_goes_on_without_a_seam() -> None:
    buffer = Buffer()
    buffer.send(1_601, START_MS)
    buffer.send(1_600, START_MS + 200)
    assert buffer.played(START_MS + 200) == 1_600
    assert buffer.played(START_MS + 201) == 1_608
    assert buffer.plays_at_ms(3_201) == START_MS + 401


def test_a_dry_buffer_stands_still() -> None:
    buffer = Buffer()
    buffer.send(800, START_MS)
    buffer.send(800, START_MS + 500)
    assert buffer.played(START_MS + 500) == 800
    assert buffer.played(START_MS + 550) == 1_200
    assert (buffer.plays_at_ms(800), buffer.plays_at_ms(801)) == (START_MS + 100, START_MS + 501)


def test_an_echo_shows_the_lag() -> None:
    buffer = Buffer()
    buffer.send(8_000, START_MS)
    buffer.saw(1_600, START_MS + 260)
    assert buffer.lag_ms == 60
    assert buffer.played(START_MS + 260) == 1_600
    assert buffer.plays_at_ms(3_200) == START_MS + 460
    buffer.saw(3_200, START_MS + 430)
    assert buffer.lag_ms == 30


def test_the_lag_reaches_back_over_a_dry_moment() -> None:
    buffer = Buffer()
    buffer.send(80, START_MS)
    buffer.saw(80, START_MS + 40)
    buffer.send(80, START_MS + 35)
    assert buffer.lag_ms == 30
    assert buffer.played(START_MS + 35) == 40
    assert buffer.played(START_MS + 64) == 80
    assert buffer.played(START_MS + 66) == 88


def test_an_echo_too_early_and_one_far_too_late_are_not_believed() -> None:
    buffer = Buffer()
    buffer.send(8_000, START_MS)
    buffer.saw(8_000, START_MS)
    assert (buffer.lag_ms, buffer.played(START_MS + 1)) == (0, 8)
    buffer.saw(8, START_MS + 60_000)
    assert buffer.lag_ms == LAG_MS_MAX


def test_after_emptying_nothing_sent_before_plays_on() -> None:
    buffer = Buffer()
    buffer.send(8_000, START_MS)
    buffer.empty()
    assert buffer.played(START_MS + 1) == buffer.sent == 8_000
    assert buffer.plays_at_ms(8_000) == 0
    buffer.send(80, START_MS + 10)
    assert buffer.played(START_MS + 11) == 8_008


def test_old_runs_are_forgotten_once_no_lag_reaches_them() -> None:
    buffer = Buffer()
    for turn in range(1_000):
        buffer.send(8, START_MS + turn * 100)
    assert len(buffer._runs) <= LAG_MS_MAX // 100 + 2
    assert buffer.played(START_MS + 99_900) == 999 * 8
    assert buffer.plays_at_ms(8) > START_MS
