"""How many late writes of an owner that was away are accepted: take-over after take-over (R-2).

    python -m tests.bench.takeovers [TAKEOVERS] [STOPPED]

TAKEOVERS times (default 10,000) on each store a call is taken over, and the owner before, who does not
know it yet, writes 1 to 20 late records, some with the position that was his last, some with that of
now. STOPPED times more (default 100) the owner before is a process of its own that was stopped by
SIGSTOP in the middle of its writing, and woken after it.

Exit code 1 when a late write was accepted.
"""

import asyncio
import os
import random
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections import Counter
from pathlib import Path

from service.clock import Clock
from service.errors import StoreUnavailable
from service.journal.journal import Journal
from service.journal.stores import connect
from service.journal.values import Appended, Claim, Fenced
from tests.journal.backends import run_writer
from tests.standins.valkey import Valkey

TAKEOVERS = 10_000
STOPPED = 100
LATE_MAX = 20
AT_ONCE = 20  # calls that are taken over side by side
WRITERS_AT_ONCE = {"SQLite": 1, "Redis": 4}  # processes; a stopped one may hold a file's lock
ENDLESS = 1_000_000
CLOCK = Clock()


async def claimed(journal: Journal, call: str, name: str) -> Claim:
    """Take the call."""
    now_ms = CLOCK.now_ms()
    claim = await journal.claim(call, [], owner=name, until_ms=now_ms, now_ms=now_ms)
    assert isinstance(claim, Claim)
    return claim


async def written(journal: Journal, call: str, epoch: int, after: int, key: str) -> bool:
    """Say whether an owner's write was accepted."""
    outcome = await journal.append(
        call, [key.encode()], epoch=epoch, after=after, key=key, now_ms=CLOCK.now_ms()
    )
    assert isinstance(outcome, Appended | Fenced), outcome
    return isinstance(outcome, Appended)


async def take_over_in_turn(
    journals: list[Journal], call: str, times: int, dice: random.Random, counts: Counter[str]
) -> None:
    """Let two owners take the call from each other, and the one before write late each time."""
    epoch = (await claimed(journals[0], call, "0")).epoch
    for turn in range(1, times + 1):
        before, after = journals[(turn - 1) % 2], journals[turn % 2]
        lost = epoch
        epoch = (await claimed(after, call, f"{turn}")).epoch
        if not await written(after, call, epoch, turn - 1, f"{turn}/on time"):
            counts["owners refused"] += 1
        for late in range(dice.randint(1, LATE_MAX)):
            position = turn - dice.randint(0, 1)
            counts["attempted"] += 1
            if await written(before, call, lost, position, f"{turn}/late/{late}"):
                counts["accepted"] += 1
            else:
                counts["refused"] += 1
        counts["take-overs"] += 1


async def claimed_from(writer: Process, journal: Journal, call: str) -> Claim:
    """Stop a process and take its call; one that was stopped holding SQLite's lock goes on first."""
    assert writer.stdout is not None
    while True:
        os.kill(writer.pid, signal.SIGSTOP)
        try:
            return await claimed(journal, call, "taker")
        except StoreUnavailable:
            os.kill(writer.pid, signal.SIGCONT)
            await writer.stdout.readline()


async def take_over_stopped(
    url: str, journal: Journal, call: str, dice: random.Random, counts: Counter[str]
) -> None:
    """Stop a writing process, take its call over, wake it, and see that it writes no more."""
    writer: Process = await run_writer(url, call, "stopped", count=ENDLESS)
    assert writer.stdout is not None
    for _ in range(dice.randint(1, 40)):
        await writer.stdout.readline()
    claim = await claimed_from(writer, journal, call)
    head = claim.records[-1].position
    for number in range(3):
        assert await written(journal, call, claim.epoch, head + number, f"taker/{number}")
    os.kill(writer.pid, signal.SIGCONT)
    lines = (await writer.stdout.read()).splitlines()
    await writer.wait()
    reading = await journal.read(call)
    bodies = [record.body for record in getattr(reading, "records", ())]
    counts["take-overs"] += 1
    counts["attempted"] += 1
    counts["refused"] += b"Fenced" in lines[-1]
    counts["accepted"] += len(bodies) - head - 3


async def measure(name: str, url: str, times: int, stopped: int) -> tuple[str, bool]:
    """Return the store's lines of the table, and whether no late write was accepted."""
    dice = random.Random(1)
    journals = [connect(url, ttl_ms=1_800_000) for _ in range(2)]
    for journal in journals:
        await journal.start()
    bulk, paused = Counter[str](), Counter[str]()
    await asyncio.gather(
        *(
            take_over_in_turn(journals, f"CA{n:032}", times // AT_ONCE, dice, bulk)
            for n in range(AT_ONCE)
        )
    )
    waiting = [f"CA{n:031}s" for n in range(stopped)]

    async def work() -> None:
        while waiting:
            await take_over_stopped(url, journals[0], waiting.pop(), dice, paused)

    await asyncio.gather(*(work() for _ in range(WRITERS_AT_ONCE[name])))
    for journal in journals:
        await journal.close()
    lines = "".join(
        f"| {name} | {kind} | {each['take-overs']:,} | {each['attempted']:,} "
        f"| {each['refused']:,} | {each['accepted']} |\n"
        for kind, each in (("in turn", bulk), ("stopped", paused))
    )
    both = bulk + paused
    is_kept = not both["accepted"] and both["refused"] == both["attempted"]
    return lines, is_kept and not both["owners refused"]


async def main(times: int, stopped: int) -> int:
    """Return 1 when a late write was accepted."""
    sys.stdout.write("| store | owner before | take-overs | late writes | refused | accepted |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    is_kept = True
    with tempfile.TemporaryDirectory() as name, Valkey(Path(name) / "valkey") as server:
        stores = {"SQLite": f"sqlite:///{name}/calls.db", "Redis": server.url}
        for kind, url in stores.items():
            lines, is_well = await measure(kind, url, times, stopped)
            sys.stdout.write(lines)
            sys.stdout.flush()
            is_kept = is_kept and is_well
    return 0 if is_kept else 1


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    sys.exit(asyncio.run(main(*(numbers + [TAKEOVERS, STOPPED][len(numbers) :]))))
