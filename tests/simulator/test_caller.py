from hypothesis import given, strategies as st

from service.audio import silence
from service.simulator.caller import PAUSE_MS, Ear, Mouth
from tests.simulator.talker import tone

LOUD = tone(20)
QUIET = silence(160)


def test_words_are_spoken_at_their_time_with_silence_around() -> None:
    mouth = Mouth()
    mouth.say(b"\x01" * 240, 1_010)
    assert mouth.audio(1_000) == silence(80) + b"\x01" * 80
    assert mouth.audio(1_020) == b"\x01" * 160
    assert mouth.audio(1_040) == silence(160)
    assert mouth.audio(960) == silence(160)


def test_the_second_utterance_waits_for_the_first() -> None:
    mouth = Mouth()
    first = mouth.say(b"\x01" * 160, 1_000)
    second = mouth.say(b"\x02" * 160, 1_005)
    assert (first.end_ms, second.start_ms) == (1_020, 1_020)
    assert mouth.audio(1_010) == b"\x01" * 80 + b"\x02" * 80


def test_a_caller_who_falls_silent_stops_in_the_middle_of_a_word() -> None:
    mouth = Mouth()
    mouth.say(b"\x01" * 800, 1_000)
    mouth.say(b"\x02" * 800, 1_000)
    mouth.hush(1_010)
    assert mouth.audio(1_000) == b"\x01" * 80 + silence(80)
    assert mouth.silent_from_ms() == 1_010


@given(st.lists(st.tuples(st.integers(0, 300), st.binary(min_size=1, max_size=900)), max_size=8))
def test_frame_by_frame_nothing_spoken_is_lost_or_doubled(says: list[tuple[int, bytes]]) -> None:
    mouth = Mouth()
    for at_ms, ulaw in says:
        mouth.say(ulaw, at_ms)
    frames = b"".join(mouth.audio(at) for at in range(0, mouth.silent_from_ms() + 20, 20))
    for utterance in mouth.utterances:
        begin = utterance.start_ms * 8
        assert frames[begin : begin + len(utterance.ulaw)] == utterance.ulaw


def test_the_ear_finds_where_the_agent_begins_and_ends() -> None:
    ear = Ear()
    assert ear.hear(QUIET, 0) is None
    began = ear.hear(LOUD, 20)
    assert began is not None
    assert ear.is_spoken_to()
    assert ear.hear(LOUD, 40) is None
    ended = next(filter(None, (ear.hear(QUIET, at) for at in range(60, 2_000, 20))))
    assert (ended.start_ms, ended.end_ms) == (20, 60)
    assert not ear.is_spoken_to()
    assert ear.quiet_ms(1_060) == 1_000


def test_a_breath_does_not_end_the_agents_speech() -> None:
    ear = Ear()
    ear.hear(LOUD, 0)
    for at_ms in range(20, PAUSE_MS, 20):
        assert ear.rest(at_ms) is None
    ear.hear(LOUD, PAUSE_MS)
    assert len(ear.stretches) == 1
