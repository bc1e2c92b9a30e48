"""S-7: what sealing costs an append. Goal: at most 5 % of the throughput.

    python -m tests.bench.seal [rounds]

Fifty owners write records of 288 bytes at once, as sessions do: through the bridge, in turns without a
seal and with one, so that both meet the same disk and the same neighbours; the best round of each counts. The processor's time of this process
(event loop and writing thread) says more than the clock where others work on the machine. Beside that, what one record
takes to seal and to open by itself.
"""

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from service.journal.behind.bridge import Bridge
from service.journal.behind.composing import bridged
from service.journal.journal import Journal
from service.journal.seal.callkey import CallKey
from service.journal.seal.composing import sealed
from service.journal.seal.masters import Masters
from service.journal.seal.shelf import ShelfSeal
from service.journal.values import Appended, Claim, Record
from service.meter import Meter
from service.trust.sealkeys import SealKey
from tests.bench._timing import clock, table
from tests.journal.backends import orphan
from tests.journal.sealing import KEY
from tests.standins.valkey import Valkey

BODY = b"x" * 288
WRITERS = 50
APPENDS = 2_000  # of one round
TTL_MS = 1_800_000
HEADINGS = (
    "store",
    "appends/s in clear",
    "sealed",
    "processor us an append in clear",
    "sealed",
    "cost",
)


async def paced(journal: Journal, name: str) -> tuple[int, int]:
    """Return the microseconds that APPENDS take, of the clock and of the processor."""
    now_ms = clock.now_ms()

    async def claim(writer: int) -> Claim:
        taken = await journal.claim(
            f"CA-{name}-{writer}", [], owner="b", until_ms=now_ms, now_ms=now_ms
        )
        assert isinstance(taken, Claim)
        return taken

    async def write(writer: int, epoch: int) -> None:
        for n in range(APPENDS // WRITERS):
            outcome = await journal.append(
                f"CA-{name}-{writer}", [BODY], epoch=epoch, after=n, key=f"{n}", now_ms=now_ms
            )
            assert isinstance(outcome, Appended)

    claims = await asyncio.gather(*map(claim, range(WRITERS)))
    begun_us, begun_ns = clock.now_us(), time.process_time_ns()
    await asyncio.gather(*(write(n, taken.epoch) for n, taken in enumerate(claims)))
    return clock.now_us() - begun_us, (time.process_time_ns() - begun_ns) // 1_000


def bridge(url: str, folder: Path, *keys: SealKey) -> Bridge:
    """Return the journal as the application has it."""
    engine = sealed(url, keys, tenant_of=lambda _: "", ttl_ms=TTL_MS)
    return bridged(
        engine,
        url,
        folder=str(folder / "behind"),
        name="sealed" if keys else "clear",
        orphan=orphan,
        clock=clock,
        meter=Meter(),
        chance=random.Random(1),
        seal=ShelfSeal(engine.masters),
    )


async def measure(name: str, url: str, rounds: int, folder: Path) -> tuple[str, ...]:
    plain, shut = bridge(url, folder), bridge(url, folder, KEY)
    await plain.start()
    await shut.start()
    paces: dict[str, list[tuple[int, int]]] = {"clear": [], "sealed": []}
    for n in range(rounds):
        kinds = [(plain, "clear"), (shut, "sealed")]
        for journal, kind in kinds if n % 2 else kinds[::-1]:
            paces[kind].append(await paced(journal, f"{kind}-{n}"))
    await plain.close()
    await shut.close()

    def least(kind: str, of: int) -> int:
        return min(pace[of] for pace in paces[kind])

    before, after = least("clear", 1), least("sealed", 1)
    return (
        name,
        *(f"{APPENDS * 1_000_000 // least(kind, 0):,}" for kind in paces),
        *(f"{least(kind, 1) / APPENDS:.1f}" for kind in paces),
        f"{100 * (after - before) / before:.1f} %",
    )


def by_itself() -> str:
    masters = Masters([KEY])
    wrapped = masters.made("", "CA1", since=1, now_ms=0)
    key = CallKey(*masters.opened(wrapped, "CA1"), wrapped)
    begun_us = clock.now_us()
    bodies = [key.seal((BODY,), first=n, epoch=1, at_ms=5)[0] for n in range(1, 20_001)]
    sealed_us = clock.now_us() - begun_us
    records = [Record(n, 1, 5, body) for n, body in enumerate(bodies, 1)]
    begun_us = clock.now_us()
    key.open(records)
    opened_us = clock.now_us() - begun_us
    return (
        f"One record: sealed in {sealed_us / 20_000:.2f} us, opened in {opened_us / 20_000:.2f} us."
        f" A call of 10,000 records opens in {opened_us / 2_000:.1f} ms.\n"
    )


async def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [
            await measure("SQLite, FULL", f"sqlite:///{folder}/calls.db", rounds, folder),
        ]
        with Valkey(folder / "valkey", appendonly="yes", appendfsync="everysec") as server:
            rows.append(await measure("Redis, AOF everysec", server.url, rounds, folder))
    sys.stdout.write(table(HEADINGS, rows) + "\n\n" + by_itself())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
