"""S-17: nothing with a known hole is locked or installed.

    python -m tests.supply.floors        exit code 1 and a line for each package that is below its floor

The floors stand in .ci/floors.toml, with the date at which somebody last looked.
"""

import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.supply.lock import LOCK, pins

FLOORS = Path(__file__).parents[2] / ".ci" / "floors.toml"
Floors = dict[str, list[str]]  # by package: the lowest version, and why


def floors() -> Floors:
    """Return the table."""
    table: Floors = tomllib.loads(FLOORS.read_text(encoding="utf-8"))["floor"]
    return table


def below(table: Floors, packages: Iterable[tuple[str, str]]) -> list[str]:
    """Return a line for each package, by name and version, that is below its floor."""
    return [
        f"{name} {version} is below {table[name][0]}: {table[name][1]}"
        for name, version in sorted(set(packages))
        if name in table and Version(version) < Version(table[name][0])
    ]


def locked(text: str) -> list[tuple[str, str]]:
    """Return the packages of a lock file."""
    return [(pin.name, pin.version) for pin in pins(text)]


def unhashed(text: str) -> list[str]:
    """Return a line for each package of a lock file that any file could be installed as."""
    return [
        f"{pin.name} {pin.version} is locked without a hash" for pin in pins(text) if not pin.hashes
    ]


def installed() -> list[tuple[str, str]]:
    """Return the packages of this environment."""
    return [(canonicalize_name(one.name), one.version) for one in distributions()]


def main() -> int:
    """Return 0 when everything is at its floor or above."""
    table, text = floors(), LOCK.read_text(encoding="utf-8")
    wrong = [*below(table, [*locked(text), *installed()]), *unhashed(text)]
    sys.stdout.write("".join(f"{line}\n" for line in wrong))
    looked = tomllib.loads(FLOORS.read_text(encoding="utf-8"))["looked"]
    told = f"{len(wrong)} wrong" if wrong else "none below"
    sys.stdout.write(f"floors of {looked}: {len(table)} packages, {told}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
