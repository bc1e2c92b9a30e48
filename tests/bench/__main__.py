"""Runs every benchmark and prints their tables.

python -m tests.bench
"""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run each file beside this one; return the worst exit code."""
    worst = 0
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        sys.stdout.write(f"\n== {path.stem}\n")
        sys.stdout.flush()
        ran = subprocess.run([sys.executable, "-m", f"tests.bench.{path.stem}"], check=False)  # noqa: S603 - our own files
        worst = max(worst, ran.returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
