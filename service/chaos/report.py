"""What a run found: figures as a table, rules kept or broken, one line of JSON at the end."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from service.clock import Clock

SHOWN_MAX = 5
PACKAGES = ("stayline", "starlette", "uvicorn", "uvloop", "websockets", "redis")


def at(ordered: Sequence[int], percent: int) -> int:
    """Return a percentile of sorted values, 0 of none."""
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] if ordered else 0


class Report:
    """The figures and rules of one run."""

    def __init__(self, name: str, **settings: object) -> None:
        self.name = name
        self.broken: list[str] = []
        self.figures: dict[str, Any] = {}
        self._settings = settings
        self._lines: list[str] = []

    def spread(
        self,
        name: str,
        values: Iterable[int],
        *,
        unit: str = "ms",
        p99_max: int = 0,
        worst_max: int = 0,
    ) -> None:
        """Add a row of median, p99 and worst; a limit of 0 is none."""
        ordered = sorted(values)
        found = {"n": len(ordered), "p50": at(ordered, 50), "p99": at(ordered, 99)}
        found["worst"] = ordered[-1] if ordered else 0
        self.figures[name] = found
        limits = [f"p99 <= {p99_max}"] if p99_max else []
        limits += [f"worst <= {worst_max}"] if worst_max else []
        row = "".join(f"{found[one]:>9}" for one in ("p50", "p99", "worst"))
        self._lines.append(f"{f'{name}, {unit} ({len(ordered)})':<52}{row}  {', '.join(limits)}")
        if (p99_max and found["p99"] > p99_max) or (worst_max and found["worst"] > worst_max):
            self.broken.append(f"{name}: {found}, wanted {', '.join(limits)}")

    def count(
        self,
        name: str,
        counted: int | Sequence[str],
        *,
        at_most: int | None = 0,
        at_least: int = 0,
        found: Sequence[str] = (),
    ) -> None:
        """Add a row of one number; a list counts as its length. `found` is shown when it breaks the rule."""
        number = counted if isinstance(counted, int) else len(counted)
        found = found if isinstance(counted, int) else counted
        self.figures[name] = number
        wanted = "" if at_most is None else f"<= {at_most}"
        wanted = f">= {at_least}" if at_least else wanted
        self._lines.append(f"{name:<52}{number:>27}  {wanted}")
        if (at_most is not None and not at_least and number > at_most) or number < at_least:
            shown = [f"{name}: {number}, wanted {wanted}", *found[:SHOWN_MAX]]
            self.broken.append("\n    ".join(shown))

    def text(self) -> str:
        """Return the table and what was broken."""
        settings = ", ".join(f"{name} {value}" for name, value in self._settings.items())
        head = f"{f'{self.name}: {settings}':<52}{'p50':>9}{'p99':>9}{'worst':>9}"
        broken = [f"BROKEN  {one}" for one in self.broken]
        return "\n".join([head, *self._lines, *broken])

    def told(self) -> dict[str, Any]:
        """Return everything: settings, versions, the machine and its load, figures, broken rules."""
        return {
            "run": self.name,
            "at": datetime.fromtimestamp(Clock().now_ms() // 1_000, UTC).isoformat(),
            "commit": _commit(),
            "versions": _versions(),
            "machine": {
                "system": platform.system(),
                "release": platform.release(),
                "cores": os.cpu_count(),
                "load": [round(one, 2) for one in os.getloadavg()],
            },
            **self._settings,
            "figures": self.figures,
            "broken": self.broken,
        }

    def markdown(self) -> str:
        """Return the same as a page for people."""
        told = self.told()
        rows = "\n".join(
            f"| {name.strip()} | {_cell(found)} |" for name, found in self.figures.items()
        )
        settings = ", ".join(f"{name} {value}" for name, value in self._settings.items() if value)
        versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
        machine = told["machine"]
        broken = "".join(f"- {one}\n" for one in self.broken) or "Every rule was kept.\n"
        return (
            f"# {self.name}, {told['at']}\n\n{settings}\n\n"
            f"Commit {told['commit'] or 'unknown'}; {versions}; {machine['system']},"
            f" {machine['cores']} cores, load {machine['load']}\n\n"
            f"| figure | found |\n|---|---|\n{rows}\n\n## Broken rules\n\n{broken}"
        )

    def conclude(self) -> int:
        """Print everything; returns the exit code."""
        sys.stdout.write(f"{self.text()}\n{json.dumps(self.told())}\n")
        return 1 if self.broken else 0


def _cell(found: object) -> str:
    if not isinstance(found, dict):
        return str(found)
    return f"p50 {found['p50']}, p99 {found['p99']}, worst {found['worst']} ({found['n']})"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _commit() -> str:
    """Return the commit of the tree that the code lies in, "" when it is installed without one."""
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - whichever git is there
            capture_output=True, text=True, check=False, cwd=Path(__file__).parent,
        )  # fmt: skip
    except OSError:
        return ""
    return asked.stdout.strip()
