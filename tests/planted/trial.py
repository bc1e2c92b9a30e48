"""The trial of a bug: it is planted in a copy of the tree, and its suites run there.

A bug counts as caught when a test fails, not when the copy does not even load; and the same test must
pass in a copy without any bug, else it proves nothing.
"""

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
TRIAL_S_MAX = 120  # a suite that hangs is ended by its own time limits long before
WORKERS = 2  # the suites wait now and then, but two are what two cores take

_FAILED = re.compile(r"^FAILED (.+?)(?: - .*)?$", re.MULTILINE)
# Three servers each, and a bug that only they would notice is none that a fast suite is to catch.
_FAST = "not sentinel and not cluster"
_TESTS_FAILED = 1  # pytest's exit code; others say that it could not even run them


class Verdict(Struct, frozen=True):
    """How a trial came out: the test that failed, or "" and why none counts."""

    bug: Bug
    test: str
    trouble: str
    seconds: float


def try_all(
    bugs: Sequence[Bug], root: Path, *, workers: int = WORKERS, tree: Sequence[str] = TREE
) -> Iterator[Verdict]:
    """Yield the verdicts in the bugs' order, each as soon as it is there. Raises Rotten."""
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda bug: try_one(bug, root, tree=tree), bugs)


def try_one(bug: Bug, root: Path, *, tree: Sequence[str] = TREE) -> Verdict:
    """Plant one bug in a copy of the tree at `root`, and run its suites. Raises Rotten."""
    begun_s = time.perf_counter()  # noqa: TID251 - how long a trial took is told to people
    changed = bug.planted(root)
    with copied(root, tree) as copy:
        (copy / bug.file).write_text(changed, encoding="utf-8")
        test, trouble = failed_test(copy, bug.suites)
    seconds = time.perf_counter() - begun_s  # noqa: TID251 - likewise
    return Verdict(bug, test, trouble, seconds)


def failing_anyway(tests: Iterable[str], root: Path, *, tree: Sequence[str] = TREE) -> set[str]:
    """Return those of `tests` that fail without any bug, too."""
    wanted = sorted(set(tests))
    with copied(root, tree) as copy:
        ran = run_tests(copy, wanted) if wanted else None
    if ran is None or ran.returncode == 0:
        return set()
    return set(_FAILED.findall(ran.stdout)) or set(wanted)


def failed_test(copy: Path, suites: Sequence[str]) -> tuple[str, str]:
    """Run `suites` until a test fails; return it, or "" and why there is none."""
    try:
        ran = run_tests(copy, suites, "-x")
    except subprocess.TimeoutExpired:
        return "", f"its suites took longer than {TRIAL_S_MAX} s"
    failed = _FAILED.search(ran.stdout)
    if ran.returncode == _TESTS_FAILED and failed is not None:
        return failed[1], ""
    if ran.returncode == 0:
        return "", "it survives: every test of its suites passes"
    return "", f"its suites did not run: {ran.stdout.strip().splitlines()[-1:]}"


def run_tests(
    copy: Path, tests: Sequence[str], *options: str
) -> "subprocess.CompletedProcess[str]":
    """Run pytest on `tests` in the copy, whose code comes before any that is installed."""
    # A wide line, so that no test's name is cut.
    environment = {**os.environ, "COLUMNS": "500", "PYTHONPATH": ""}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        "-k",
        _FAST,
    ]
    return subprocess.run(  # noqa: S603 - our own arguments
        [*command, *options, *tests],
        cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=TRIAL_S_MAX,
    )  # fmt: skip


@contextmanager
def copied(root: Path, tree: Sequence[str]) -> Iterator[Path]:
    """Lend a copy of `tree`. What Python compiled comes along, so that it need not do it again."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copy = Path(folder)
        for name in tree:
            if (root / name).is_dir():
                shutil.copytree(root / name, copy / name)
            else:
                shutil.copy2(root / name, copy / name)
        yield copy
