"""More calls than fit: a store with a quota takes ended calls one after another, while others live.

    python -m tests.flood [--store sqlite:////tmp/x.db] [--calls 10000] [--mib 1024]

Each call is 1 MiB in 2,048 records, and ends. Beside them live calls write, and how long that takes is measured.
Prints the most that was used, and exits 1 when that is more than 105 % of the quota, or a live call lost a record. S-15.
"""

import argparse
import asyncio
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec

from service import quota as module
from service.clock import Clock
from service.journal.journal import Journal
from service.journal.stores import connect
from service.journal.values import Appended, Reading
from service.meter import Meter
from service.quota import Quota
from tests.conftest import for_a_moment

NOW_MS = 1_790_000_000_000
RECORD_BYTES = 512
APPEND_RECORDS = 512
LIVE = 10  # calls that live meanwhile
LIVE_EVERY_S = 0.05  # each writes so often
PERCENT_MAX = 105


class Report(msgspec.Struct, frozen=True):
    """The most bytes that were used, what live calls lost, and how long the slowest of their writes took."""

    peak: int
    files_peak: int
    pruned: int
    live_writes: int
    live_lost: int
    live_worst_ms: int
    live_p99_ms: int


async def filled(journal: Journal, call_sid: str, size: int, now_ms: int, *, is_over: bool) -> None:
    """Write a call of so many bytes, and end it or let it live."""
    claim = await journal.claim(call_sid, [b"opened"], owner="o", until_ms=now_ms, now_ms=now_ms)
    left = size // RECORD_BYTES
    while left > 0:
        bodies = [b"x" * RECORD_BYTES] * min(left, APPEND_RECORDS)
        left -= len(bodies)
        await journal.append(
            call_sid, bodies, epoch=claim.epoch, after=None, key=f"{left}", now_ms=now_ms
        )
    if is_over:
        await journal.release(call_sid, epoch=claim.epoch)


class Live:
    """A call that goes on and on."""

    def __init__(self, journal: Journal, number: int) -> None:
        self._journal = journal
        self.call_sid = f"CAlive{number}"
        self.written = 0
        self.took_ms: list[int] = []

    async def run(self) -> None:
        """Write until cancelled."""
        clock = Clock()
        claim = await self._journal.claim(
            self.call_sid, [b"opened"], owner="o", until_ms=NOW_MS, now_ms=NOW_MS
        )
        while True:
            begun_us = clock.now_us()
            outcome = await self._journal.append(
                self.call_sid,
                [b"a fact"],
                epoch=claim.epoch,
                after=None,
                key=f"{self.written}",
                now_ms=NOW_MS,
            )
            assert isinstance(outcome, Appended)
            self.took_ms.append((clock.now_us() - begun_us) // 1_000)
            self.written += 1
            await for_a_moment(LIVE_EVERY_S)

    async def lost(self) -> int:
        """Return how many of its acknowledged records are not there."""
        reading = await self._journal.read(self.call_sid)
        return self.written + 1 - (reading.head if isinstance(reading, Reading) else 0)


async def keeps_to(url: str, *, calls: int, mib: int, look_s: float = module.LOOK_S) -> Report:
    """Write so many calls of 1 MiB each to a store with a quota of so many MiB."""
    module.LOOK_S, before = look_s, module.LOOK_S
    journal, meter = connect(url, ttl_ms=86_400_000), Meter()
    await journal.start()
    lives = [Live(journal, number) for number in range(LIVE)]
    beside = [asyncio.create_task(one.run()) for one in lives]
    beside.append(asyncio.create_task(Quota(journal, meter, mib << 20).run()))
    peak = files_peak = 0
    folder = Path(url.partition("://")[2][1:]).parent if url.startswith("sqlite") else None
    try:
        for number in range(calls):
            await filled(journal, f"CA{number}", 1 << 20, NOW_MS + number, is_over=True)
            peak = max(peak, (await journal.room()).used)
            files_peak = max(files_peak, _size(folder) if folder else 0)
    finally:
        module.LOOK_S = before
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    took_ms = sorted(one for live in lives for one in live.took_ms)
    report = Report(
        peak,
        files_peak,
        int(meter.value("stayline_calls_pruned_total")),
        len(took_ms),
        sum([max(0, await one.lost()) for one in lives]),
        took_ms[-1],
        took_ms[len(took_ms) * 99 // 100],
    )
    await journal.close()
    return report


def _size(folder: Path) -> int:
    size = 0
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def main() -> int:
    """Return 0 when the quota held."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--store", default="")
    options.add_argument("--calls", type=int, default=10_000)
    options.add_argument("--mib", type=int, default=1_024)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.store or f"sqlite:///{folder}/flood.db"
        report = asyncio.run(keeps_to(url, calls=given.calls, mib=given.mib))
    percent = report.peak * 100 // (given.mib << 20)
    sys.stdout.write(f"{percent} % of {given.mib} MiB at most: {report}\n")
    return int(percent > PERCENT_MAX or report.live_lost > 0)


if __name__ == "__main__":
    sys.exit(main())
