"""The software bill of materials: what an installation runs on, as CycloneDX 1.6 in JSON.

    make sbom        writes sbom.json: the parts installed here that Stayline needs, with speech and brains

Which parts belong together is read from the installed packages themselves, their hashes from the lock.
The same environment makes the same document, but for its time; SOURCE_DATE_EPOCH sets that.
"""

import json
import os
import sys
import time
import tomllib
import uuid
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.bench._timing import clock
from tests.supply.lock import LOCK, Pin, pins

ROOT = Path(__file__).parents[2]
EXTRAS = ("speech", "brains")
LICENCE_LETTERS_MAX = 100  # some packages give the whole text where others give a name

Tree = dict[str, list[str]]  # by package: what it needs


def own() -> tuple[str, str, list[str]]:
    """Return our name, our version, and what we need: with the extras, without what only tests need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for extra in EXTRAS for one in project["optional-dependencies"][extra]]
    return project["name"], project["version"], [*project["dependencies"], *extras]


def tree(name: str, requirements: list[str]) -> tuple[Tree, dict[str, Distribution]]:
    """Follow what is needed through what is installed. Raises PackageNotFoundError for what is missing."""
    needed: Tree = {name: _direct(requirements, frozenset())}
    found: dict[str, Distribution] = {}
    extras: dict[str, frozenset[str]] = {
        canonicalize_name(one.name): frozenset(one.extras) for one in map(Requirement, requirements)
    }
    waiting = list(needed[name])
    while waiting:
        part = waiting.pop()
        if part in found:
            continue
        found[part] = distribution(part)
        wanted = found[part].requires or []
        needed[part] = [
            one for one in _direct(wanted, extras.get(part, frozenset())) if _is_here(one)
        ]
        waiting += needed[part]
    return needed, found


def bom(now_s: int) -> dict[str, Any]:
    """Return the document."""
    name, version, requirements = own()
    needed, found = tree(name, requirements)
    locked = {(pin.name, pin.version): pin for pin in pins(LOCK.read_text(encoding="utf-8"))}
    parts = [
        _component(part, one, locked.get((part, one.version)))
        for part, one in sorted(found.items())
    ]
    refs = {name: f"{name}@{version}"} | {part["name"]: part["bom-ref"] for part in parts}
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps([refs, needed], sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s)),
            "component": {
                "type": "application",
                "bom-ref": refs[name],
                "name": name,
                "version": version,
            },
        },
        "components": parts,
        "dependencies": [
            {"ref": refs[part], "dependsOn": sorted({refs[one] for one in of})}
            for part, of in sorted(needed.items())
        ],
    }


def _direct(requirements: list[str], extras: frozenset[str]) -> list[str]:
    wanted = [Requirement(one) for one in requirements]
    return [
        canonicalize_name(one.name)
        for one in wanted
        if one.marker is None
        or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]


def _is_here(part: str) -> bool:
    """Whether it is installed: what a package needs on another machine may not be on this one."""
    try:
        distribution(part)
    except PackageNotFoundError:
        return False
    return True


def _component(part: str, one: Distribution, pin: Pin | None) -> dict[str, Any]:
    purl = f"pkg:pypi/{part}@{one.version}"
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": part,
        "version": one.version,
        "purl": purl,
    }
    told = one.metadata.json
    licence, named = told.get("license_expression"), str(told.get("license", ""))
    if licence:
        made["licenses"] = [{"expression": licence}]
    elif named and len(named) <= LICENCE_LETTERS_MAX:
        made["licenses"] = [{"license": {"name": named}}]
    if pin is not None:
        made["hashes"] = [{"alg": "SHA-256", "content": digest} for digest in pin.hashes]
    return made


def main() -> None:
    """Print the document."""
    now_s = int(os.environ.get("SOURCE_DATE_EPOCH") or clock.now_ms() // 1000)
    sys.stdout.write(json.dumps(bom(now_s), indent=2) + "\n")


if __name__ == "__main__":
    main()
