"""Checks that each module of the pure core is covered wholly by its own test file, branches too.

    python tests/own.py

A line that only some other module's test happens to run counts as not covered.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PURE = {"service/protocol": "tests/protocol", "service/call": "tests/call", "twiml": "tests/twiml"}


def coverage(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the coverage command with the settings of this check."""
    command = [sys.executable, "-m", "coverage", arguments[0], "--rcfile=tests/own.ini"]
    return subprocess.run(  # noqa: S603 - our own arguments
        [*command, *arguments[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )


def main() -> int:
    """Return 0 when every module is covered by its own test."""
    ran = coverage("run", "-m", "pytest", "-q", "-p", "no:cacheprovider", *PURE.values())
    if ran.returncode:
        sys.stdout.write(ran.stdout + ran.stderr)
        return ran.returncode
    failed = 0
    for sources, tests in PURE.items():
        for module in sorted((ROOT / sources).rglob("*.py")):
            room = module.relative_to(ROOT / sources).parent
            own = ".".join((*tests.split("/"), *room.parts, f"test_{module.stem}"))
            report = coverage(
                "report",
                f"--include={module.relative_to(ROOT)}",
                rf"--contexts=^$,(^|\.)test_{module.stem}\.",
                "--fail-under=100",
                "--show-missing",
            )
            if report.returncode and "No data" not in report.stdout + report.stderr:
                failed += 1
                sys.stdout.write(f"{own} leaves out:\n{report.stdout}")
    sys.stdout.write(f"own-test coverage: {failed} modules below 100 %\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
