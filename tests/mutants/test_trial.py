"""Trials in a small tree: the mutant that no test notices survives, and no other one does.

In a process of its own, as the command is: it forks, and one that runs tests has threads and plugins.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(180)  # it starts pytest a dozen times

ROOT = Path(__file__).parent.parent.parent
PART = "def is_grown(age):\n    return age >= 18\n"
TESTS = """\
from service import part

def test_a_child_is_not_grown() -> None:
    assert not part.is_grown(3)

def test_an_adult_is() -> None:
    assert part.is_grown(18)
"""
TRIALS = """\
import json, sys
from pathlib import Path
from tests.mutants.mutation import mutants, written
from tests.mutants.trial import Broken, imports, sound_seconds, try_text

copy, file, suites = Path(sys.argv[1]), "service/part.py", ("test_part.py",)
source = (copy / file).read_text()
imports(copy, suites)
taken_s = sound_seconds(copy, file, written(source), suites)
told = {m.name: try_text(copy, file, m.text, suites, 60).is_killed for m in mutants(source)}
hung = try_text(copy, file, "while True: pass", suites, 1)
assert hung.is_killed and hung.has_run_out
assert (copy / file).read_text() == source and 0 < taken_s < 60
try:
    sound_seconds(copy, file, "", suites)
except Broken as trouble:
    print(json.dumps([told, str(trouble)]))
"""


def test_a_mutant_that_no_test_notices_survives(tmp_path: Path) -> None:
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "part.py").write_text(PART, encoding="utf-8")
    (tmp_path / "test_part.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n", encoding="utf-8")
    ran = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-c", TRIALS, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=170,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told, trouble = json.loads(ran.stdout)
    assert told == {
        "is_grown: return age >= 18 -> return None": True,
        "is_grown: age >= 18 -> age > 18": True,
        "is_grown: 18 -> 19": True,
        "is_grown: 18 -> 17": False,
    }
    assert "fail without any change" in trouble
