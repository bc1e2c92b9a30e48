"""What streams that come back cost, and what they do to the calls beside them (O-1, G4), over real sockets.

    python -m tests.bench.resumes [CALLS [STREAMS [WAY …]]]        by default 50, 500 and all of these

The server has a core to itself. CALLS callers talk and listen; meanwhile streams of other calls come back, each with
a journal of 200 records that this server has never seen:

    single     one at a time
    spread     over five seconds
    instant    all at once
    cut        all were here, are cut at once, and ask /twiml/resume as the carrier does
    strangers  four times as many signed upgrades at once that never say a word
    flat       nobody else is there, and 32 are under way all the time: how many a second, how much CPU each, and by
               turns the same of the least that Starlette can do with the same store and fold (_resumed.py)

`first` is from the `start` sent to the first audio, `whole` from the connection (of `cut`: from the request) on.
`late` are holes that callers beside heard; `lag` is how late the server's loop was. All in ms, CPU in us.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

from service.clock import Clock
from service.journal.stores import connect
from tests.bench._accounts import ACCOUNT
from tests.bench._figures import say
from tests.bench._returns import name_of
from tests.bench.frames import served
from tests.bench.resume import prepared
from tests.fleet.strangers import kinds, stranger

CALLS, STREAMS = 50, 500
COUNTS = {"flat": 1.0, "single": 0.4, "spread": 1.0, "instant": 1.0, "cut": 1.0, "strangers": 4.0}
ROUNDS = 3  # of those that are compared
WARM_S, SECONDS = 8, 14  # the callers dial first, and their holes are counted from five seconds on
CLAUSE = "Are you there?"  # short: what 500 calls cost that talk is another question
TTL_MS = 3_600_000

Json = dict[str, Any]


def written(folder: Path, count: int) -> None:
    """Write the journals of `count` calls into the server's store, before it opens."""

    async def write() -> None:
        journal, clock = connect(f"sqlite:///{folder / 'calls.db'}", ttl_ms=TTL_MS), Clock()
        await journal.start()
        for number in range(count):
            await prepared(journal, name_of(number), clock, CLAUSE)
        await journal.close()

    asyncio.run(write())


async def came(port: int, way: str, first: int, count: int) -> Json:
    """Have streams come back in one way, and return what they measured."""
    if way == "strangers":
        said = kinds(f"http://127.0.0.1:{port}", ACCOUNT)["no start"]
        gone = await asyncio.gather(*(stranger(port, said) for _ in range(count)))
        return {"first_us": [], "whole_us": [], "failed": gone.count(None)}
    words = [sys.executable, "-m", "tests.bench._returns", str(port), way, str(first), str(count)]
    running = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    told, _ = await running.communicate()
    found: Json = json.loads(told)
    return found


def told(port: int) -> Json:
    """Return what the server used so far, and its lag since this was last asked."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/bench/now", timeout=30) as answer:
        found: Json = json.loads(answer.read())
        return found


async def beside(port: int, way: str, calls: int, numbers: range) -> Json:
    """Have streams come while callers talk."""
    words = [sys.executable, "-m", "tests.bench._lines", str(port), str(calls), str(SECONDS)]
    talking = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    await asyncio.sleep(WARM_S)
    await asyncio.to_thread(told, port)
    found = await came(port, way, numbers.start, len(numbers))
    found |= {"lag_us": (await asyncio.to_thread(told, port))["lag_us"]}
    heard, _ = await talking.communicate()
    return found | {"late": json.loads(heard)["late"], "open": json.loads(heard)["open"]}


async def alone(port: int, numbers: range) -> Json:
    """Have streams come as fast as they can, and nobody else."""
    before = await asyncio.to_thread(told, port)
    found = await came(port, "flat", numbers.start, len(numbers))
    after = await asyncio.to_thread(told, port)
    return found | {"cpu_us": after["cpu_us"] - before["cpu_us"], "lag_us": after["lag_us"]}


def rates(count: int) -> int:
    """Print how many a second come back, here and where the least is done for them. Returns how many failed."""
    numbers, failed = range(count), 0
    spent_us: dict[str, list[float]] = {"service": [], "resumed": []}
    for kind in [*spent_us] * ROUNDS:
        with served(kind, partial(written, count=count)) as port:
            found = asyncio.run(alone(port, numbers))
        say(row("flat" if kind == "service" else "bare", count, found))
        failed += found["failed"]
        spent_us[kind].append(found["cpu_us"] / count)
        say(
            f"  {count * 1e6 / found['took_us']:.0f} a second, {spent_us[kind][-1]:.0f} us of CPU each"
        )
    ours, bare = map(statistics.median, spent_us.values())
    say(f"  {ours / bare:.2f} times the least, in CPU, of {ROUNDS} runs each")
    return failed


def row(way: str, count: int, found: Json) -> str:
    """Return one line of the table."""
    cells = [f"{way:10}{count:6}{found['failed']:7}"]
    for name in ("first_us", "whole_us"):
        spread = found[name] or [0]
        cells += [f"{spread[min(len(spread) - 1, len(spread) * of // 100)] / 1_000:8.1f}" for of in (50, 99)]  # fmt: skip
    cells += [f"{found['lag_us'][of] / 1_000:8.1f}" for of in ("p99", "p999", "max")]
    return "".join(cells) + (f"{found['late']:6}" if "late" in found else "")


def main() -> int:
    """Measure each way, and print."""
    given = dict(enumerate(sys.argv[1:]))
    calls, streams = int(given.get(0, CALLS)), int(given.get(1, STREAMS))
    plan = [(way, round(COUNTS[way] * streams)) for way in sys.argv[3:] or COUNTS]
    say(f"{'':10}{'':6}{'':7}{'first':>16}{'whole':>16}{'lag':>24}")
    say(f"{'':10}{'count':>6}{'failed':>7}{'p50':>8}{'p99':>8}{'p50':>8}{'p99':>8}{'p99':>8}{'p99.9':>8}{'max':>8}{'late':>6}")  # fmt: skip
    failed = 0
    for way, count in plan:
        if way == "flat":
            failed += rates(count)
            continue
        with served("service", partial(written, count=count if way != "strangers" else 0)) as port:
            found = asyncio.run(beside(port, way, calls, range(count)))
        say(row(way, count, found))
        failed += found["failed"]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
