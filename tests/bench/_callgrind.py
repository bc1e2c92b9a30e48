"""Instructions of a process, counted by valgrind, and what it wrote of them, read back."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

SHIM = Path(__file__).with_name("_counted.c")
NAMED = re.compile(r"c?ob=\((\d+)\)(?: (.*))?")
COST = re.compile(r"[0-9+*-]")
TRIGGER = "desc: Trigger: Client Request: "
OPTIONS = ("--tool=callgrind", "--instr-atstart=no", "--dump-line=no", "--fair-sched=yes", "-q")


def missing() -> str:
    """Return what isn't there that counting needs, "" when all is."""
    found = [name for name in ("valgrind", "cc") if shutil.which(name) is None]
    if not found and not Path("/usr/include/valgrind/callgrind.h").exists():
        found = ["valgrind/callgrind.h"]
    return " and ".join(found)


def counted(words: Sequence[str], folder: Path) -> tuple[str, dict[str, Counter[str]]]:
    """Run a module with the path of the shim behind its words, one thread in the C libraries.

    Returns what it printed, and the instructions of each count by the file whose code they are.
    """
    shim, out = folder / "shim.so", folder / "out"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", shim, SHIM], check=True)  # noqa: S603, S607 - our own
    ran = subprocess.run(  # noqa: S603 - our own program
        ["valgrind", *OPTIONS, f"--callgrind-out-file={out}", sys.executable, "-m", *words, str(shim)],  # noqa: S607 - the one there is
        env={**os.environ, "LD_PRELOAD": str(shim), "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    dumps = [read(path.read_text().splitlines()) for path in folder.glob("out.*")]
    return ran.stdout, {name: costs for name, costs in dumps if name}


def read(lines: Iterable[str]) -> tuple[str, Counter[str]]:
    """Read what callgrind wrote at one moment: its name, and the instructions of each object file.

    The format is the one of "Callgrind Format Specification": names are given once, with a number, and a line
    behind `calls=` tells what the callee took, which stands at the callee too.
    """
    name, here, is_callee = "", "", False
    names: dict[str, str] = {}
    costs: Counter[str] = Counter()
    for line in lines:
        if line.startswith(TRIGGER):
            name = line.removeprefix(TRIGGER)
        elif named := NAMED.fullmatch(line):
            if named[2]:
                names[named[1]] = Path(named[2]).name.partition(".")[0]
            here = here if line.startswith("c") else named[1]
        elif line.startswith("calls="):
            is_callee = True
        elif COST.match(line):
            costs[here] += 0 if is_callee else int(line.split()[1])
            is_callee = False
    return name, Counter({names.get(key, key): cost for key, cost in costs.items()})
