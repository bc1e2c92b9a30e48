"""What a stream that comes back costs in instructions, which are the same on a busy machine and a calm one.

    nice -n 10 python -m tests.bench.resume_cost          valgrind, its headers and a C compiler are needed

Counted are those of user space, of all threads, for calls of 200 records that the process has never seen; see
_counted_resumes.py.

    back   a connection, its upgrade, the token, the claim, the fold, the first sound
    end    the socket is cut, and how far everything got is written
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.bench._callgrind import counted, missing
from tests.bench._counted_resumes import COUNTED
from tests.bench._figures import Figure, tell
from tests.bench._timing import table
from tests.bench.instructions import CALLED, MEMORY, SHOWN

KINDS = ("back", "end")


def rows(counts: dict[str, Counter[str]]) -> list[tuple[str, ...]]:
    """Return the table, and where the instructions are."""
    files = [file for file, _ in counts["back"].most_common(SHOWN)]
    return [("", "kilo-instructions", *(CALLED.get(file, file) for file in files))] + [
        (
            kind,
            f"{kilo(counts[kind]):.0f}",
            *(f"{counts[kind][file] / COUNTED / 1_000:.0f}" for file in files),
        )
        for kind in KINDS
    ]


def kilo(costs: Counter[str]) -> float:
    """Return thousands of instructions for a stream."""
    return costs.total() / COUNTED / 1_000


def main() -> None:
    """Count and print."""
    if lacking := missing():
        sys.stdout.write(f"skipped: {lacking} not found\n")
        return
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        _, counts = counted(["tests.bench._counted_resumes", folder], Path(folder))
    headings, *others = rows(counts)
    sys.stdout.write(f"{table(headings, others)}\n")
    for kind in KINDS:
        tell(Figure(f"a stream, {kind}", kilo(counts[kind]), "k instr."))


if __name__ == "__main__":
    main()
