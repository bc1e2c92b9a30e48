"""A process of its own that writes records into calls of a store which a server has open, too.

python -m tests.watchers.writer STORE_URL RECORDS SECONDS SEED CALL_SID ...

The calls are opened first, and "open" is printed. After a line on standard input the records flow, in
appends of 1 to APPEND_MAX, evenly over so many seconds: notes that bear their number within the call.
"""

import asyncio
import random
import sys

from service.call import events as e
from service.clock import Clock
from service.journal.journal import Journal
from service.journal.stores import connect
from service.journal.values import Appended

APPEND_MAX = 40  # a decision's worth and more; a page of a tail has 64
TTL_MS = 3_600_000
CLOCK = Clock()


async def write(
    journal: Journal, calls: list[str], records: int, seconds: int, chance: random.Random
) -> None:
    """Let the records flow: evenly over the calls, unevenly from one to the next."""
    left = {sid: records // len(calls) for sid in calls}
    began_ms, done = CLOCK.now_ms(), 0
    while left:
        sid = chance.choice(list(left))
        count = min(left[sid], chance.randint(1, APPEND_MAX))
        first = records // len(calls) - left[sid]
        bodies = [e.encode(e.NoteAdded(text=str(first + number))) for number in range(count)]
        outcome = await journal.append(
            sid, bodies, epoch=None, after=None, key=f"flow:{first}", now_ms=CLOCK.now_ms()
        )
        assert isinstance(outcome, Appended), f"{sid}: {outcome}"
        done += count
        left[sid] -= count
        if not left[sid]:
            del left[sid]
        due_ms = began_ms + done * seconds * 1_000 // records
        await asyncio.sleep(max(0, due_ms - CLOCK.now_ms()) / 1_000)


async def main(store_url: str, records: int, seconds: int, seed: int, calls: list[str]) -> None:
    """Open the calls, wait for the word, write."""
    journal = connect(store_url, ttl_ms=TTL_MS)
    await journal.start()
    try:
        for sid in calls:
            opened = e.encode(e.CallOpened(call_sid=sid, from_number="+15550001"))
            await journal.open(sid, [opened], now_ms=CLOCK.now_ms())
        sys.stdout.write("open\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        await write(journal, calls, records, seconds, random.Random(seed))
    finally:
        await journal.close()


if __name__ == "__main__":
    store, records, seconds, seed, *sids = sys.argv[1:]
    asyncio.run(main(store, int(records), int(seconds), int(seed), sids))
