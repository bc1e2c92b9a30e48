import random

import pytest

from service.call import events as e
from service.call.draft import begun
from service.call.folds.fold import fold, fold_all
from service.call.place import Place
from service.call.snapshot import packed
from service.call.state import Call, Line
from tests.call.corpus.journals import Entry, families

CORPUS = families()
SEED = 20261122
LINE = Line(1, "caller", "Hello.", "Hello.", cut=False, at_ms=5)


def test_a_draft_that_nothing_was_folded_into_stands_as_the_call_it_came_from() -> None:
    call = Call(call_sid="CA1", transcript=(LINE,), fields={}, position=3)
    assert begun(call).standing() == call
    draft = begun(call)
    assert draft.lines() == [LINE]
    assert draft.standing() == call


def test_lines_that_are_changed_are_the_transcript_when_it_stands() -> None:
    call = Call(transcript=(LINE,))
    draft = begun(call)
    draft.lines().append(LINE)
    draft.lines()[0] = Line(1, "agent", "Hi.", "", cut=True, at_ms=5)
    assert draft.standing().transcript == (Line(1, "agent", "Hi.", "", cut=True, at_ms=5), LINE)
    assert call.transcript == (LINE,)


def in_parts(one: Entry, chance: random.Random) -> Call:
    """Fold a journal a few facts at a time; no state that was read before changes by it."""
    facts, call = list(one.facts()), Call()
    while facts:
        many = chance.choice((1, 1, 2, 3, 8, 50))
        before = packed(call)
        after = fold_all(call, facts[:many])
        assert packed(call) == before, one.name
        call, facts = after, facts[many:]
    return call


def one_by_one(one: Entry) -> Call:
    call = Call()
    for fact, place in one.facts():
        call = fold(call, fact, place)
    return call


@pytest.mark.parametrize("family", CORPUS)
def test_facts_fold_to_the_same_however_many_at_a_time(family: str) -> None:
    chance = random.Random(SEED)
    for one in CORPUS[family]:
        whole = fold_all(Call(), one.facts())
        assert in_parts(one, chance) == whole, (one.name, SEED)
        assert one_by_one(one) == whole, one.name


def test_what_one_state_shows_no_later_fact_changes() -> None:
    told = e.FieldFilled(name="name", value="Ann", source="caller")
    filled = fold(Call(), told, Place(1, 1, 5))
    kept = packed(filled)
    fold(filled, e.FieldConfirmed(name="name"), Place(2, 1, 6))
    fold(filled, e.FieldCleared(name="name"), Place(2, 1, 6))
    assert packed(filled) == kept
