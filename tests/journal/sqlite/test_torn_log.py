"""A torn write: SQLite's log ends anywhere, or is damaged anywhere, as after a power cut. R-9, R-4."""

import random
import shutil
from pathlib import Path

import pytest

from service.call import events as e
from service.call.folds.fold import fold
from service.call.place import Place
from service.call.state import Call
from service.journal.sqlite.ledger import Ledger
from service.journal.sqlite.readings import read
from service.journal.sqlite.storefile import SQL, StoreFile
from service.journal.values import Appended, Durability, Missing, Reading
from service.session.kept.records import rebuilt
from tests.call.test_walk import Walk

CALL = "CA1"
CUTS = 100  # of each of five seeds
DAMAGES = 100
LEDGER = Ledger(ttl_ms=100_000_000_000, durability=Durability.LOCAL)


class Written:
    """A store that was written to and never closed: the file, its log, and all states there were."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "calls.db"
        self.states = [Call()]
        file = StoreFile(self.path, writes=True)
        walk = Walk(7)
        while len(walk.story.journal) < 120:
            walk.step()
        for fact, place in walk.story.journal:
            connection = file.begin()
            if len(self.states) == 1:
                LEDGER.open(connection, CALL, [e.encode(fact)], place.at_ms)
            else:
                outcome = LEDGER.append(
                    connection,
                    CALL,
                    [e.encode(fact)],
                    epoch=None,
                    after=None,
                    key=f"{place.position}",
                    now_ms=place.at_ms,
                )
                assert outcome == Appended(place.position, Durability.LOCAL)
            file.commit(connection)
            outside = Place(place.position, 0, place.at_ms)
            self.states.append(fold(self.states[-1], fact, outside))
        connection = file.begin()
        found = read(connection, CALL, after=0)
        assert isinstance(found, Reading)
        self.incarnation = found.incarnation
        (self.height,) = connection.execute(SQL["tide"]).fetchone()
        file.roll_back()
        kept = folder / "kept"
        kept.mkdir()
        for name in ("calls.db", "calls.db-wal", "calls.db-tide"):
            shutil.copy(folder / name, kept / name)
        self.kept = kept
        self.log = (kept / "calls.db-wal").read_bytes()
        file.close()

    def reopened(self, folder: Path, log: bytes) -> int:
        """Open a copy with this log, check that it is a sound beginning, and return how far it goes."""
        folder.mkdir()
        for name in ("calls.db", "calls.db-tide"):
            shutil.copy(self.kept / name, folder / name)
        (folder / "calls.db-wal").write_bytes(log)
        file = StoreFile(folder / "calls.db", writes=True)
        connection = file.begin()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        reading = read(connection, CALL, after=0)
        (height,) = connection.execute(SQL["tide"]).fetchone()
        file.roll_back()
        file.close()
        shutil.rmtree(folder)
        if isinstance(reading, Missing):
            return 0
        assert [record.position for record in reading.records] == list(range(1, reading.head + 1))
        assert rebuilt(None, reading.records) == self.states[reading.head]
        # Whoever lost something says so: readers must not take their positions for good ones.
        assert (reading.incarnation == self.incarnation) == (height == self.height)
        return reading.head


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return Written(tmp_path_factory.mktemp("torn"))


@pytest.mark.parametrize("seed", range(5))
def test_a_log_that_was_cut_anywhere_opens_as_a_beginning_of_the_call(
    written: Written, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    heads = set()
    for cut in sorted(chance.randrange(len(written.log) + 1) for _ in range(CUTS)):
        try:
            heads.add(written.reopened(tmp_path / f"{cut}", written.log[:cut]))
        except Exception as fault:
            raise AssertionError(f"cut at {cut} of {len(written.log)}: {fault}") from fault
    assert len(heads) > CUTS // 4
    assert written.reopened(tmp_path / "whole", written.log) == len(written.states) - 1


def test_a_log_that_was_damaged_anywhere_opens_as_what_stood_before(
    written: Written, tmp_path: Path
) -> None:
    chance = random.Random(DAMAGES)
    for number in range(DAMAGES):
        at = chance.randrange(len(written.log))
        torn = bytearray(written.log)
        length = min(chance.choice((1, 512, 4_096)), len(torn) - at)
        torn[at : at + length] = bytes(chance.randrange(256) for _ in range(length))
        try:
            written.reopened(tmp_path / f"{number}", bytes(torn))
        except Exception as fault:
            raise AssertionError(f"{length} bytes damaged at {at}: {fault}") from fault
