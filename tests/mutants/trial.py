"""The trials of a module's mutants: each is put into a copy of the tree, and the module's suites run there.

    this process ── imports what is not ours, once
        └─ fork ── the suites on one mutant, in a process of their own ── killed, or survived

A start of pytest costs seconds, most of them imports of other packages; a fork has them already. What is
ours is imported anew in each fork, out of the copy. A suite that runs out of time counts as killed: the
mutant made it hang, for the time is many times what the sound module takes.
"""

import gc
import importlib
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec import Struct

HERE = str(Path(__file__).parent.parent.parent)
OURS = ("service", "twiml", "tests", "conftest", "test_")
LIMIT_S = 20  # beside TIMES: a machine that is swamped starts slowly
TIMES = 5  # what the sound module's suites take, for any mutant's

_CRASHED = 3
# Plugins came with the other imports, too early for their assertions to be rewritten; they are not on trial.
_EARLY = "ignore::pytest.PytestAssertRewriteWarning"
_OPTIONS = ("-q", "--tb=no", "-p", "no:cacheprovider", "-W", _EARLY)


class Verdict(Struct, frozen=True):
    """How the suites ended on one text of a module."""

    is_killed: bool
    has_run_out: bool
    seconds: float


class Broken(Exception):
    """The suites fail, or do not even run, on the module without any change."""


def imports(copy: Path, suites: Sequence[str]) -> None:
    """Import what the suites need of others' packages, so that every fork has it."""
    into, out = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(into)
        _run(copy, ("--collect-only", *suites))
        with os.fdopen(out, "w") as told:
            json.dump([name for name in sys.modules if not name.startswith(OURS)], told)
        os._exit(0)
    os.close(out)
    with os.fdopen(into) as told:
        names = json.load(told)
    os.waitpid(pid, 0)
    for name in names:
        if name not in sys.modules:
            with suppress(Exception):
                importlib.import_module(name)
    gc.freeze()


def try_text(copy: Path, file: str, text: str, suites: Sequence[str], limit_s: float) -> Verdict:
    """Run the suites with `text` in the stead of `file`, which is put back after it."""
    path = copy / file
    sound = path.read_bytes()
    path.unlink()  # it may be a link to the file of somebody else's copy
    path.write_text(text, encoding="utf-8")
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
        compiled.unlink()
    begun_s = time.perf_counter()  # noqa: TID251 - how long a trial took is told to people
    try:
        code = _forked(lambda: _run(copy, ("-x", "--timeout=30", *suites)), limit_s)
    finally:
        path.write_bytes(sound)
    seconds = time.perf_counter() - begun_s  # noqa: TID251 - likewise
    return Verdict(code != 0, code is None, seconds)


def sound_seconds(copy: Path, file: str, text: str, suites: Sequence[str]) -> float:
    """Return what the suites take on the sound module. Raises Broken."""
    verdict = try_text(copy, file, text, suites, limit_s=600)
    if verdict.is_killed:
        raise Broken(f"{file}: its suites fail without any change")
    return verdict.seconds


def _forked(work: Callable[[], int], limit_s: float) -> int | None:
    """Run `work` in a fork, and return its exit code; None when its time ran out."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        code = _CRASHED
        try:
            code = work()
        except BaseException:  # noqa: BLE001 - a fork must never come back into our own code
            traceback.print_exc()
        os._exit(code)
    ended = os.pidfd_open(pid)
    try:
        is_over, _, _ = select.select([ended], [], [], limit_s)
    finally:
        os.close(ended)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # and whatever the tests started
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) if is_over else None


def _run(copy: Path, arguments: Sequence[str]) -> int:
    for name in [name for name in sys.modules if name.startswith(OURS)]:
        del sys.modules[name]
    os.chdir(copy)
    sys.path[:] = [str(copy), *(path for path in sys.path if path not in ("", HERE))]
    importlib.invalidate_caches()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return int(pytest.main([*_OPTIONS, *arguments]))
