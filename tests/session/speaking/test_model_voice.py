from service.audio import samples
from service.call.events import Played
from service.session.speaking.model_voice import PIECE_MAX, PIECE_MIN, UNHEARD_MAX, ModelVoice

TEXT = "One two three four."


def voice(audio: bytes = b"", text: str = "", *, is_last: bool = False) -> ModelVoice:
    made = ModelVoice()
    made.begin("m1")
    assert made.add("m1", audio)
    made.tell("m1", text, is_last=is_last)
    return made


def played(made: ModelVoice, heard: int) -> Played:
    return made.played("m1", heard=heard, sent=heard, queued=heard)


def test_audio_is_taken_by_its_place_in_good_pieces() -> None:
    made = voice(b"a" * PIECE_MAX + b"b" * (PIECE_MIN - 1))
    assert made.take("m1", 0) == b"a" * PIECE_MAX
    assert made.take("m1", PIECE_MAX) is None  # More is coming: so little is not worth a message.
    made.tell("m1", TEXT, is_last=True)
    assert made.take("m1", PIECE_MAX) == b"b" * (PIECE_MIN - 1)
    assert made.take("m1", PIECE_MAX + PIECE_MIN - 1) == b""


def test_what_is_not_here_is_waited_for_and_never_taken_for_heard() -> None:
    made = ModelVoice()
    assert made.take("m9", 0) is None
    assert made.played("m9", heard=8, sent=8, queued=8) == Played(prompt="m9", clauses=0)
    assert made.add("m9", b"a")
    assert "m9" not in made
    assert not made.is_heard("m9")
    assert made.heard_samples("m9") == 0


def test_a_prompt_is_heard_when_it_is_whole_and_played_to_its_end() -> None:
    made = voice(b"a" * 8_000, TEXT)
    assert played(made, 8_000).clauses == 0
    made.tell("m1", TEXT, is_last=True)
    done = played(made, 8_000)
    assert (done.clauses, done.part_samples, done.heard_samples) == (1, 0, 8_000)
    assert made.is_heard("m1")
    made.tell("m1", "other words", is_last=False)
    assert made.add("m1", b"late")
    assert made.is_heard("m1")
    made.drop("m1")
    assert "m1" not in made


def test_heard_never_moves_back_nor_past_what_there_is() -> None:
    made = voice(b"a" * 8_000, TEXT)
    assert played(made, 9_000).heard_samples == 8_000
    assert played(made, 100).heard_samples == 8_000
    assert made.heard_samples("m1") == 8_000


def test_while_words_come_before_their_sound_no_more_is_claimed_than_can_be() -> None:
    made = voice(b"a" * samples(500), "One two three four five six seven eight.")
    assert played(made, samples(150)).part_words == 0  # So little holds no four words.
    assert played(made, samples(500)).part_words == 2
    assert voice(b"a" * samples(500)).played("m1", heard=99, sent=99, queued=99).part_words == 0


def test_of_a_whole_prompt_the_words_are_known_by_their_sounds() -> None:
    made = voice(b"\x10\x90" * 8_000, TEXT, is_last=True)
    counts = [played(made, 16_000 * part // 8).part_words for part in range(1, 8)]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == 3


def test_a_model_that_speaks_for_minutes_is_cut_where_nobody_listens_any_more() -> None:
    made = voice(b"a" * UNHEARD_MAX, TEXT)
    assert not made.add("m1", b"b")
    assert made.take("m1", UNHEARD_MAX) == b""
    further = voice(b"a" * UNHEARD_MAX, TEXT)
    played(further, 1_000)
    assert further.add("m1", b"b" * 1_000)


def test_sound_that_is_all_there_is_taken_to_its_end_before_its_words_are_known() -> None:
    made = voice(b"a" * (PIECE_MIN - 1))
    assert made.take("m1", 0) is None
    made.end("m1")
    made.end("m9")
    assert made.take("m1", 0) == b"a" * (PIECE_MIN - 1)
    assert made.take("m1", PIECE_MIN - 1) == b""
    assert made.waiting("m1") == PIECE_MIN - 1
    assert played(made, PIECE_MIN - 1).clauses == 0
    assert made.waiting("m1") == made.waiting("m9") == 0
    made.tell("m1", TEXT, is_last=True)
    assert played(made, PIECE_MIN - 1).clauses == 1


def test_what_is_forsaken_is_not_said_again_and_how_far_it_was_heard_stays_known() -> None:
    made = voice(b"a" * samples(1_000), TEXT, is_last=True)
    assert played(made, samples(500)).part_words == 2
    made.forsake("m1")
    made.forsake("m9")
    assert made.take("m1", samples(500)) is None
    assert played(made, 0).heard_samples == samples(500)
