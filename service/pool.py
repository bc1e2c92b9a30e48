"""The figures of all processes at one port: whichever is asked tells them all.

    process 17 ──> folder/17.prom ──┐
    process 18 ──> folder/18.prom ──┴──> GET /metrics of either: each sample with `worker="17"` or `"18"`

A file that was not written anew for FRESH_MS is of a process that is gone, and no longer told.
"""

import re
from pathlib import Path

from service.clock import Clock

FRESH_MS = 30_000  # each writes every ten seconds; one whose loop hangs for three times that is told no more

_SAMPLE = re.compile(rb"(\w+)(?:\{(.*)\})? (.*)")


class Pool:
    """One process among those that share a folder. `name` is of letters and digits."""

    def __init__(self, folder: Path, name: str, clock: Clock) -> None:
        self._folder = folder
        self._name = name
        self._clock = clock

    def write(self, text: bytes) -> None:
        """Leave our figures to the others. Raises OSError."""
        new = self._folder / f"{self._name}.new"
        new.write_bytes(text)
        new.replace(self._folder / f"{self._name}.prom")

    def whole(self, own: bytes) -> bytes:
        """Return our figures as they are now, and those of the others as they last wrote them."""
        texts = {self._name: own}
        for path in sorted(self._folder.glob("*.prom")):
            age_ms = self._clock.now_ms() - path.stat().st_mtime * 1000
            if path.stem != self._name and age_ms < FRESH_MS:
                texts[path.stem] = path.read_bytes()
        return joined(texts)


def joined(texts: dict[str, bytes]) -> bytes:
    """Return several texts of Prometheus' format as one, each family once, each sample with its worker."""
    heads: dict[bytes, list[bytes]] = {}
    samples: dict[bytes, list[bytes]] = {}
    for worker, text in texts.items():
        family = b""
        for line in text.splitlines():
            if line.startswith(b"# HELP "):
                family = line.split(b" ", 3)[2]
                heads.setdefault(family, [line])
                samples.setdefault(family, [])
            elif line.startswith(b"# TYPE "):
                if len(heads[family]) == 1:
                    heads[family].append(line)
            else:
                samples[family].append(_labelled(line, worker.encode()))
    lines = [line for family, head in heads.items() for line in (*head, *samples[family])]
    return b"\n".join([*lines, b""])


def _labelled(line: bytes, worker: bytes) -> bytes:
    name, labels, value = _SAMPLE.fullmatch(line).groups()  # type: ignore[union-attr] # it is our own text
    return b'%s{%sworker="%s"} %s' % (name, labels + b"," if labels else b"", worker, value)
