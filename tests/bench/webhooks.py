"""How many calls a core can begin: signed webhooks of new calls, on connections that are kept.

    python -m tests.bench.webhooks [CONNECTIONS ...] [--count 5000]        by default 1, 16 and 64

The server has a core to itself, the carrier another; each connection asks for the next call once it was answered.
`starlette` is a bare route that reads the form and answers with a document. `service` is all of Stayline:
signature, directory, tenant, the call's journal opened and synced to the disk, a token of its own.

    a second  calls answered
    us        CPU of the server's process for each, and as a multiple of the bare route's
    p50 …     from the request to the whole answer, in ms
    carrier   how much of its core the carrier used: nearly all of it means that more could have been answered
"""

import argparse
import json
import subprocess
import sys

from tests.bench._figures import Figure, say, tell
from tests.bench._timing import Times
from tests.bench.frames import Json, served

CONNECTIONS = (1, 16, 64)
COUNT = 5_000
KINDS = ("starlette", "service")


def rung(port: int, connections: int, count: int) -> Json:
    """Have a carrier ring so often, and return what it measured. Raises CalledProcessError when one was not answered."""
    words = [sys.executable, "-m", "tests.bench._rings", str(port), str(connections), str(count)]
    ran = subprocess.run(words, check=True, stdout=subprocess.PIPE)  # noqa: S603 - our own program
    found: Json = json.loads(ran.stdout)
    return found


def rate(run: Json) -> float:
    """Return how many were answered in a second."""
    return len(run["each_us"]) * 1e6 / float(run["took_us"])


def row(kind: str, connections: int, run: Json, bare: Json) -> str:
    """Return one line of the table."""
    count, times = len(run["each_us"]), Times(run["each_us"])
    return (
        f"{kind:10} {connections:11} {rate(run):9,.0f} {rate(run) / rate(bare):7.2f} {run['cpu_us'] / count:8.0f}"
        f" {run['cpu_us'] / bare['cpu_us']:7.2f}{times.cells()} {100 * run['callers_us'] / run['took_us']:7.0f}%"
    )


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description="signed webhooks of new calls, on one core")
    asked.add_argument("connections", nargs="*", type=int, default=CONNECTIONS)
    asked.add_argument("--count", type=int, default=COUNT)
    given = asked.parse_args()
    say(f"{'':10} {'connections':>11} {'a second':>9} {'x bare':>7} {'us':>8} {'x bare':>7} {'p50 ms':>8} {'p99':>8} {'max':>8} {'carrier':>8}")  # fmt: skip
    for connections in given.connections:
        runs: dict[str, Json] = {}
        for kind in KINDS:
            with served(kind) as port:
                runs[kind] = rung(port, connections, given.count)
            say(row(kind, connections, runs[kind], runs[KINDS[0]]))
        bare, ours = (runs[kind] for kind in KINDS)
        name = f"signed webhooks, {connections} at once"
        tell(Figure(name, rate(ours), "a second", floor=rate(bare), of="bare route"))
        p99s_ms = [Times(run["each_us"]).at(99) / 1_000 for run in (ours, bare)]
        tell(Figure(f"{name}, p99", p99s_ms[0], "ms", floor=p99s_ms[1], of="bare route"))


if __name__ == "__main__":
    main()
