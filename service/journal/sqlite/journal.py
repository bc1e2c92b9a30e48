"""The embedded journal: one SQLite file, shared by the processes of one machine.

    the event loop          the writing lane                    the file (WAL, FULL)
    append ─────────┐
    append ─────────┼──> one transaction, one fsync ──────────>  ■
    claim  ─────────┘                                            │
    read, tail <──────── the reading lane <──────────────────────┤
    bells  <──────────── one glance a while, for all tails <─────┘  <── other processes

1.  An acknowledged write survives `kill -9` and, as far as the disk keeps its word on fsync, power loss.
2.  The event loop never touches the file.
3.  In memory (path None) there is one lane for both, and nothing survives `close`.
"""

import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from pathlib import Path

from service.errors import StoreUnavailable
from service.journal.limits import (
    check_append,
    check_bodies,
    check_names,
    check_snapshot,
    check_span,
    check_times,
    is_name,
    position_within,
    within_limit,
)
from service.journal.sqlite import holds, ledger, readings
from service.journal.sqlite.lane import Lane
from service.journal.sqlite.ledger import SWEEP_MAX, Ledger, Taken
from service.journal.sqlite.storefile import StoreFile
from service.journal.sqlite.tails import Tails, told
from service.journal.tailing import Bells
from service.journal.values import (
    Claim,
    Durability,
    Ear,
    Fenced,
    Gone,
    Headline,
    Known,
    Lease,
    Missing,
    Outcome,
    Reading,
    Record,
    Reset,
    Room,
    Spent,
    Unspendable,
)

READ_GROUP_MAX = 16  # reads in one transaction, so that a long one delays few others
CLAIM_TRIES = 3  # a call erased between its claim and the reading is claimed anew this often


class SqliteJournal:
    """Keeps Journal's promise in the SQLite file at `path`, or in memory when that is None."""

    def __init__(self, path: Path | None, *, ttl_ms: int) -> None:
        self._path = path
        self._ttl_ms = ttl_ms
        self._durability = Durability.MEMORY if path is None else Durability.LOCAL
        self._ledger = Ledger(ttl_ms=ttl_ms, durability=self._durability)
        self._bells = Bells()
        ours = StoreFile(path, writes=True)
        self._writing = Lane(ours, name="journal-write", done=partial(told, self._bells))
        self._reading = self._writing
        if path is not None:
            file = StoreFile(path, writes=False)
            self._reading = Lane(file, name="journal-read", group_max=READ_GROUP_MAX)
        self._tails = Tails(self._reading, self._bells, writing=None if path is None else ours)
        self._pulse = secrets.token_hex(8)

    async def start(self) -> None:
        """See Journal.start. After a failure the journal may be started, or simply used, again."""
        self._writing.start()
        self._reading.start()
        await self._writing.run(lambda _: None)

    async def close(self) -> None:
        """See Journal.close. Tails that still run end with StoreUnavailable."""
        await self._tails.close()
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
        return self._durability

    async def open(self, call_sid: str, opening: Sequence[bytes], *, now_ms: int) -> Headline:
        """See Journal.open."""
        check_names(call_sid)
        check_bodies(opening)
        check_times(now_ms)
        job = partial(self._ledger.open, call_sid=call_sid, opening=tuple(opening), now_ms=now_ms)
        return await self._writing.run(job, call_sid=call_sid)

    async def claim(
        self,
        call_sid: str,
        opening: Sequence[bytes],
        *,
        owner: str,
        until_ms: int,
        now_ms: int,
        known: Known | None = None,
        expected: int | None = None,
    ) -> Claim | Fenced:
        """See Journal.claim."""
        check_names(call_sid, owner)
        check_bodies(opening)
        check_times(until_ms, now_ms, expected or 0)
        job = partial(
            self._ledger.claim,
            call_sid=call_sid,
            opening=tuple(opening),
            owner=owner,
            until_ms=until_ms,
            now_ms=now_ms,
            known=known,
            expected=expected,
        )
        for _ in range(CLAIM_TRIES):
            taken = await self._writing.run(job, call_sid=call_sid)
            if not isinstance(taken, Taken):
                return taken
            read = partial(readings.read_claimed, call_sid=call_sid, known=known)
            found = await self._reading.run(read)
            if not isinstance(found, Missing) and found[0].incarnation == taken.incarnation:
                return taken.claim(*found)
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
        return self._tails.tail(call_sid, incarnation=incarnation, after=after)

    def listen(self, call_sid: str, ear: Ear) -> Callable[[], None]:
        """See Journal.listen."""
        return self._tails.listen(call_sid, ear)

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
        held = partial(holds.lease, call_sid=call_sid, epoch=epoch, owner=owner, until_ms=until_ms)
        expires_ms = now_ms + self._ttl_ms
        return await self._writing.run(partial(held, now_ms=now_ms, expires_ms=expires_ms))

    async def adopt(
        self, call_sid: str, *, lapsed: Lease | None, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        """See Journal.adopt."""
        check_names(call_sid, owner)
        check_times(until_ms, now_ms)
        taken = partial(holds.adopt, call_sid=call_sid, lapsed=lapsed, owner=owner)
        return await self._writing.run(partial(taken, until_ms=until_ms, now_ms=now_ms))

    async def release(self, call_sid: str, *, epoch: int) -> bool:
        """See Journal.release."""
        check_names(call_sid)
        check_times(epoch)
        return await self._writing.run(partial(holds.release, call_sid=call_sid, epoch=epoch))

    async def lapsed(self, *, now_ms: int, limit: int) -> tuple[Headline, ...]:
        """See Journal.lapsed."""
        check_times(now_ms)
        job = partial(readings.lapsed, now_ms=now_ms, limit=within_limit(limit))
        return await self._reading.run(job)

    async def remember(self, name: str, call_sid: str, *, ttl_ms: int, now_ms: int) -> None:
        """See Journal.remember."""
        check_names(name, call_sid)
        check_times(now_ms)
        check_span(ttl_ms)
        job = partial(holds.remember, name=name, call_sid=call_sid, ttl_ms=ttl_ms, now_ms=now_ms)
        await self._writing.run(job)

    async def recall(self, name: str, *, now_ms: int) -> str | None:
        """See Journal.recall."""
        check_times(now_ms)
        if not is_name(name):
            return None
        return await self._reading.run(partial(readings.recall, name=name, now_ms=now_ms))

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

    async def room(self) -> Room:
        """See Journal.room."""
        return await self._reading.run(readings.room)

    async def erase(self, call_sid: str) -> bool:
        """See Journal.erase. The bytes are overwritten in the file and gone from its log."""
        return is_name(call_sid) and await self._erased(call_sid, self._ledger.erase)

    async def prune(self, call_sid: str) -> bool:
        """See Journal.prune."""
        return is_name(call_sid) and await self._erased(call_sid, self._ledger.prune)

    async def _erased(self, call_sid: str, job: Callable[..., bool]) -> bool:
        was_there = await self._writing.run(partial(job, call_sid=call_sid), call_sid=call_sid)
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
