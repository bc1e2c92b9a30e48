"""The trial of a bug: it is planted in a copy of the tree, and its suites run there.

A bug counts as caught when a test fails, not when the copy does not even load, nor when time runs out;
and the same test must pass in a copy without any bug, else it proves nothing.
"""

import compileall
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tests.planted.bug import Bug

TREE = ("service", "twiml", "tests", "fixtures", "pyproject.toml")  # what the suites read
WORKERS = 2  # the suites wait now and then, but two are what two cores take
TEST_S_MAX = 60  # twice what a test has otherwise: nobody hurries for these suites
SURVIVES = "it survives: every test of its suites passes"
SUITES_S_MAX = 300  # a minute is the longest that any takes without a bug

_FAILED = re.compile(r"^FAILED (.+?)(?: - (.*))?$", re.MULTILINE)
_TESTS_FAILED = 1  # pytest's exit code; others say that it could not even run them
_TIME_RAN_OUT = "from pytest-timeout"  # in the words of that plugin
_OPTIONS = (
    "-q", "--tb=no", "-p", "no:cacheprovider", f"--timeout={TEST_S_MAX}",
    # Six servers each; a bug that only they would notice is none for a fast suite.
    "-k", "not sentinel and not cluster",
)  # fmt: skip


class Verdict(Struct, frozen=True):
    """How a trial came out: the test that failed, or "" and why none counts."""

    bug: Bug
    test: str
    trouble: str
    seconds: float


@contextmanager
def sound_copy(root: Path, tree: Sequence[str] = TREE) -> Iterator[Path]:
    """Lend a copy of the tree at `root`, compiled once, so that the trials need not do it again."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copy = Path(folder, "sound")
        copy.mkdir()
        for name in tree:
            if (root / name).is_dir():
                shutil.copytree(root / name, copy / name)
            else:
                shutil.copy2(root / name, copy / name)
        compileall.compile_dir(copy, quiet=2)
        yield copy


def try_all(bugs: Sequence[Bug], sound: Path, *, workers: int = WORKERS) -> Iterator[Verdict]:
    """Yield the verdicts in the bugs' order, each as soon as it is there. Raises Rotten."""
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda bug: try_one(bug, sound), bugs)


def try_one(bug: Bug, sound: Path) -> Verdict:
    """Plant one bug in a copy of the sound copy, and run its suites. Raises Rotten."""
    begun_s = time.perf_counter()  # noqa: TID251 - how long a trial took is told to people
    changed = bug.planted(sound)
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        # Links cost a tenth of copies; what changes is a file of its own.
        copy = shutil.copytree(sound, Path(folder, bug.name), copy_function=os.link)
        file = copy / bug.file
        file.unlink()
        file.write_text(changed, encoding="utf-8")
        for compiled in file.parent.glob(f"__pycache__/{file.stem}.*"):
            compiled.unlink()
        test, trouble = failed_test(copy, bug.suites)
        if trouble not in ("", SURVIVES):
            # Servers that start in time elsewhere may not on a machine that is swamped; once more.
            test, trouble = failed_test(copy, bug.suites)
    seconds = time.perf_counter() - begun_s  # noqa: TID251 - likewise
    return Verdict(bug, test, trouble, seconds)


def failing_anyway(tests: Iterable[str], sound: Path) -> set[str]:
    """Return those of `tests` that fail without any bug, too."""
    wanted = sorted(set(tests))
    if not wanted:
        return set()
    ran = run_tests(sound, wanted)
    if ran.returncode == 0:
        return set()
    return {failed[1] for failed in _FAILED.finditer(ran.stdout)} or set(wanted)


def failed_test(copy: Path, suites: Sequence[str]) -> tuple[str, str]:
    """Run `suites` until a test fails; return it, or "" and why there is none."""
    try:
        ran = run_tests(copy, suites, "-x")
    except subprocess.TimeoutExpired:
        return "", f"its suites took longer than {SUITES_S_MAX} s"
    failed = _FAILED.search(ran.stdout)
    if ran.returncode == 0:
        return "", SURVIVES
    if ran.returncode != _TESTS_FAILED or failed is None:
        return "", f"its suites did not run: {ran.stdout.strip().splitlines()[-1:]}"
    if _TIME_RAN_OUT in (failed[2] or ""):
        return "", f"{failed[1]} ran out of time, which proves nothing"
    return failed[1], ""


def run_tests(
    copy: Path, tests: Sequence[str], *options: str
) -> "subprocess.CompletedProcess[str]":
    """Run pytest on `tests` in the copy, whose code comes before any that is installed."""
    # A wide line, so that neither a test's name nor why it failed is cut.
    environment = {**os.environ, "COLUMNS": "1000", "PYTHONPATH": ""}
    return subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "pytest", *_OPTIONS, *options, *tests],
        cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=SUITES_S_MAX,
    )  # fmt: skip
