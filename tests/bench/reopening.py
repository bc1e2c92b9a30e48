"""How long a caller of a long call waits after a drop: 200 and 10,000 records, on SQLite and on Redis.

    python -m tests.bench.reopening [RUNS]

A call of so many records comes to a server that has never seen it: `start` received to the first outbound
frame, through the real session, in process, with a voice that is rendered already. `kept` is the usual case:
the holder before kept its state every 200 records, so that is read, and what came after it. `whole` has
no such state (another version of the code wrote it): all records are read and folded. Beside it stands the same
claim and the read alone, with nothing made of the bytes.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from service.call import events as e
from service.clock import Clock
from service.journal.journal import Journal
from service.journal.stores import connect
from service.session.kept.ledger import SNAPSHOT_EVERY, Ledger
from service.switchboard.switchboard import Switchboard
from tests.bench._figures import Figure, tell
from tests.bench._timing import Times, clock, table
from tests.bench.resume import CLAUSE, means, resumed_us
from tests.standins.valkey import Valkey

RUNS = 30
LENGTHS = (200, 10_000)
GOAL_MS = {200: 20, 10_000: 50}
AT_ONCE = 500
WHOLE_RUNS = 5  # a fifth of the runs: each writes its call anew


def talk(records: int) -> Iterator[e.Known]:
    """Yield the facts of a talk whose last prompt was not heard to its end."""
    yield e.CallOpened(call_sid="", parameters={"client_name": "Ann"})
    yield e.StreamAttached(stream_sid="MZ0", cause="new", gap_ms=0, server="bench")
    yield e.Greeted(prompt="p0")
    turn = 0
    for number in range(records - 6):
        turn += number % 5 == 0
        match number % 5:
            case 0:
                yield e.CallerBegan()
            case 1:
                yield e.CallerSpoke(
                    text=f"This is what the caller said as number {turn}, at length."
                )
            case 2:
                yield e.AgentSpoke(prompt=f"p{turn}", clauses=(CLAUSE, CLAUSE), turn=turn)
            case 3:
                yield e.TurnAnswered(turn=turn)
            case _:
                yield e.Played(prompt=f"p{turn}", clauses=2, heard_samples=64_000)
    yield e.TurnAnswered(turn=turn)
    yield e.AgentSpoke(prompt="last", clauses=(CLAUSE, CLAUSE))
    yield e.StreamDetached(stream_sid="MZ0", reason="closed", last_media_ms=clock.now_ms())


async def prepared(journal: Journal, call_sid: str, records: int, *, is_kept: bool) -> None:
    """Write a call; a holder before has kept its state, or not."""
    facts = list(talk(records))
    await journal.open(call_sid, [e.encode(facts[0])], now_ms=clock.now_ms())
    ledger = Ledger(call_sid, journal, "before")
    await ledger.claim((), clock.now_ms())
    mark = max(AT_ONCE, len(facts) - SNAPSHOT_EVERY // 2)
    for first, last in ((1, mark), (mark, len(facts))):
        for at in range(first, last, AT_ONCE):
            await ledger.write(facts[at : min(last, at + AT_ONCE)], clock.now_ms())
        if is_kept and first == 1:
            await ledger.keep_snapshot()


async def bare_us(journal: Journal, call_sid: str) -> int:
    """Claim the call, and make nothing of what it brings."""
    begun_us, now_ms = clock.now_us(), clock.now_ms()
    await journal.claim(call_sid, [], owner="bare", until_ms=now_ms, now_ms=now_ms)
    return clock.now_us() - begun_us


async def measured(
    journal: Journal, records: int, runs: int, *, is_kept: bool
) -> tuple[Times, Times]:
    """Return the time of a resume, and of the bare claim."""
    call_sid = f"CA{records}{is_kept}"
    whole, bare = [], []
    for run in range(runs if is_kept else max(1, runs // WHOLE_RUNS)):
        if not run or not is_kept:  # Whoever resumes a call keeps its state for the next one.
            call_sid = f"CA{records}{is_kept}{run}"
            await prepared(journal, call_sid, records, is_kept=is_kept)
        bare.append(await bare_us(journal, call_sid))
        switchboard = Switchboard(means(journal, Clock()))
        whole.append(await resumed_us(switchboard, call_sid, clock))
        await switchboard.close()
    return Times(sorted(whole)), Times(sorted(bare))


async def rows(name: str, url: str, runs: int) -> list[tuple[str, ...]]:
    journal = connect(url, ttl_ms=600_000)
    await journal.start()
    found: list[tuple[str, ...]] = []
    await measured(
        journal, 10, 1, is_kept=True
    )  # The first resume of a process loads what later ones have.
    for records in LENGTHS:
        for manner in ("kept", "whole"):
            times, bare = await measured(journal, records, runs, is_kept=manner == "kept")
            ratio = times.at(50) / bare.at(50)
            p99_ms = f"{times.at(99) / 1_000:.1f}"
            found.append(
                (name, f"{records:,}", manner, times.ms(), p99_ms, bare.ms(), f"{ratio:.1f}")
            )
            goal_ms = GOAL_MS[records] if manner == "kept" else 0
            tell(Figure(f"resume of {records:,} records, {name}, {manner}, p99", times.at(99) / 1_000, "ms",
                        floor=bare.at(99) / 1_000, of="bare claim", goal_max=goal_ms))  # fmt: skip
    await journal.close()
    return found


async def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = await rows("SQLite", f"sqlite:///{folder}/calls.db", runs)
        with Valkey(folder, appendonly="yes", appendfsync="everysec") as server:
            found += await rows("Redis", server.url, runs)
    headings = ("store", "records", "state", "p50 ms", "p99 ms", "bare claim p50 ms", "ratio")
    sys.stdout.write(table(headings, found) + "\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
