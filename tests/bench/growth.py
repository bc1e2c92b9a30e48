"""How a core fares with more and more talking calls, until messages come late.

    python -m tests.bench.growth [CALLS ...] [--seconds 10] [--kinds starlette,service,pipecat]

The server has a core to itself, the callers another (see frames, which tells of the kinds, and the columns `us`,
`late` and `lag`). Each number of calls has a fresh server. A kind is through with it when no message came late
and every caller was there all the while; of two tries the better one counts, since a moment of somebody else's on
this machine is not the server's. It rises until it is not through.

    core      how much of its core the server used
    gone      calls whose stream was lost, and nobody was there any more
    callers   how much of theirs the callers used, and how late they sent what was due, one time in a thousand, in ms
    limit     who was at the end of a kind that was not through: `callers`, whose core was full; `others`, who had
              that core, so that callers sent less than was due, or later than what they call late. Both times
              they measured themselves. Else `server`; one whose `core` was far from full shared it with somebody

pipecat, an echo through its pipeline, is there where it is installed: `pip install pipecat-ai`.

Calls per core is the last number a kind was through with: `at least`, when it was not the server that ended it.
"""

import argparse
from contextlib import AbstractContextManager
from importlib.util import find_spec
from subprocess import CalledProcessError, TimeoutExpired

from tests.bench._figures import Figure, say, tell
from tests.bench._lines import FRAME_S, LATE_MS
from tests.bench.frames import BARE, OPEN_S_MAX, Json, called, served, us_of

CALLS = (1, 10, 50, *range(100, 1_001, 100), 1_200)
KINDS = "starlette,service" + (",pipecat" if find_spec("pipecat") else "")
SECONDS, TRIES = 10, 2
GOAL_CALLS = 1_200
FULL = 0.9  # of a core: who used that much had no room for a burst
SENT_MIN = 0.98  # of the frames that were due
ENDS = {
    "": "more were not tried",
    "callers": "their own core was the limit of the callers",
    "others": "others had the callers' core",
}


def limit(run: Json) -> str:
    """Return who was at the end of what they can, "" for nobody: see above."""
    callers, wall_ms = run["callers"], run["wall_ms"]
    is_there = run["open"] == run["calls"]
    is_short = is_there and run["sent"] < SENT_MIN * run["calls"] * wall_ms / 1_000 / FRAME_S
    if is_there and not is_short and not run["late"]:
        return ""
    if callers["cpu_us"] >= FULL * wall_ms * 1_000:
        return "callers"
    is_behind = callers["lag_us"].get("p999", 0) >= LATE_MS * 1_000
    return "others" if is_short or is_behind else "server"


def tried(
    server: AbstractContextManager[int], kind: str, calls: int, seconds: int, *more: str
) -> Json | None:
    """Return what was counted with so many calls; None when they could not all come, and tell why."""
    try:
        with server as port:
            return called(port, kind, calls, seconds, *more)
    except CalledProcessError as failed:
        say(failed.stderr.decode().rstrip().rpartition("\n")[2])
    except TimeoutExpired:
        say(f"they were not there after {OPEN_S_MAX} s")
    return None


def lags_ms(run: Json) -> list[float]:
    """Return how late the server's loop was, one time in a hundred and in a thousand."""
    return [run["lag_us"].get(name, 0) / 1_000 for name in ("p99", "p999")]


def shares(run: Json) -> list[float]:
    """Return how much of a core the server used, and the callers, in percent."""
    return [100 * one["cpu_us"] / run["wall_ms"] / 1_000 for one in (run, run["callers"])]


def row(kind: str, calls: int, run: Json | None, floor_us: float) -> str:
    """Return one line of the table."""
    if run is None:
        return f"{kind:10} {calls:6}  not all of them could come"
    lag, cores = lags_ms(run), shares(run)
    ratio = f"{us_of(run) / floor_us:.2f}" if floor_us else "-"
    return (
        f"{kind:10} {calls:6} {us_of(run):7.1f} {ratio:>8} {cores[0]:4.0f}% {lag[0]:8.1f} {lag[1]:6.1f}"
        f" {run['late']:6} {calls - run['open']:5} {cores[1]:8.0f}% {run['callers']['lag_us'].get('p999', 0) / 1_000:6.1f}  {limit(run)}"
    )


class Rise:
    """How far one kind came."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.calls = 0  # the last number it was through with
        self.us = 0.0  # what a frame took then
        self.end = ""  # who was the limit after that, if it came to it

    def step(self, calls: int, seconds: int, floor_us: float) -> float:
        """Take the next number of calls; return what a frame took, 0 when they could not come."""
        run = None
        for _ in range(TRIES):
            run = tried(served(self.kind), self.kind, calls, seconds)
            say(row(self.kind, calls, run, floor_us))
            if run is not None and not limit(run):
                self.calls, self.us = calls, us_of(run)
                return self.us
        self.end = "server" if run is None else limit(run)
        return 0.0 if run is None else us_of(run)

    def told(self) -> str:
        """Return the outcome."""
        what = f"{self.kind}: {self.calls} calls per core"
        return what if self.end == "server" else f"{what} at least: {ENDS[self.end]}"


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description="talking calls on one core, more and more")
    asked.add_argument("calls", nargs="*", type=int, default=CALLS)
    asked.add_argument("--seconds", type=int, default=SECONDS)
    asked.add_argument(
        "--kinds", default=KINDS, help="the first one is what others are compared to"
    )
    given = asked.parse_args()
    rises = [Rise(kind) for kind in given.kinds.split(",")]
    say(f"{'':10} {'calls':>6} {'us':>7} {'x ' + rises[0].kind[:6]:>8} {'core':>5} {'lag p99':>8} {'p99.9':>6} {'late':>6} {'gone':>5} {'callers':>9} {'p99.9':>6}  limit")  # fmt: skip
    for calls in given.calls:
        floor_us = 0.0
        for rise in rises:
            if not rise.end:
                taken_us = rise.step(calls, given.seconds, floor_us)
                floor_us = floor_us or taken_us
    say("")
    for rise in rises:
        say(rise.told())
    for rise in rises[1:]:
        who, goal_min = (rise.kind, 0) if rise.kind in BARE else ("talking", GOAL_CALLS)
        tell(Figure(f"{who} calls per core, none late", rise.calls, "calls", goal_min=goal_min,
                    floor=rises[0].calls, of=rises[0].kind))  # fmt: skip


if __name__ == "__main__":
    main()
