"""The lock file, read: which packages are pinned, to which versions, by which hashes."""

import re
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name

LOCK = Path(__file__).parents[2] / ".ci" / "lock.txt"

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^ ;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Pin(NamedTuple):
    """One package at one version, and the SHA-256 of each file that may be installed as it."""

    name: str
    version: str
    hashes: tuple[str, ...]


def pins(text: str) -> list[Pin]:
    """Return what the text of a lock file pins. A package may stand there once for each Python."""
    found: list[Pin] = []
    for line in text.splitlines():
        if pin := _PIN.match(line):
            found.append(Pin(canonicalize_name(pin[1]), pin[2], ()))
        if found and (digest := _HASH.search(line)):
            found[-1] = found[-1]._replace(hashes=(*found[-1].hashes, digest[1]))
    return found
