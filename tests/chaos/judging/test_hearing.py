"""The walk through what was to be said, over streams that are made up by hand."""

from collections.abc import Mapping

import pytest

from service.chaos.judging.hearing import Faults, Walk, faults, script
from service.testing.textspeech import Word, written
from tests.chaos.judging.test_judge import journal

ONE, TWO, THREE = "It is one.", "It is two.", "It is three."
ALL = "ever"
Json = Mapping[str, object]


def spoke(prompt: str, *clauses: str, at_ms: int = 0) -> Json:
    at = f"1970-01-01T00:00:{at_ms / 1_000:06.3f}Z"
    return {"kind": "agent_spoke", "at": at, "prompt": prompt, "clauses": list(clauses)}


def cut(prompt: str) -> Json:
    return {"kind": "speech_cut", "prompt": prompt, "reason": "key"}


def walked(*streams: str, facts: tuple[Json, ...], known: str = ALL) -> Faults:
    """Walk through streams: clauses, or as much of them as is written; `known` counts words in all."""
    found = Faults()
    walk = Walk("CA1", journal(*facts), found)
    number = 0
    for stream in streams:
        heard = []
        for word in _words(stream):
            number += 1
            heard.append((number, word))
        walk.stream(heard, 1_000 if known == ALL else int(known))
    walk.end()
    return found


def _words(stream: str) -> list[Word]:
    """Return "It is one. It is" as the words of ONE and the beginning of TWO, by the bar between."""
    found: list[Word] = []
    for piece in stream.split("|"):
        text, _, of = piece.partition("/")
        found += written(of or text)[: len(text.split())]
    return found


def test_the_script_is_every_word_in_order() -> None:
    found = script(journal(spoke("p1", ONE, TWO), spoke("p2", THREE)))
    assert [slot.word.text for slot in found] == f"{ONE} {TWO} {THREE}".split()
    assert [slot.begin for slot in found] == [0, 0, 0, 3, 3, 3, 6, 6, 6]
    assert [slot.prompt for slot in found] == ["p1"] * 6 + ["p2"] * 3


BOTH = (spoke("p1", ONE, TWO), spoke("p2", THREE))
GIVEN_UP = (spoke("p1", ONE, TWO), cut("p1"), spoke("p2", THREE))


@pytest.mark.parametrize(
    ("streams", "facts", "known"),
    [
        ((f"{ONE}|{TWO}|{THREE}",), BOTH, ALL),
        ((f"{ONE}|It is/{TWO}", f"{TWO}|{THREE}"), BOTH, ALL),  # the clause that was cut
        ((ONE, f"{TWO}|{THREE}"), BOTH, ALL),
        ((ONE, f"{ONE}|{TWO}|{THREE}"), BOTH, "2"),  # its end may not be known
        (("", ONE, "", f"{TWO}|{THREE}"), BOTH, ALL),
        ((f"{ONE}|{THREE}",), GIVEN_UP, ALL),
        ((f"It/{ONE}", THREE), GIVEN_UP, ALL),
    ],
)
def test_what_is_as_it_should_be(
    streams: tuple[str, ...], facts: tuple[Json, ...], known: str
) -> None:
    assert walked(*streams, facts=facts, known=known) == Faults()


@pytest.mark.parametrize(
    ("streams", "facts", "kind"),
    [
        ((f"{ONE}|{THREE}",), BOTH, "skipped"),
        ((f"{ONE}|It is/{TWO}", THREE), BOTH, "skipped"),
        ((f"{ONE}|{TWO}",), BOTH, "skipped"),
        ((f"{ONE}|{TWO}", f"{ONE}|{TWO}|{THREE}"), BOTH, "again"),
        ((ONE, f"{ONE}|{TWO}|{THREE}"), BOTH, "again"),  # heard whole, and known to be
        ((f"{ONE}|{ONE}|{TWO}|{THREE}",), BOTH, "unplaced"),
        ((f"{ONE}|{THREE}|{TWO}",), GIVEN_UP, "unplaced"),  # what was given up sounds on
        ((f"{ONE}|Quite/Quite else.|{TWO}|{THREE}",), BOTH, "unplaced"),
    ],
)
def test_what_is_not_is_found(streams: tuple[str, ...], facts: tuple[Json, ...], kind: str) -> None:
    found = walked(*streams, facts=facts)
    assert getattr(found, kind), found
    assert getattr(found, kind)[0].startswith("CA1: stream ")


def test_what_was_given_up_before_a_stream_came_is_not_said_on_it() -> None:
    facts = (spoke("p1", ONE), {"kind": "stream_attached", "stream_sid": "MZ2"}, cut("p1"))
    for came_after, again in ((False, 0), (True, 1)):
        found = Faults()
        told = facts if not came_after else (facts[0], facts[2], facts[1])
        walk = Walk("CA1", journal(*told), found)
        walk.stream([(2_000, word) for word in written(ONE)], 0, "MZ1")
        walk.stream([(4_000, word) for word in written(ONE)], 0, "MZ2")
        walk.end()
        assert len(found.again) == again


def test_what_is_said_in_the_same_words_later_is_not_what_was_heard() -> None:
    facts = (spoke("p1", ONE), spoke("p2", TWO), spoke("p3", ONE, at_ms=9_000))
    for second_ms, again, skipped in ((5_000, 1, 0), (9_500, 0, 1)):
        found = Faults()
        walk = Walk("CA1", journal(*facts), found)
        heard = [(second_ms - 10, word) for word in written(ONE)]
        walk.stream(heard[:3], second_ms, "MZ1")
        walk.stream([(second_ms, word) for word in written(ONE)[:1]], second_ms, "MZ2")
        assert (len(found.again), len(found.skipped)) == (again, skipped)


def test_what_is_given_up_when_we_had_fallen_silent_was_left_out() -> None:
    facts = (spoke("p1", ONE, TWO), {"at": "1970-01-01T00:00:05Z", **cut("p1")})
    for quiet_ms, skipped in ((0, 0), (6_000, 0), (4_000, 1)):
        found = Faults()
        walk = Walk("CA1", journal(*facts), found, quiet_ms=quiet_ms)
        walk.stream([(1_000, word) for word in written(ONE)], 1_000)
        walk.end()
        assert len(found.skipped) == skipped


def test_nobody_is_judged_without_calls() -> None:
    assert faults([], {}) == Faults()
