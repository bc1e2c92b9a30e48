"""The golden corpus: old journals fold to what they always folded to, byte for byte. R-7.

Where one folds to something else, either the fold has a fault, or its meaning was changed on purpose.
Then `python -m tests.call.corpus fold` writes what it folds to now. Read the whole diff before it is
committed: `*.json` shows one call of each family in full, `*.sums` how many calls change at all, and no
`*.jsonl` may change. Where the state of an old call is another one now, raise FOLDING in
service/call/snapshot.py, too, so that no snapshot of the older meaning is read.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.call import events as e
from tests.call.corpus.journals import (
    FOLDER,
    INCARNATION,
    entry,
    example,
    families,
    folded,
    kept,
    recording,
    shown,
    sums,
)

ROOT = Path(__file__).parents[2]
JOURNALS_MIN = 200
BYTES_MAX = 1_500_000
CORPUS = families()

# What there was when the corpus was made; what is new is in no old journal.
OF_OLD = frozenset(
    {
        e.CallOpened, e.ParameterRefused, e.StreamAttached, e.StreamDetached,
        e.DropLimitReached, e.PulledBack, e.Greeted, e.AgentSpoke, e.AgentContinued, e.Played,
        e.SpeechCut, e.CallerBegan, e.CallerPartlyHeard, e.CallerSpoke, e.CallerSilent,
        e.DigitPressed, e.DigitsEntered, e.FieldFilled, e.FieldConfirmed, e.FieldCleared,
        e.StageChanged, e.TurnAnswered, e.ResumeTokenKept, e.OperationRequested,
        e.OperationApproved, e.OperationDenied, e.OperationDispatched, e.OperationDelayed,
        e.OperationEnded, e.DigitsRequested, e.RestartPlanned, e.RestartMissed, e.DigitsSent,
        e.SayRequested, e.TransferRequested, e.HangupRequested, e.NoteAdded, e.EndingPlanned,
        e.EndingStarted, e.DialEnded, e.VoicemailLeft, e.CallEnded, e.ContextLost,
    }
)  # fmt: skip


def test_the_corpus_is_large_enough_to_mean_something_and_small_enough_to_keep() -> None:
    assert sum(map(len, CORPUS.values())) >= JOURNALS_MIN
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) <= BYTES_MAX
    assert {path.stem for path in FOLDER.glob("*.js*")} == set(CORPUS)
    for family, entries in CORPUS.items():
        names = [one.name for one in entries]
        assert len(set(names)) == len(names), family


@pytest.mark.parametrize("family", CORPUS)
def test_every_journal_folds_to_what_it_always_folded_to(family: str) -> None:
    assert sums(CORPUS[family]).splitlines() == kept(family, "sums").splitlines()
    assert example(CORPUS[family]) == kept(family, "json")


def test_it_folds_the_same_whatever_the_order_of_hashes() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-m", "tests.call.corpus", "check"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(digests) == 1


def test_no_fact_of_the_past_has_become_unreadable() -> None:
    kinds: set[type] = set()
    for family, entries in CORPUS.items():
        for one in entries:
            for fact, place in one.facts():
                if family != "newer":
                    assert not isinstance(fact, e.Unknown), (family, one.name, place)
                kinds.add(type(fact))
    assert kinds >= {*OF_OLD, e.Unknown}


def test_the_corpus_holds_what_goes_wrong_with_calls() -> None:
    calls = [folded(one) for entries in CORPUS.values() for one in entries]
    assert sum(len(call.streams) > 1 for call in calls) > 100
    assert {stream.cause for call in calls for stream in call.streams} >= {
        "new", "drop", "dtmf", "crash", "duplicate",
    }  # fmt: skip
    assert {one.status for call in calls for one in call.operations} == {
        "pending", "succeeded", "failed", "timed_out", "unknown",
    }  # fmt: skip
    assert {call.phase for call in calls} >= {"live", "detached", "ended"}
    assert {call.ending for call in calls} == {"", "hangup", "transfer"}
    assert any(fact.voice == "model" for fact in _facts(e.AgentSpoke))


def test_an_entry_is_a_journal_of_its_own() -> None:
    begun = entry("one", [(0, 5, e.encode(e.CallOpened(call_sid="CA1"))), (0, 9, b'{"a":[]}')])
    assert [place.at_ms for _, place in begun.facts()] == [5, 9]
    assert shown(folded(begun))["incarnation"] == INCARNATION
    assert [one.at_ms for one in recording(begun).entries] == [5, 9]


def _facts(kind: type[e.AgentSpoke]) -> list[e.AgentSpoke]:
    return [
        fact
        for entries in CORPUS.values()
        for one in entries
        for fact, _ in one.facts()
        if isinstance(fact, kind)
    ]
