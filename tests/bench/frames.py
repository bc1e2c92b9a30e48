"""What a frame costs: this service against the least that Python can do, and against what samples do.

    python -m tests.bench.frames [CALLS ...]          by default 50 and 400, ten seconds each

Every caller sends 50 frames a second in real time. The server has a core to itself, the callers another.
`floor` is a bare protocol on uvloop that reads frames, decodes them, asks webrtcvad and echoes; `starlette`
does the same in the shape of the samples that carriers publish. Neither keeps anything. `service` is all of
Stayline: journal, voice activity, marks, pointers, an agent that answers, outbound audio; `mute` is the same
with callers who say nothing and an agent who doesn't either.

    us        CPU of the server's process for each inbound frame, the outbound half included
    x floor   the same as a multiple of the floor's, measured in the same go
    late      messages that came after the carrier had run out of audio: holes that callers heard
    lag       of the server's loop, half of the time, one time in a hundred and in a thousand, in ms
    KiB       memory that a call added
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.bench._accounts import ACCOUNT
from tests.bench._figures import say
from tests.conftest import free_port

CALLS = (50, 400)
SECONDS = 10
LOOK_S, LOOKS_MAX = 0.1, 400
ROUNDS = 3
OPEN_S_MAX = 120  # for all callers to come, beside what they measure
END_S_MAX = 20  # for a server to end when it is told to
KINDS = ("floor", "starlette", "service", "mute")
BARE = {  # what serves each that is not the service; they keep nothing, but for the last
    "floor": ("tests.bench._sample", "floor"),
    "starlette": ("tests.bench._sample", "starlette"),
    "pipecat": ("tests.bench._pipecat",),
    "resumed": ("tests.bench._resumed",),
}
NOTHING_MORE: Mapping[str, str] = {}

Json = dict[str, Any]


@contextmanager
def served(
    kind: str,
    prepare: Callable[[Path], None] = lambda _folder: None,
    *,
    more: Mapping[str, str] = NOTHING_MORE,
    has_own_core: bool = True,
) -> Iterator[int]:
    """Serve one kind, on a core of its own or on all; give the port.

    What its store holds first is up to `prepare`; `more` is of its environment.
    """
    port, core = free_port(), min(os.sched_getaffinity(0))
    pin = ["taskset", "-c", str(core)] if has_own_core else []
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        prepare(Path(folder))
        words = [*BARE.get(kind, ("tests.bench._talking",)), str(port)]
        running = subprocess.Popen(  # noqa: S603 - our own programs
            [*pin, sys.executable, "-m", *words],
            env={**os.environ, **_settings(port, folder, kind), **more}, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _await(port, running, folder)
            yield port
        finally:
            running.terminate()
            try:
                running.wait(END_S_MAX)
            except subprocess.TimeoutExpired:  # what pipecat began outlives its sockets
                running.kill()
                running.wait()


def _settings(port: int, folder: str, kind: str) -> dict[str, str]:
    return {
        "HOST": "127.0.0.1", "PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TWILIO_ACCOUNT_SID": ACCOUNT.account_sid, "TWILIO_AUTH_TOKEN": ACCOUNT.auth_token,
        "STORE_URL": f"sqlite:///{folder}/calls.db", "WRITE_BEHIND": f"{folder}/behind",
        "API_TOKENS": "a bearer token for benchmarks:admin", "LOG_LEVEL": "ERROR",
        "AGENT": "tests.bench._talking:Answerer", "BENCH_MUTE": "1" if kind == "mute" else "", "MEDIA_IDLE_S": "60",
    }  # fmt: skip


def _await(port: int, running: subprocess.Popen[bytes], folder: str) -> None:
    for _ in range(LOOKS_MAX):
        assert running.poll() is None, (Path(folder) / "log").read_text()
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/bench/now"):
            return
        time.sleep(LOOK_S)
    raise TimeoutError((Path(folder) / "log").read_text())


def called(port: int, kind: str, calls: int, seconds: int, *more: str) -> Json:
    """Have so many callers call, and return what was counted. `more` is for the callers: see _lines.

    Raises CalledProcessError when not all of them could come, TimeoutExpired when that took too long.
    """
    manner = ["bare"] if kind in BARE else []
    mute = ["mute"] if kind == "mute" else []
    words = [sys.executable, "-m", "tests.bench._lines", str(port), str(calls), str(seconds)]
    ran = subprocess.run(  # noqa: S603 - our own program
        [*words, *manner, *mute, *more],
        check=True, capture_output=True, timeout=seconds + OPEN_S_MAX,
    )  # fmt: skip
    found: Json = json.loads(ran.stdout)
    return found


def measured(kind: str, calls: int) -> Json:
    """Have so many callers call one kind, and return what was counted."""
    with served(kind) as port:
        found = called(port, kind, calls, SECONDS)
    assert found["open"] == calls, found
    return found


def main() -> None:
    """Measure and print."""
    counts = [int(word) for word in sys.argv[1:]] or list(CALLS)
    say(
        f"{'':10} {'calls':>6} {'us':>7} {'worst':>7} {'x floor':>8} {'late':>5} {'lag p50':>8} {'p99':>6} {'p99.9':>6} {'KiB':>6}"
    )
    for calls in counts:
        floor_us = 0.0
        for kind in KINDS:
            runs = sorted((measured(kind, calls) for _ in range(ROUNDS)), key=us_of)
            run, worst = runs[len(runs) // 2], runs[-1]
            floor_us = floor_us or us_of(run)
            lag = [run["lag_us"].get(name, 0) // 1_000 for name in ("p50", "p99", "p999")]
            say(
                f"{kind:10} {calls:6} {us_of(run):7.1f} {us_of(worst):7.1f} {us_of(run) / floor_us:8.2f} {run['late']:5}"
                f" {lag[0]:8} {lag[1]:6} {lag[2]:6} {run['kib'] // calls:6}")  # fmt: skip


def us_of(run: Json) -> float:
    """Return the CPU that a frame took, in microseconds."""
    return float(run["cpu_us"]) / int(run["sent"])


if __name__ == "__main__":
    main()
