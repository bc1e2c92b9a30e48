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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.bench._accounts import ACCOUNT
from tests.conftest import free_port

CALLS = (50, 400)
SECONDS = 10
LOOK_S, LOOKS_MAX = 0.1, 400
ROUNDS = 3
KINDS = ("floor", "starlette", "service", "mute")

Json = dict[str, Any]


@contextmanager
def served(kind: str, prepare: Callable[[Path], None] = lambda _folder: None) -> Iterator[int]:
    """Serve one kind on a core of its own; give the port. What its store holds first is up to `prepare`."""
    port, core = free_port(), min(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        prepare(Path(folder))
        words = ["tests.bench._sample", kind, str(port)]
        environment = {}
        if kind in ("service", "mute"):
            words, environment = ["tests.bench._talking"], _settings(port, folder, kind)
        running = subprocess.Popen(  # noqa: S603 - our own programs
            ["taskset", "-c", str(core), sys.executable, "-m", *words],  # noqa: S607 - of every Linux
            env={**os.environ, **environment}, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _await(port, running, folder)
            yield port
        finally:
            running.terminate()
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


def measured(kind: str, calls: int) -> Json:
    """Have so many callers call one kind, and return what was counted."""
    manner = [] if kind in ("service", "mute") else ["bare"]
    mute = ["mute"] if kind == "mute" else []
    with served(kind) as port:
        words = [sys.executable, "-m", "tests.bench._lines", str(port), str(calls), str(SECONDS)]
        ran = subprocess.run([*words, *manner, *mute], check=True, capture_output=True)  # noqa: S603 - our own program
    found: Json = json.loads(ran.stdout)
    assert found["open"] == calls, found
    return found


def main() -> None:
    """Measure and print."""
    counts = [int(word) for word in sys.argv[1:]] or list(CALLS)
    _tell(
        f"{'':10} {'calls':>6} {'us':>7} {'worst':>7} {'x floor':>8} {'late':>5} {'lag p50':>8} {'p99':>6} {'p99.9':>6} {'KiB':>6}"
    )
    for calls in counts:
        floor_us = 0.0
        for kind in KINDS:
            runs = sorted((measured(kind, calls) for _ in range(ROUNDS)), key=_us)
            run, worst = runs[len(runs) // 2], runs[-1]
            floor_us = floor_us or _us(run)
            lag = [run["lag_us"].get(name, 0) // 1_000 for name in ("p50", "p99", "p999")]
            _tell(
                f"{kind:10} {calls:6} {_us(run):7.1f} {_us(worst):7.1f} {_us(run) / floor_us:8.2f} {run['late']:5}"
                f" {lag[0]:8} {lag[1]:6} {lag[2]:6} {run['kib'] // calls:6}")  # fmt: skip


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _us(run: Json) -> float:
    return float(run["cpu_us"]) / int(run["sent"])


if __name__ == "__main__":
    main()
