from service.call import events as e
from service.clock import Clock
from service.journal.values import Record
from service.testing.textspeech import Word
from tests.simulation.brain import GREETING
from tests.simulation.hearing import Heard, Hearing, clause_sum, was_greeted_apart
from tests.simulation.witness import Told, Witness

NUMBERS = {"MZ1": [1], "MZ2": [2]}
CLAUSES = tuple(f"Sentence {part} of answer 2." for part in range(3))


def told(at_ms: int, fact: e.Known) -> Told:
    return Told(at_ms, Record(1, 1, at_ms, b""), fact)


def sounds(text: str, stream: int, at_ms: int) -> list[Heard]:
    names = text.split()
    return [
        Heard(at_ms + 40 * index, stream, Word(name, index, len(names), clause_sum(text)))
        for index, name in enumerate(names)
    ]


def judged(
    facts: list[Told],
    heard: list[Heard],
    clears_ms: dict[int, list[int]] | None = None,
    misdated: frozenset[int] = frozenset(),
) -> int:
    witness = Witness(Clock())
    hearing = Hearing(
        "CA1",
        facts,
        heard,
        ends_ms={},
        was_still=False,
        clears_ms=clears_ms or {},
        numbers=NUMBERS,
        misdated=misdated,
    )
    hearing.judge(witness)
    return witness.broken.rule if witness.broken else 0


SPOKE = told(100, e.AgentSpoke(prompt="p1", clauses=CLAUSES))


def test_what_sounded_may_count_as_heard() -> None:
    assert (
        judged([SPOKE, told(900, e.Played(prompt="p1", clauses=1))], sounds(CLAUSES[0], 1, 200))
        == 0
    )


def test_what_never_sounded_must_not_count_as_heard() -> None:
    assert judged([SPOKE, told(900, e.Played(prompt="p1", clauses=1))], []) == 3


def test_two_clauses_said_again_on_a_new_stream_are_one_too_many() -> None:
    once = [word for text in CLAUSES[:2] for word in sounds(text, 1, 200)]
    one_again, both_again = (
        sounds(CLAUSES[1], 2, 5_000),
        [word for text in CLAUSES[:2] for word in sounds(text, 2, 5_000)],
    )
    assert judged([SPOKE], once + one_again) == 0
    assert judged([SPOKE], once + both_again) == 4


def test_what_was_cut_must_not_sound_any_more() -> None:
    cut = told(1_000, e.SpeechCut(prompt="p1", reason="barge_in"))
    assert judged([SPOKE, cut], sounds(CLAUSES[2], 1, 900)) == 0
    assert judged([SPOKE, cut], sounds(CLAUSES[2], 1, 2_000)) == 4


def test_a_word_sounds_again_on_its_stream_only_after_a_clear() -> None:
    twice = sounds(CLAUSES[0], 1, 200) + sounds(CLAUSES[0], 1, 2_000)
    assert judged([SPOKE], twice) == 4
    assert judged([SPOKE], twice, clears_ms={1: [1_000]}) == 0
    assert judged([SPOKE], twice, clears_ms={1: [3_000]}) == 4


def test_not_all_that_was_said_is_said_again_after_a_clear() -> None:
    long = told(100, e.AgentSpoke(prompt="p1", clauses=(f"Sentence 0 {'on ' * 80}",)))
    twice = [
        word for at_ms in (200, 9_000) for word in sounds(f"Sentence 0 {'on ' * 80}", 1, at_ms)
    ]
    assert judged([long], twice, clears_ms={1: [8_000]}) == 4


def test_a_greeting_of_a_branch_that_is_lost_must_not_follow_one_that_was_heard() -> None:
    facts = (
        e.StreamAttached(stream_sid="MZ2", cause="drop", gap_ms=0, server="s"),
        e.Greeted(prompt="p1"),
    )
    apart = tuple(e.encode(fact).decode() for fact in facts)
    told_of = [told(100, facts[1]), told(4_000, e.BranchOrphaned(epoch=1, count=2, lost=apart))]
    begins = GREETING.partition(" How")[0]
    once, again = sounds(begins, 1, 200), sounds(begins, 2, 3_000)
    assert judged(told_of[:1], once + again) == 0
    assert judged(told_of, again) == 0
    assert judged(told_of, once[:3] + again) == 0
    assert judged(told_of, once + again) == 3
    assert judged(told_of, once + again, misdated=frozenset({1})) == 3
    assert judged(told_of, once + again, misdated=frozenset({2})) == 0, "it came with an old token"


def test_who_greets_a_stream_that_was_dialled_again_is_told_apart_from_who_greeted_it_first() -> (
    None
):
    """Seed 414133: one name, the first of them in a branch that is lost."""
    apart = tuple(
        e.encode(fact).decode()
        for fact in (
            e.StreamAttached(stream_sid="MZ1", cause="new", gap_ms=0, server="s"),
            e.Greeted(prompt="p1"),
        )
    )
    begins = GREETING.partition(" How")[0]
    heard = sounds(begins, 1, 200) + sounds(begins, 2, 3_000)
    for lost, rule in ((apart, 0), (apart * 2, 3)):
        witness = Witness(Clock())
        told_of = [told(4_000, e.BranchOrphaned(epoch=1, count=2, lost=lost))]
        Hearing(
            "CA1",
            told_of,
            heard,
            ends_ms={},
            was_still=False,
            clears_ms={},
            numbers={"MZ1": [1, 2]},
        ).judge(witness)
        assert (witness.broken.rule if witness.broken else 0) == rule


def test_a_lost_greeting_is_known_to_streams_that_come_later_wherever_they_are_written() -> None:
    apart = e.encode(e.Greeted(prompt="p1")).decode()
    lost = told(4_000, e.BranchOrphaned(epoch=1, count=1, lost=(apart,)))
    came = e.StreamAttached(stream_sid="MZ2", cause="drop", gap_ms=0, server="s")
    ahead = {"s": 900}
    for own_ms, is_known in ((3_999, False), (4_000, True)):
        stream = Told(5_000, Record(2, 2, own_ms + 900, b""), came)
        assert was_greeted_apart([lost, stream], ahead.__getitem__) is is_known
    assert not was_greeted_apart([lost], ahead.__getitem__)


def test_what_was_cut_may_go_on_on_a_stream_of_a_branch_that_is_lost() -> None:
    came = e.StreamAttached(stream_sid="MZ2", cause="drop", gap_ms=0, server="s")
    cut = told(1_000, e.SpeechCut(prompt="p1", reason="key"))
    lost = told(3_000, e.BranchOrphaned(epoch=1, count=1, lost=(e.encode(came).decode(),)))
    assert judged([SPOKE, cut, lost], sounds(CLAUSES[2], 2, 2_000)) == 0
    assert judged([SPOKE, cut, lost], sounds(CLAUSES[2], 1, 2_000)) == 4


def test_what_was_cut_may_be_said_by_a_server_whose_branch_is_lost() -> None:
    apart = (e.encode(e.AgentSpoke(prompt="p1", clauses=CLAUSES)).decode(),)
    cut = told(1_000, e.SpeechCut(prompt="p1", reason="barge_in"))
    lost = told(3_000, e.BranchOrphaned(epoch=1, count=1, lost=apart))
    assert judged([SPOKE, cut, lost], sounds(CLAUSES[2], 1, 2_000)) == 0
