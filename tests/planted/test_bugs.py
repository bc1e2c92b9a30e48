from pathlib import Path

import pytest

from tests.planted.bug import Bug, Rotten
from tests.planted.bugs import BUGS
from tests.planted.trial import TREE

ROOT = Path(__file__).parent.parent.parent
RULES = range(1, 11)  # of design.md


def changed(before: str, after: str, text: str, folder: Path, name: str = "part.py") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    bug = Bug(name="b", rule=1, file=name, before=before, after=after, suites=())
    return bug.planted(folder)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_still_changes_one_place_and_its_suites_are_there(bug: Bug) -> None:
    assert bug.planted(ROOT) != (ROOT / bug.file).read_text(encoding="utf-8")
    assert bug.file.split("/")[0] in TREE
    assert bug.suites
    assert not [suite for suite in bug.suites if not (ROOT / suite.split("::")[0]).exists()]


def test_every_bug_has_a_name_of_its_own() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS)


def test_every_rule_has_a_bug_that_breaks_it() -> None:
    assert {bug.rule for bug in BUGS} == set(RULES)


def test_a_bug_changes_the_one_place_where_its_text_stands(tmp_path: Path) -> None:
    assert changed("a", "b", "x = a\n", tmp_path) == "x = b\n"


@pytest.mark.parametrize("text", ["", "x = aa\n"])
def test_a_text_that_is_gone_or_there_twice_is_rotten(text: str, tmp_path: Path) -> None:
    with pytest.raises(Rotten, match="not once"):
        changed("a", "b", text, tmp_path)


def test_a_change_must_be_python_where_the_file_is(tmp_path: Path) -> None:
    with pytest.raises(Rotten, match="no Python"):
        changed("a", "(", "x = a\n", tmp_path)
    assert changed("a", "(", "x = a\n", tmp_path, "part.lua") == "x = (\n"
