"""Plant bugs one by one in a copy of the tree, and see that the suites catch every one.

python -m tests.planted [NAME…] [--workers N]

Prints a table; exits 1 when a bug survives, 2 when its text is not where it was.
"""

import argparse
import os
import sys
from pathlib import Path

from tests.planted.bug import Bug, Rotten
from tests.planted.bugs import BUGS
from tests.planted.trial import WORKERS, Verdict, failing_anyway, sound_copy, try_all

ROOT = Path(__file__).parent.parent.parent
NICE = 19  # whoever measures real time on this machine comes first
NAME_WIDTH = max(len(bug.name) for bug in BUGS)


def chosen(names: list[str]) -> list[Bug]:
    """Return the bugs that the command line names, all when it names none."""
    by_name = {bug.name: bug for bug in BUGS}
    unknown = sorted(set(names) - set(by_name))
    if unknown:
        sys.exit(f"There is no bug {unknown[0]!r}. There are: {', '.join(by_name)}.")
    return [by_name[name] for name in names] or list(BUGS)


def row(verdict: Verdict) -> str:
    """Return a verdict's line in the table."""
    outcome = verdict.test or f"NOT CAUGHT  {verdict.trouble}"
    bug = verdict.bug
    return f"{bug.name:<{NAME_WIDTH}}  {bug.rule:>4}  {verdict.seconds:>5.1f}  {outcome}\n"


def main() -> int:
    """Return 0 when every bug is caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--workers", type=int, default=WORKERS)
    asked = parser.parse_args()
    bugs = chosen(asked.names)
    os.nice(NICE)
    sys.stdout.write(f"{'bug':<{NAME_WIDTH}}  rule   secs  caught by\n")
    verdicts: list[Verdict] = []
    with sound_copy(ROOT) as sound:
        try:
            for verdict in try_all(bugs, sound, workers=asked.workers):
                verdicts.append(verdict)
                sys.stdout.write(row(verdict))
                sys.stdout.flush()
        except Rotten as trouble:
            sys.stdout.write(f"{trouble}\n")
            return 2
        false = failing_anyway((verdict.test for verdict in verdicts if verdict.test), sound)
    for test in sorted(false):
        sys.stdout.write(f"FALSE ALARM  {test} fails without the bug, too\n")
    survivors = [one.bug.name for one in verdicts if not one.test or one.test in false]
    sys.stdout.write(f"{len(bugs) - len(survivors)} of {len(bugs)} planted bugs caught\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
