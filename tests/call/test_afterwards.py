import msgspec
import pytest

from service.call import events as e
from service.call.afterwards import Afterwards, Voicemail, told

NOW_MS = 1_700_000_000_000


def after(*facts: e.AnyFact) -> Afterwards:
    known = Afterwards()
    for position, fact in enumerate(facts, 1):
        known = told(known, fact, position=position, at_ms=NOW_MS + position)
    return known


@pytest.mark.parametrize("outcome", ["completed", "answered"])
def test_a_human_who_answered_ends_it(outcome: str) -> None:
    known = after(e.CallEnded(reason="transferred"), e.DialEnded(outcome=outcome))
    assert known == Afterwards(dial_outcome=outcome)
    assert known.is_over


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed", "canceled", "a new word"])
def test_without_an_answer_there_is_a_message_to_be_left(outcome: str) -> None:
    known = after(e.DialEnded(outcome=outcome))
    assert known.dial_outcome == outcome
    assert not known.is_over


def test_a_message_keeps_its_place_and_ends_it() -> None:
    left = e.VoicemailLeft(url="https://api.example.com/Recordings/RE1", duration_ms=9_000)
    known = after(e.DialEnded(outcome="busy"), left)
    assert known.voicemail == Voicemail(left.url, 9_000, 2, NOW_MS + 2)
    assert known.dial_outcome == "busy"
    assert known.is_over


def test_other_facts_and_those_of_newer_versions_change_nothing() -> None:
    known = after(e.Greeted(prompt="p1"), e.Unknown(kind="dreamt", body=b"{}"))
    assert known == Afterwards()
    assert not known.is_over


def test_it_survives_a_snapshot() -> None:
    left = e.VoicemailLeft(url="https://h/RE1")
    known = after(e.DialEnded(outcome="no-answer"), left)
    assert msgspec.json.decode(msgspec.json.encode(known), type=Afterwards) == known
