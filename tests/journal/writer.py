"""A process that claims a call and appends to it, printing each acknowledgement: to be killed.

    python -m tests.journal.writer URL CALL_SID NAME COUNT

Each line is `[position, body]`; when the fence is lost, the last is `["Fenced", epoch]`.
"""

import asyncio
import json
import sys

from service.clock import Clock
from service.journal.stores import connect
from service.journal.values import Appended, Fenced
from tests.journal.taking import take


def report(*words: int | str) -> None:
    """Print one line, at once."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def write(url: str, call_sid: str, name: str, count: int) -> None:
    """Claim the call, then append `count` records one by one."""
    clock = Clock()
    journal = connect(url, ttl_ms=1_800_000)
    await journal.start()
    now_ms = clock.now_ms()
    claim = await take(journal, call_sid, [], owner=name, until_ms=now_ms, now_ms=now_ms)
    head = len(claim.records)
    for n in range(count):
        body = f"{name}/{n}"
        outcome = await journal.append(
            call_sid,
            [body.encode()],
            epoch=claim.epoch,
            after=head,
            key=body,
            now_ms=clock.now_ms(),
        )
        match outcome:
            case Appended(position=head):
                report(head, body)
            case Fenced(epoch=epoch):
                report("Fenced", epoch)
                break
            case _:
                raise AssertionError(outcome)
    await journal.close()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
