"""What the journal costs: one command, two tables.

    python -m tests.bench.journal [appends]

Every backend writes 288-byte records under a fence, one by one and fifty writers at once, and claims
calls of 200 and of 10,000 records. Beside each stands a bare figure measured in the same run, since a
machine's disk and its neighbours move both alike: one INSERT and commit with sqlite3 (WAL, FULL), one
PING through redis-py. The second table tells what it costs to look after calls, among 10,000 others.
"""

import asyncio
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from redis.asyncio import Redis

from service.journal.journal import Journal
from service.journal.stores import connect
from service.journal.values import Appended
from tests.bench import _duties
from tests.bench._duties import Duties, measure_duties
from tests.bench._timing import Times, clock, table, timed
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


class Row(NamedTuple):
    """What one backend took."""

    name: str
    append: Times
    bare: Times
    per_second: int
    claim_200: Times
    claim_long: Times
    read_long: Times

    def cells(self) -> tuple[str, ...]:
        claims = (self.claim_200, self.claim_long, self.read_long)
        return (
            self.name,
            f"{self.append.at(50)} / {self.append.at(99)}",
            f"{self.bare.at(50)} / {self.bare.at(99)}",
            f"{self.append.at(50) / self.bare.at(50):.1f}",
            f"{self.per_second:,}",
            *(times.ms() for times in claims),
        )


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


async def measure(name: str, url: str, count: int, bare: Times) -> tuple[Row, Duties]:
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
    row = Row(name, appended, bare, per_second, claim_200, claim_long, read_long)
    await fill(journal, "CA-long", LONG)
    duties = await measure_duties(name, journal, "CA-long", min(count, 500))
    await journal.close()
    return row, duties


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
    cells = [(row.cells(), duties.cells()) for row, duties in rows]
    sys.stdout.write(table(HEADINGS, [row for row, _ in cells]) + "\n\n")
    sys.stdout.write(table(_duties.HEADINGS, [duties for _, duties in cells]) + "\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000))
