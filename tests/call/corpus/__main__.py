"""Make the golden corpus, or fold it anew.

    python -m tests.call.corpus check     fold all journals, compare, and print one digest of everything
    python -m tests.call.corpus fold      fold all journals and write what they fold to now
    python -m tests.call.corpus walks     add seeded walks as families `walks` and `newer`
    python -m tests.call.corpus runs      add calls that the session's tests hold, a family a test file

A journal once in the corpus stays as it is: it stands for those that are in stores. So `walks` and `runs`
write only families that are not there; to make one anew, delete its files first, and say why.
"""

import random
import sys

import pytest

from service.call import events as e
from service.call.replay.sums import digest
from tests.call.corpus.harvest import Harvest
from tests.call.corpus.journals import FOLDER, Entry, add, entry, families, fold, kept, sums
from tests.call.folds.test_mixed_versions import planted
from tests.call.test_walk import Walk

WALKS = 90
NEWER = 30
STEPS_MIN, STEPS_MAX = 8, 56
TESTS = (
    "session/test_session.py", "session/test_endings.py", "session/test_ownership.py",
    "session/test_acting.py", "session/test_working.py", "session/test_tool_drops.py",
    "session/test_duplex_live.py", "session/duplex/test_duplex.py",
)  # fmt: skip


def check() -> str:
    """Return one digest of the whole corpus as it folds now; what folds otherwise is named."""
    now = {family: sums(entries) for family, entries in families().items()}
    for family, text in now.items():
        changed = set(text.splitlines()) ^ set(kept(family, "sums").splitlines())
        if changed:
            names = sorted({line.split(" ", 2)[2] for line in changed})
            sys.exit(f"{family}: these fold to something else than before: {', '.join(names)}")
    return digest(now)


def add_new(family: str, entries: list[Entry]) -> None:
    if entries and family not in families():
        add(family, entries)


def walks() -> None:
    """Add walks as they are, and walks in which a newer version wrote, too."""
    plain: list[Entry] = []
    newer: list[Entry] = []
    for seed in range(WALKS + NEWER):
        walk = Walk(seed)
        for _ in range(walk.chance.randint(STEPS_MIN, STEPS_MAX)):
            walk.step()
        journal = walk.story.journal
        if seed >= WALKS:
            journal = planted(journal, random.Random(seed))
        records = [(place.epoch, place.at_ms, e.encode(fact)) for fact, place in journal]
        (newer if seed >= WALKS else plain).append(entry(f"walk {seed}", records))
    add_new("walks", plain)
    add_new("newer", newer)


def runs() -> None:
    harvest = Harvest()
    folder = FOLDER.parent.parent
    if pytest.main(["-q", *(str(folder / test) for test in TESTS)], plugins=[harvest]):
        sys.exit("a test failed; nothing is added")
    for family, entries in harvest.entries.items():
        add_new(family, list(entries.values()))


match sys.argv[1:]:
    case ["check"]:
        sys.stdout.write(check() + "\n")
    case ["fold"]:
        fold()
    case ["walks"]:
        walks()
        fold()
    case ["runs"]:
        runs()
        fold()
    case _:
        sys.exit(__doc__)
