"""Runs the benches and prints their tables; at the end one table of all figures that have a goal or a floor.

    python -m tests.bench [BENCH ...]          all of them, or those named: python -m tests.bench hours reopening

Exit code 1 when a bench failed, or a figure misses its goal.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench._figures import HEADINGS, PLACE, told
from tests.bench._timing import table


def main() -> int:
    """Run each file beside this one, or those named; return the worst exit code."""
    ours = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    named = sys.argv[1:] or [name for name in ours if not name.startswith("test_")]
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "figures"
        for name in named:
            sys.stdout.write(f"\n== {name}\n")
            sys.stdout.flush()
            ran = subprocess.run(  # noqa: S603 - our own files
                [sys.executable, "-m", f"tests.bench.{name}"],
                env={**os.environ, PLACE: str(place)},
                check=False,
            )
            worst = max(worst, ran.returncode)
        figures = told(place)
    rows = [figure.cells() for figure in figures]
    sys.stdout.write(f"\n{table(HEADINGS, rows)}\n" if rows else "")
    return worst or int(any(figure.is_met is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
