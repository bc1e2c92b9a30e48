"""The embedded journal: one SQLite file, shared by the processes of one machine.

    the event loop          the writing lane                    the file (WAL, FULL)
    append ─────────┐
    append ─────────┼──> one transaction, one fsync ──────────>  ■
    claim  ─────────┘                                            │
    read, tail <──────── the reading lane <──────────────────────┤
    bells  <──────────── one glance a while, for all tails <─────┘  <── other processes

1.  An acknowledged write survives `kill -9` and, as far as the disk keeps its word on fsync, power loss.
2.  The event loop never touches the file.
3.  Our own appends wake their tails at once. Those of other processes are seen by one poller for all
    tails of this process, which asks only whether the file changed.
4.  In memory (path None) there is one lane for both, and nothing survives `close`.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from pathlib import Path

from service.errors import StoreUnavailable
from service.journal.limits import (
    check_append,
    check_bodies,
    check_names,
    check_snapshot,
    check_times,
    is_name,
    position_within,
)
from service.journal.sqlite import ledger, readings
from service.journal.sqlite.lane import Lane
from service.journal.sqlite.ledger import SWEEP_MAX, Ledger
from service.journal.sqlite.storefile import StoreFile
from service.journal.tailing import Bells, Page, follow
from service.journal.values import (
    Claim,
    Durability,
    Gone,
    Headline,
    Missing,
    Outcome,
    Reading,
    Record,
    Reset,
    Spent,
    Unspendable,
)

POLL_MS = 50  # how late a tail may hear of another process's append; a glance costs about 20 us
RECHECK_MS = 5_000  # a tail looks by itself this often; everything that happens rings, so seldom
READ_GROUP_MAX = 16  # reads in one transaction, so that a long one delays few others
CLAIM_TRIES = 3  # a call erased between its claim and the reading is claimed anew this often


class SqliteJournal:
    """Keeps Journal's promise in the SQLite file at `path`, or in memory when that is None."""

    def __init__(self, path: Path | None, *, ttl_ms: int) -> None:
        self._path = path
        self._ledger = Ledger(ttl_ms=ttl_ms, durability=self._durability())
        self._bells = Bells()
        self._writing = Lane(
            StoreFile(path, writes=True), name="journal-write", done=self._bells.ring
        )
        self._reading = self._writing
        if path is not None:
            file = StoreFile(path, writes=False)
            self._reading = Lane(file, name="journal-read", group_max=READ_GROUP_MAX)
        self._poller: asyncio.Task[None] | None = None
        self._pulse = secrets.token_hex(8)

    async def start(self) -> None:
        """See Journal.start. After a failure the journal may be started, or simply used, again."""
        self._writing.start()
        self._reading.start()
        await self._writing.run(lambda _: None)

    async def close(self) -> None:
        """See Journal.close. Tails that still run end with StoreUnavailable."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.wait([self._poller])
            self._poller = None
        await self._reading.close()
        await self._writing.close()
        self._bells.ring_all()

    async def check(self, *, now_ms: int) -> Durability:
        """See Journal.check."""
        check_times(now_ms)
        await self._writing.run(partial(ledger.pulse, journal=self._pulse, now_ms=now_ms))
        if await self._reading.run(partial(readings.feel_pulse, journal=self._pulse)) != now_ms:
            raise StoreUnavailable(
                f"The journal's file {self._path} does not keep what is written."
            )
        return self._durability()

    async def open(self, call_sid: str, opening: Sequence[bytes], *, now_ms: int) -> Headline:
        """See Journal.open."""
        check_names(call_sid)
        check_bodies(opening)
        check_times(now_ms)
        job = partial(self._ledger.open, call_sid=call_sid, opening=tuple(opening), now_ms=now_ms)
        return await self._writing.run(job, call_sid=call_sid)

    async def claim(
        self, call_sid: str, opening: Sequence[bytes], *, owner: str, until_ms: int, now_ms: int
    ) -> Claim:
        """See Journal.claim."""
        check_names(call_sid, owner)
        check_bodies(opening)
        check_times(until_ms, now_ms)
        job = partial(
            self._ledger.claim,
            call_sid=call_sid,
            opening=tuple(opening),
            owner=owner,
            until_ms=until_ms,
            now_ms=now_ms,
        )
        for _ in range(CLAIM_TRIES):
            taken = await self._writing.run(job, call_sid=call_sid)
            # Read outside the transaction: a long call must not hold up everybody's appends.
            reading = await self._reading.run(partial(readings.read, call_sid=call_sid, after=None))
            if isinstance(reading, Reading) and reading.incarnation == taken.incarnation:
                return Claim(
                    taken.epoch,
                    taken.incarnation,
                    taken.is_new,
                    reading.snapshot,
                    reading.records,
                    taken.lease,
                )
        raise StoreUnavailable("The call was erased again and again while it was claimed.")

    async def append(
        self,
        call_sid: str,
        bodies: Sequence[bytes],
        *,
        epoch: int | None,
        after: int | None,
        key: str,
        now_ms: int,
    ) -> Outcome:
        """See Journal.append. When cancelled it may or may not be written: repeat it with its key."""
        check_names(call_sid, key)
        check_append(bodies, epoch=epoch, after=after)
        check_times(now_ms)
        job = partial(
            self._ledger.append,
            call_sid=call_sid,
            bodies=tuple(bodies),
            epoch=epoch,
            after=after,
            key=key,
            now_ms=now_ms,
        )
        return await self._writing.run(job, call_sid=call_sid)

    async def read(self, call_sid: str, *, after: int = 0) -> Reading | Missing:
        """See Journal.read."""
        if not is_name(call_sid):
            return Missing()
        after = position_within(after)
        return await self._reading.run(partial(readings.read, call_sid=call_sid, after=after))

    def tail(
        self, call_sid: str, *, incarnation: str | None, after: int
    ) -> AsyncGenerator[Record | Reset | Gone, None]:
        """See Journal.tail."""
        return follow(
            self._bells,
            self._read_page,
            call_sid,
            incarnation=incarnation,
            after=after,
            recheck_ms=RECHECK_MS,
        )

    async def snapshot(self, call_sid: str, *, epoch: int, position: int, body: bytes) -> bool:
        """See Journal.snapshot."""
        check_names(call_sid)
        check_snapshot(epoch=epoch, position=position, body=body)
        job = partial(
            self._ledger.snapshot, call_sid=call_sid, epoch=epoch, position=position, body=body
        )
        return await self._writing.run(job)

    async def lease(
        self, call_sid: str, *, epoch: int, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        """See Journal.lease."""
        check_names(call_sid, owner)
        check_times(epoch, until_ms, now_ms)
        job = partial(
            self._ledger.lease,
            call_sid=call_sid,
            epoch=epoch,
            owner=owner,
            until_ms=until_ms,
            now_ms=now_ms,
        )
        return await self._writing.run(job)

    async def spend(
        self,
        call_sid: str,
        nonce: str,
        *,
        stream_sid: str,
        window_ms: int,
        uses_max: int,
        now_ms: int,
    ) -> Spent | Unspendable:
        """See Journal.spend."""
        check_names(call_sid, nonce, stream_sid)
        check_times(window_ms, uses_max, now_ms)
        job = partial(
            self._ledger.spend,
            call_sid=call_sid,
            nonce=nonce,
            stream_sid=stream_sid,
            window_ms=window_ms,
            uses_max=uses_max,
            now_ms=now_ms,
        )
        return await self._writing.run(job)

    async def open_calls(self) -> tuple[Headline, ...]:
        """See Journal.open_calls."""
        return await self._reading.run(readings.headlines)

    async def erase(self, call_sid: str) -> bool:
        """See Journal.erase. The bytes are overwritten in the file and gone from its log."""
        if not is_name(call_sid):
            return False
        was_there = await self._writing.run(
            partial(self._ledger.erase, call_sid=call_sid), call_sid=call_sid
        )
        await self._writing.scrub()
        return was_there

    async def sweep(self, *, now_ms: int) -> int:
        """See Journal.sweep. Also finishes what a busy log kept of calls erased before."""
        check_times(now_ms)
        swept = 0
        while True:
            expired = await self._writing.run(partial(self._ledger.sweep, now_ms=now_ms))
            swept += len(expired)
            for call_sid in expired:
                self._bells.ring(call_sid)
            if len(expired) < SWEEP_MAX:
                await self._writing.scrub()
                return swept

    def _durability(self) -> Durability:
        return Durability.MEMORY if self._path is None else Durability.LOCAL

    async def _read_page(self, call_sid: str, after: int) -> Page | None:
        if not is_name(call_sid):
            return None
        self._watch_others()
        job = partial(readings.read_page, call_sid=call_sid, after=after)
        return await self._reading.run(job)

    def _watch_others(self) -> None:
        """Let the poller run, if there can be other processes and it doesn't run already."""
        if self._path is not None and (self._poller is None or self._poller.done()):
            self._poller = asyncio.get_running_loop().create_task(self._poll())

    async def _poll(self) -> None:
        version = 0
        seen: dict[str, tuple[str, int] | None] = {}
        while True:
            await asyncio.sleep(POLL_MS / 1_000)
            # Asked after the pause: a tail that came meanwhile reads its first page behind our glance.
            calls = self._bells.calls()
            if not calls:
                return
            try:
                present, heads = await self._reading.run(
                    partial(readings.heads, call_sids=calls, version=version)
                )
            except StoreUnavailable:
                self._bells.ring_all()  # each tail finds out by itself
                continue
            if present != version:
                for call_sid in calls:
                    if call_sid not in seen or seen[call_sid] != heads.get(call_sid):
                        self._bells.ring(call_sid)
                version, seen = present, {sid: heads.get(sid) for sid in calls}
