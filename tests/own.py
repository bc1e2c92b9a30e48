"""Checks that each module of the pure core is covered wholly by its own test file, branches too.

    python tests/own.py

A line that only some other module's test happens to run counts as not covered.
"""

import io
import subprocess
import sys
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import NoDataError

ROOT = Path(__file__).parent.parent
SETTINGS = "tests/own.ini"
WHOLLY = 100.0
PURE = {"service/protocol": "tests/protocol", "service/call": "tests/call", "twiml": "tests/twiml"}


def coverage(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the coverage command with the settings of this check."""
    command = [sys.executable, "-m", "coverage", arguments[0], f"--rcfile={SETTINGS}"]
    return subprocess.run(  # noqa: S603 - our own arguments
        [*command, *arguments[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )


def own_tests() -> dict[Path, Path]:
    """Return each module of the pure core with the test file that mirrors it."""
    return {
        module: Path(tests, module.relative_to(sources).parent, f"test_{module.stem}.py")
        for sources, tests in PURE.items()
        for module in sorted(Path(sources).rglob("*.py"))
    }


def uncovered(report: Coverage, module: Path, test: Path) -> str:
    """Return what of a module its own test leaves out, as a table; nothing if there is no such thing."""
    table = io.StringIO()
    contexts = ["^$", rf"(^|\.){test.stem}\."]
    try:
        covered = report.report(
            include=[str(module)], contexts=contexts, show_missing=True, file=table
        )
    except NoDataError:
        return ""  # a module of docstrings alone
    return table.getvalue() if covered < WHOLLY else ""


def main() -> int:
    """Return 0 when every module is covered by its own test."""
    mirrored = own_tests()
    coverage("erase")
    tests = sorted({str(test) for test in mirrored.values() if (ROOT / test).exists()})
    quick = ("-q", "-n", "2", "-m", "not seeds", "-p", "no:cacheprovider")
    ran = coverage("run", "-m", "pytest", *quick, *tests)
    coverage("combine", "-q")
    if ran.returncode:
        sys.stdout.write(ran.stdout + ran.stderr)
        return ran.returncode
    report = Coverage(config_file=SETTINGS)
    report.load()
    missing = {test: uncovered(report, module, test) for module, test in mirrored.items()}
    for test, table in missing.items():
        if table:
            sys.stdout.write(f"{test} leaves out:\n{table}")
    failed = sum(map(bool, missing.values()))
    sys.stdout.write(f"own-test coverage: {failed} modules below 100 %\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
