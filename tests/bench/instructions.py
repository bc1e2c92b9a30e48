"""What a frame costs in instructions of the machine, which are the same on a busy machine and a calm one.

    nice -n 10 python -m tests.bench.instructions          valgrind, its headers and a C compiler are needed

Each kind of server serves five callers in real sockets on uvloop, all in one process, and time moves on by the
frame; see _counted.py. Counted are instructions in user space, of all threads; the kernel's part isn't. One cycle
is ten seconds of every caller's. What the callers themselves cost is taken off, and so is what the service does
when nobody calls.

    c         the least: unmask, find the payload, base64, mu-law, its power; no socket and no voice activity
    floor     a bare protocol in Python: frames, one decoder, webrtcvad, an echo in messages of 200 ms
    sample    the same in the shape of the samples that carriers publish: Starlette, json
    quiet     all of Stayline, the callers silent
    heard     the same, the callers speak for four seconds of ten, and nobody answers
    talking   the same, and they are answered each time: journal, marks, pointers, messages out

`a message` is what an answer costs beside hearing the caller, for each message that goes out, marks among them.
"""

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.bench._callgrind import counted, missing
from tests.bench._counted import FRAMES
from tests.bench._figures import Figure, tell
from tests.bench._timing import table

KINDS = ("c", "floor", "sample", "quiet", "heard", "talking")
OURS = KINDS[3:]
GOAL_KILO = 90
SHOWN = 8  # files by which it is told where the instructions of a frame are
CALLED = {"_core": "msgspec", "loop": "uvloop", "libpython3": "Python"}  # better than their files
MEMORY = Path("/dev/shm")  # noqa: S108 - the store's file lies there, so that no disk holds time up


def net(name: str, counts: dict[str, Counter[str]]) -> Counter[str]:
    """Return what a kind of server took itself, by the file whose code it is."""
    costs = Counter(counts[name])
    costs.subtract(counts.get(f"callers of {name}", {}))
    costs.subtract(counts["alone"] if name in OURS else {})
    return costs


def kilo(costs: Counter[str]) -> float:
    """Return thousands of instructions for a frame."""
    return costs.total() / FRAMES / 1_000


def rows(counts: dict[str, Counter[str]]) -> list[tuple[str, ...]]:
    """Return the table of the kinds, each beside the floor, and where its instructions are."""
    nets = {name: net(name, counts) for name in KINDS}
    floor = kilo(nets["floor"])
    files = [file for file, _ in nets["heard"].most_common(SHOWN)]
    return [
        ("", "kilo-instructions a frame", "x floor", *(CALLED.get(file, file) for file in files))
    ] + [
        (
            name,
            f"{kilo(costs):.1f}",
            f"{kilo(costs) / floor:.2f}",
            *(f"{costs[file] / FRAMES / 1_000:.1f}" for file in files),
        )
        for name, costs in nets.items()
    ]


def message_kilo(counts: dict[str, Counter[str]], messages: int) -> float:
    """Return what a message out costs, in thousands."""
    more = net("talking", counts).total() - net("heard", counts).total()
    return more / messages / 1_000


def main() -> None:
    """Count and print."""
    if lacking := missing():
        sys.stdout.write(f"skipped: {lacking} not found\n")
        return
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        printed, counts = counted(["tests.bench._counted", folder], Path(folder))
    messages: dict[str, int] = json.loads(printed)
    headings, *others = rows(counts)
    a_message = message_kilo(counts, messages["talking"])
    sys.stdout.write(f"{table(headings, others)}\n\n")
    sys.stdout.write(
        f"a message out: {a_message:.1f} kilo-instructions, {messages['talking']} messages\n"
    )
    sys.stdout.write(
        f"nobody there: {counts['alone'].total() / 10 / 1e6:.1f} million instructions a second\n"
    )
    sample = kilo(net("sample", counts))
    for name, goal in (("heard", 0), ("talking", GOAL_KILO)):
        ours = kilo(net(name, counts))
        tell(
            Figure(
                f"a frame in, {name}", ours, "k instr.", floor=sample, of="sample", goal_max=goal
            )
        )
    tell(Figure("a message out", a_message, "k instr."))


if __name__ == "__main__":
    main()
