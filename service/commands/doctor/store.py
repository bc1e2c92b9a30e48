"""The journal's store: reachable, writable, fenced, and of one time with us."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from service.call import events as e
from service.clock import Clock
from service.commands.doctor.clocks import STORE_CARE_MS, judged
from service.commands.doctor.finding import Finding, State
from service.config import Config
from service.errors import StoreError
from service.journal.redis.journal import RedisJournal
from service.journal.seal.journal import SealedJournal
from service.journal.values import Appended, Claim, Durability, Fenced
from service.parts import sealed_store

WAIT_S = 10  # for a store to answer at all
SLOW_MS = 50  # an acknowledgement that takes longer is felt in every turn of a call
LEASE_MS = 5_000

WORTH = {
    Durability.MEMORY: "in memory: gone with its process",
    Durability.BUFFERED: "written within a second: power loss may cost that second",
    Durability.LOCAL: "on this machine's disk before it is acknowledged",
    Durability.REPLICA: "held by a replica before it is acknowledged",
}


async def look(config: Config, clock: Clock) -> list[Finding]:
    """Look at the store that the settings name."""
    findings = [_shelf(config)]
    try:
        async with asyncio.timeout(WAIT_S), _opened(config) as journal:
            findings += await _examined(journal, clock)
    except (StoreError, TimeoutError) as trouble:
        text = str(trouble) or f"it gave no answer in {WAIT_S} s"
        findings.append(Finding("store", State.WRONG, text, "see STORE_URL, and whether it runs"))
    return findings


@asynccontextmanager
async def _opened(config: Config) -> AsyncIterator[SealedJournal]:
    journal = sealed_store(config)
    try:
        await journal.start()
        yield journal
    finally:
        await journal.close()


async def _examined(journal: SealedJournal, clock: Clock) -> list[Finding]:
    worth = await journal.check(now_ms=clock.now_ms())
    state = State.CARE if worth is Durability.MEMORY else State.WELL
    advice = "switch on appendonly at the Redis, or use a file" if state is State.CARE else ""
    findings = [Finding("store", state, f"written and read back; {WORTH[worth]}", advice)]
    findings += await _fenced(journal, clock)
    if isinstance(journal.engine, RedisJournal):
        before_ms = clock.now_ms()
        theirs_ms = await journal.engine.time_ms()
        ahead_ms = (before_ms + clock.now_ms()) // 2 - theirs_ms
        findings.append(judged("store clock", ahead_ms, "the store", STORE_CARE_MS))
    return findings


async def _fenced(journal: SealedJournal, clock: Clock) -> list[Finding]:
    """Try with a call of our own, which is erased again, that a late owner can't write."""
    call_sid = f"CA{secrets.token_hex(16)}"
    opening = [e.encode(e.CallOpened(call_sid=call_sid))]
    try:
        await journal.open(call_sid, opening, now_ms=clock.now_ms())
        claims = [await _claimed(journal, call_sid, clock, f"doctor-{turn}") for turn in (1, 2)]
        first, second = (one.epoch if isinstance(one, Claim) else 0 for one in claims)
        late = await _written(journal, call_sid, clock, epoch=first)
        began_ms = clock.now_ms()
        timely = await _written(journal, call_sid, clock, epoch=second)
        took_ms = clock.now_ms() - began_ms
    finally:
        await journal.erase(call_sid)
    if not isinstance(late, Fenced) or not isinstance(timely, Appended):
        return [Finding("fence", State.WRONG, "a write of an earlier owner was not refused")]
    if took_ms > SLOW_MS:
        text = f"holds, but a write took {took_ms} ms"
        return [Finding("fence", State.CARE, text, "put the store nearer to the servers")]
    return [Finding("fence", State.WELL, f"holds; a write took {took_ms} ms")]


async def _claimed(
    journal: SealedJournal, call_sid: str, clock: Clock, owner: str
) -> Claim | Fenced:
    now_ms = clock.now_ms()
    return await journal.claim(call_sid, [], owner=owner, until_ms=now_ms + LEASE_MS, now_ms=now_ms)


async def _written(journal: SealedJournal, call_sid: str, clock: Clock, *, epoch: int) -> object:
    return await journal.append(
        call_sid,
        [e.encode(e.NoteAdded(text="doctor"))],
        epoch=epoch,
        after=1,
        key=f"doctor-{epoch}",
        now_ms=clock.now_ms(),
    )


def _shelf(config: Config) -> Finding:
    """Whether what waits for a store that is away has a place."""
    folder = Path(config.write_behind)
    probe = folder / f".doctor-{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as trouble:
        text = f"{folder}: {trouble.strerror}"
        return Finding("shelf", State.WRONG, text, "let WRITE_BEHIND name a folder we may write in")
    return Finding("shelf", State.WELL, f"{folder} takes what waits for a store that is away")
