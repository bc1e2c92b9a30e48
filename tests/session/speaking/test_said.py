from service.audio import samples
from service.call.events import Played
from service.call.state import Prompt
from service.protocol.orders import Pointers
from service.session.speaking.model_voice import ModelVoice
from service.session.speaking.said import REPEAT, Lent, Said
from service.speech.timing import Timed

CLAUSES = ("one two three", "four five", "six")


def told(count: int, *ends: int) -> Timed:
    return Timed(b"\x00" * count, ends)


def test_a_prompt_counts_from_its_first_clause_heard_here() -> None:
    said = Said(Prompt("p1", 1, CLAUSES, clauses_heard=1, heard_samples=2_500, done_samples=2_000))
    assert (said.first, said.is_done) == (1, False)
    said.rendered(CLAUSES[1], told(800, 300, 800))
    said.rendered(CLAUSES[2], told(400, 400))
    assert said.played(Pointers("p1", 1_200, 1_000, 500, 550)) == Played(
        prompt="p1",
        clauses=1,
        part_samples=500,
        part_of_samples=800,
        part_words=1,
        synthesised_samples=3_200,
        sent_samples=3_000,
        heard_samples=2_500,
    )
    said.heard_to(1)
    at = said.played(Pointers("p1", 1_200, 1_000, 900, 950))
    assert (at.clauses, at.part_samples, at.part_words, at.heard_samples) == (2, 100, 0, 2_900)
    said.heard_to(2)
    said.heard_to(1)
    assert said.is_done
    at = said.played(Pointers("p1", 1_200, 1_200, 1_200, 1_200))
    assert (at.clauses, at.part_samples, at.part_words, at.heard_samples) == (3, 0, -1, 3_200)


def test_what_is_not_rendered_yet_has_no_words() -> None:
    said = Said(Prompt("p1", 1, CLAUSES))
    assert said.played(Pointers("p1")) == Played(prompt="p1", clauses=0)


def test_a_clause_whose_end_is_not_told_yet_is_not_counted_beyond_itself() -> None:
    said = Said(Prompt("p1", 1, CLAUSES))
    said.rendered(CLAUSES[0], told(900, 300, 600, 900))
    said.rendered(CLAUSES[1], told(800, 300, 800))
    at = said.played(Pointers("p1", 1_700, 1_700, 1_200, 1_200))
    assert (at.clauses, at.part_samples, at.part_words, at.heard_samples) == (0, 900, 3, 900)


def test_words_are_told_by_what_was_probably_reached() -> None:
    said = Said(Prompt("p1", 1, CLAUSES))
    said.rendered(CLAUSES[0], told(900, 300, 600, 900))
    at = said.played(Pointers("p1", 900, 900, 590, 610))
    assert (at.part_samples, at.part_words, at.heard_samples) == (590, 2, 590)


def test_a_models_prompt_goes_on_where_the_voice_knows_it_was_heard_to() -> None:
    voice = ModelVoice()
    voice.begin("m1")
    voice.add("m1", b"\x2a" * samples(400))
    voice.tell("m1", "Hello there.", is_last=True)
    prompt = Prompt("m1", 1, ("Hello there.",), voice="model", heard_samples=samples(100))
    voice.played("m1", heard=samples(250), sent=samples(400), queued=samples(400))
    lent = Lent(prompt, voice)
    piece = lent.take()
    assert piece is not None
    assert len(piece) == samples(150) + REPEAT
    assert lent.take() == b""
    at = Pointers("m1", len(piece), len(piece), len(piece), len(piece))
    got = lent.played(at)
    assert (got.heard_samples, lent.is_done) == (samples(400), True)


def test_of_a_live_voice_it_is_worth_writing_once_a_second_and_at_the_end() -> None:
    voice = ModelVoice()
    voice.begin("h1")
    lent = Lent(Prompt("h1", 1, ("",), voice="person", is_open=True), voice)
    for _ in range(12):
        assert voice.add("h1", b"a" * samples(100))
        assert lent.take() is not None
    assert [piece for piece in range(1, 13) if lent.heard_to(piece)] == [10]
    voice.end("h1")
    assert lent.take() == b""
    assert lent.heard_to(12)
    assert Lent(Prompt("m1", 1, ("",), voice="model", is_open=True), voice).heard_to(1)
