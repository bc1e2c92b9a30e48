"""What several workers at one port do for talking calls (WEB_CONCURRENCY), on the same cores and the same store.

    python -m tests.bench.workers [CALLS ...] [--workers 1,2] [--seconds 10]        by default 50, 100, 200 and 400

Nobody has a core to himself: workers and callers share all of this machine's, so where there are two of them the
callers take what a second worker could have had. Look at `us` first: what a frame costs when the work is divided.

    us        CPU of all workers together for each inbound frame, and as a multiple of the first number's of workers
    busiest   how much of that CPU was one worker's: the kernel deals connections out, and evenly it is 1 / workers
    lag, late, gone   as in growth; the lag of the worker that was latest
    workers, callers   how much of one core each side used
    limit     who was at the end when messages were late or calls missing: `machine`, when workers and callers
              together left hardly any CPU; `worker`, when one of them had used up a core; else as in growth

The last column is how many such calls all cores of this machine would carry by CPU, were nobody else on it.
"""

import argparse
import os

from tests.bench import growth
from tests.bench._figures import Figure, say, tell
from tests.bench._lines import FRAME_S
from tests.bench.frames import Json, served, us_of

CALLS = (50, 100, 200, 400)
WORKERS = "1,2"
SECONDS = 10
CORES = len(os.sched_getaffinity(0))


def tried(calls: int, workers: int, seconds: int) -> Json | None:
    """Return what was counted with so many calls; None when they could not all come."""
    server = served("service", more={"WEB_CONCURRENCY": str(workers)}, has_own_core=False)
    return growth.tried(server, "service", calls, seconds, "any-core", str(workers))


def limit(run: Json) -> str:
    """Return who was at the end of what they can, "" when nobody was."""
    theirs, wall_us = growth.limit(run), run["wall_ms"] * 1_000
    if not theirs:
        return ""
    if run["cpu_us"] + run["callers"]["cpu_us"] >= growth.FULL * CORES * wall_us:
        return "machine"
    return "worker" if max(run["each_us"]) >= growth.FULL * wall_us else theirs


def carried(run: Json) -> float:
    """Return how many calls all cores would carry, by CPU."""
    return CORES * 1e6 * FRAME_S / us_of(run)


def row(calls: int, workers: int, run: Json | None, alone_us: float) -> str:
    """Return one line of the table."""
    if run is None:
        return f"{calls:6} {workers:8}  not all of them could come"
    lag, cores = growth.lags_ms(run), growth.shares(run)
    ratio = f"{us_of(run) / alone_us:.2f}" if alone_us else "-"
    return (
        f"{calls:6} {workers:8} {us_of(run):7.1f} {ratio:>6} {100 * max(run['each_us']) / run['cpu_us']:7.0f}%"
        f" {lag[0]:8.1f} {lag[1]:6.1f} {run['late']:6} {calls - run['open']:5} {cores[0]:7.0f}% {cores[1]:7.0f}%  {limit(run) or '-':8}{carried(run):7.0f}"
    )


class Rise:
    """How far one number of workers came: the last calls it was through with, and what ended that."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.calls = 0
        self.end = ""

    def take(self, calls: int, run: Json | None) -> None:
        """Take what was counted with the next number of calls."""
        self.end = "server" if run is None else limit(run)
        self.calls = self.calls if self.end else calls

    def told(self) -> str:
        """Return the outcome."""
        end = f"then the limit was: {self.end}" if self.end else "more were not tried"
        return f"{self.workers} at the port: {self.calls} calls without a late message; {end}"


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description="talking calls on one worker and on several")
    asked.add_argument("calls", nargs="*", type=int, default=CALLS)
    asked.add_argument("--workers", default=WORKERS)
    asked.add_argument("--seconds", type=int, default=SECONDS)
    given = asked.parse_args()
    rises = [Rise(int(word)) for word in given.workers.split(",")]
    say(f"{CORES} cores for all")
    say(f"{'calls':>6} {'workers':>8} {'us':>7} {'x':>6} {'busiest':>8} {'lag p99':>8} {'p99.9':>6} {'late':>6} {'gone':>5} {'workers':>8} {'callers':>8}  {'limit':8}{'carries':>7}")  # fmt: skip
    for calls in given.calls:
        first_us = 0.0
        for rise in (one for one in rises if not one.end):
            run = tried(calls, rise.workers, given.seconds)
            say(row(calls, rise.workers, run, first_us))
            rise.take(calls, run)
            if run is not None and first_us:
                tell(Figure(f"CPU of a frame, {calls} calls, {rise.workers} workers", us_of(run), "us",
                            floor=first_us, of=f"{rises[0].workers} worker"))  # fmt: skip
            first_us = first_us or (us_of(run) if run is not None else 0.0)
    say("")
    for rise in rises:
        say(rise.told())
        if rise is not rises[0]:
            tell(Figure(f"talking calls of the machine, {rise.workers} workers", rise.calls, "calls",
                        floor=rises[0].calls, of=f"{rises[0].workers} worker"))  # fmt: skip


if __name__ == "__main__":
    main()
