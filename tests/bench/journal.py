"""What the journal costs: one command, one table.

    python -m tests.bench.journal [appends]

Every backend writes 288-byte records under a fence, one by one and fifty writers at once, and claims
calls of 200 and of 10,000 records. Beside each stands a bare figure measured in the same run, since a
machine's disk and its neighbours move both alike: one INSERT and commit with sqlite3 (WAL, FULL), one
PING through redis-py.
"""

import asyncio
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from redis.asyncio import Redis

from service.clock import Clock
from service.journal.journal import Journal
from service.journal.stores import connect
from service.journal.values import Appended
from tests.standins.valkey import Valkey

BODY = b"x" * 288
WRITERS = 50
CLAIMS = 20
LONG = 10_000

HEADINGS = (
    "store",
    "append p50 / p99 us",
    "bare p50 / p99 us",
    "ratio p50",
    "appends/s, 50 writers",
    "claim of 200, ms",
    "of 10,000 with a snapshot, ms",
    "of 10,000 without, ms",
)

clock = Clock()


class Times(NamedTuple):
    """Microseconds, sorted."""

    us: list[int]

    def at(self, percent: int) -> int:
        return self.us[min(len(self.us) * percent // 100, len(self.us) - 1)]


class Row(NamedTuple):
    """What one backend took."""

    name: str
    append: Times
    bare: Times
    per_second: int
    claim_200: Times
    claim_long: Times
    read_long: Times


async def timed(count: int, act: Callable[[int], Awaitable[object]]) -> Times:
    """Run `act` so many times, one after the other."""
    taken = []
    for n in range(count):
        begun_us = clock.now_us()
        await act(n)
        taken.append(clock.now_us() - begun_us)
    return Times(sorted(taken))


async def claim(journal: Journal, call_sid: str) -> int:
    now_ms = clock.now_ms()
    taken = await journal.claim(call_sid, [], owner="bench", until_ms=now_ms, now_ms=now_ms)
    return taken.epoch


async def fill(journal: Journal, call_sid: str, records: int) -> None:
    """Open a call with so many records."""
    await journal.open(call_sid, [], now_ms=clock.now_ms())
    step = min(records, 1_000)
    for n in range(0, records, step):
        await journal.append(
            call_sid, [BODY] * step, epoch=None, after=None, key=f"{n}", now_ms=clock.now_ms()
        )


async def measure(name: str, url: str, count: int, bare: Times) -> Row:
    journal = connect(url, ttl_ms=1_800_000)
    await journal.start()
    epoch = await claim(journal, "CA-one")

    async def append(n: int) -> None:
        outcome = await journal.append(
            "CA-one", [BODY], epoch=epoch, after=n, key=f"{n}", now_ms=clock.now_ms()
        )
        assert isinstance(outcome, Appended)

    async def write(writer: int) -> None:
        held = await claim(journal, f"CA-{writer}")
        for n in range(count // WRITERS):
            await journal.append(
                f"CA-{writer}", [BODY], epoch=held, after=n, key=f"{n}", now_ms=clock.now_ms()
            )

    appended = await timed(count, append)
    begun_us = clock.now_us()
    await asyncio.gather(*map(write, range(WRITERS)))
    per_second = count * 1_000_000 // (clock.now_us() - begun_us)
    await fill(journal, "CA-200", 200)
    claim_200 = await timed(CLAIMS, lambda _: claim(journal, "CA-200"))
    await fill(journal, "CA-long", LONG)
    read_long = await timed(CLAIMS, lambda _: claim(journal, "CA-long"))
    held = await claim(journal, "CA-long")
    assert await journal.snapshot("CA-long", epoch=held, position=LONG - 50, body=bytes(200_000))
    claim_long = await timed(CLAIMS, lambda _: claim(journal, "CA-long"))
    for call in await journal.open_calls():
        await journal.erase(call.call_sid)
    await journal.close()
    return Row(name, appended, bare, per_second, claim_200, claim_long, read_long)


async def bare_insert(folder: Path, count: int) -> Times:
    """Time one INSERT and its commit, with nothing around it."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE records (position INTEGER PRIMARY KEY, body BLOB)")

    async def insert(n: int) -> None:
        connection.execute("INSERT INTO records VALUES (?, ?)", (n, BODY))

    times = await timed(count, insert)
    connection.close()
    return times


async def bare_ping(url: str, count: int) -> Times:
    async with Redis.from_url(url) as client:
        return await timed(count, lambda _: client.echo("PING"))


def table(rows: list[Row]) -> str:
    lines = [
        "| " + " | ".join(HEADINGS) + " |",
        "|---" * len(HEADINGS) + "|",
    ]
    for row in rows:
        claims = (row.claim_200, row.claim_long, row.read_long)
        cells = [
            row.name,
            f"{row.append.at(50)} / {row.append.at(99)}",
            f"{row.bare.at(50)} / {row.bare.at(99)}",
            f"{row.append.at(50) / row.bare.at(50):.1f}",
            f"{row.per_second:,}",
            *(f"{statistics.median(times.us) / 1_000:.2f}" for times in claims),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        insert = await bare_insert(folder, count)
        rows = [
            await measure("memory", "sqlite://:memory:", count, insert),
            await measure("SQLite, FULL", f"sqlite:///{folder}/calls.db", count, insert),
        ]
        for policy in ("no", "everysec", "always"):
            config = {
                "appendonly": "no" if policy == "no" else "yes",
                "appendfsync": "everysec" if policy == "no" else policy,
            }
            with Valkey(folder / policy, **config) as server:
                url = server.url
                ping = await bare_ping(url, count)
                rows.append(await measure(f"Redis, AOF {policy}", url, count, ping))
    sys.stdout.write(table(rows) + "\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000))
