"""Trials in a small tree: one module, and the tests that are to notice what is planted in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.planted import trial
from tests.planted.bug import Bug
from tests.planted.trial import Verdict, failing_anyway, sound_copy, try_one

pytestmark = pytest.mark.timeout(120)  # each runs pytest once or twice more

TESTS = """\
import part

def test_it_adds() -> None:
    assert part.add(2, 3) == 5

def test_it_is_wrong_anyway() -> None:
    assert part.add(2, 3) == 6
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "part.py").write_text("def add(a, b):\n    return a + b\n", encoding="utf-8")
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "test_part.py").write_text(TESTS, encoding="utf-8")
    with sound_copy(tmp_path, ("part.py", "suite")) as sound:
        yield sound


def tried(root: Path, after: str, suite: str = "suite/test_part.py::test_it_adds") -> Verdict:
    bug = Bug(name="b", rule=1, file="part.py", before="a + b", after=after, suites=(suite,))
    return try_one(bug, root)


def test_a_bug_that_a_test_notices_is_caught(root: Path) -> None:
    verdict = tried(root, "a - b")
    assert (verdict.test, verdict.trouble) == ("suite/test_part.py::test_it_adds", "")
    assert (root / "part.py").read_text(encoding="utf-8").endswith("a + b\n")


def test_a_bug_that_no_test_notices_survives(root: Path) -> None:
    verdict = tried(root, "b + a")
    assert not verdict.test
    assert "survives" in verdict.trouble


def test_a_suite_that_can_not_run_has_caught_nothing(root: Path) -> None:
    verdict = tried(root, "a - b", "suite/test_gone.py")
    assert not verdict.test
    assert "did not run" in verdict.trouble


def test_a_bug_that_lets_time_run_out_is_not_caught(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_OPTIONS", (*trial._OPTIONS, "--timeout=1"))
    verdict = tried(root, "[0 for _ in iter(int, 1)]")
    assert not verdict.test
    assert "ran out of time" in verdict.trouble


def test_suites_that_take_too_long_are_ended(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SUITES_S_MAX", 0)
    verdict = tried(root, "a - b")
    assert not verdict.test
    assert "longer than" in verdict.trouble


def test_a_test_that_fails_without_the_bug_has_caught_nothing(root: Path) -> None:
    wrong = "suite/test_part.py::test_it_is_wrong_anyway"
    assert tried(root, "a - b", wrong).test == wrong
    both = [wrong, "suite/test_part.py::test_it_adds"]
    assert failing_anyway(both, root) == {wrong}
    assert failing_anyway([], root) == set()
