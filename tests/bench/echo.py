"""How soon a caller's frame comes back: the way through the service, with an agent that answers at once.

    python -m tests.bench.echo [CALLS ...] [--seconds 20]          by default 1, 50 and 200

Every caller sends 50 frames a second, all silent but one in each half a second, and waits for that one. `floor` and
`starlette` (see frames) send every frame straight back. `service` is all of Stayline, and the agent makes an answer
of that frame: heard by the ear, taken by the agent's session, decided, written in the journal, and only then said.
The server has a core to itself, the callers another.

    p50 …    from the frame sent to the message received that brings it, in ms; p50 and p99 as multiples of the sample's
    lost     frames that did not come back
    lag      of the server's loop one time in a thousand, in ms; then how late the callers sent what was due, who as
             late saw what came: a p99 below that is of their making
"""

import argparse
import json
import subprocess
import sys

from service.audio import FRAME_SAMPLES
from tests.bench._figures import Figure, say, tell
from tests.bench._timing import Times
from tests.bench.frames import BARE, OPEN_S_MAX, Json, served

CALLS = (1, 50, 200)
SECONDS = 20
KINDS = ("starlette", "floor", "service")  # what the others are compared to comes first
MORE = {"BENCH_OUT_SAMPLES": str(FRAME_SAMPLES), "BENCH_ECHO": "1"}


def knocked(kind: str, calls: int, seconds: int) -> Json:
    """Have so many callers knock, and return what they measured."""
    with served(kind, more=MORE) as port:
        words = [sys.executable, "-m", "tests.bench._knocks", str(port), str(calls), str(seconds)]
        ran = subprocess.run(  # noqa: S603 - our own program
            [*words, "bare" if kind in BARE else "service"],
            check=True, stdout=subprocess.PIPE, timeout=seconds + OPEN_S_MAX,
        )  # fmt: skip
    found: Json = json.loads(ran.stdout)
    assert found["open"] == calls, found["open"]
    assert found["each_us"], "nothing came back"
    return found


def row(kind: str, calls: int, run: Json, sample: Json) -> str:
    """Return one line of the table."""
    times, beside = Times(run["each_us"]), Times(sample["each_us"])
    lags_us = [one["lag_us"].get("p999", 0) for one in (run, run["callers"])]
    ratios = [times.at(of) / beside.at(of) for of in (50, 99)]
    return (
        f"{kind:10} {calls:6} {len(times.us):7}{times.cells()}"
        f" {ratios[0]:8.2f} {ratios[1]:6.2f} {run['lost']:6}" + "".join(f" {us / 1_000:8.1f}" for us in lags_us)
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description="from a caller's frame to its echo")
    asked.add_argument("calls", nargs="*", type=int, default=CALLS)
    asked.add_argument("--seconds", type=int, default=SECONDS)
    given = asked.parse_args()
    say(f"{'':10} {'calls':>6} {'echoes':>7} {'p50 ms':>8} {'p99':>8} {'max':>8} {'x sample':>8} {'p99':>6} {'lost':>6} {'lag':>8} {'callers':>8}")  # fmt: skip
    for calls in given.calls:
        runs: dict[str, Json] = {}
        for kind in KINDS:
            runs[kind] = knocked(kind, calls, given.seconds)
            say(row(kind, calls, runs[kind], runs[KINDS[0]]))
        ours, sample = (Times(runs[kind]["each_us"]) for kind in (KINDS[-1], KINDS[0]))
        for percent in (50, 99):
            tell(Figure(f"frame to its echo, {calls} calls, p{percent}", ours.at(percent) / 1_000, "ms",
                        floor=sample.at(percent) / 1_000, of="sample"))  # fmt: skip


if __name__ == "__main__":
    main()
