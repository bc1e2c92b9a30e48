"""A journal that seals what it gives to its engine, and opens what it gets back.

    session, doors ──> bridge ──> Sealed ──> engine          records and snapshots: sealed
                         │           └─────> vault           the wrapped key of each call
                         └──> shelf (sealed for itself, see shelf.py)

It stands behind the bridge, in front of the engine, for two reasons. Only there is it known at which
position a record will stand: a branch's records come to stand elsewhere when somebody outside wrote
meanwhile, and one that was sealed before for its place would not open. And a call that rings while a
store on the network is away has nowhere to keep a key that other servers find. So a branch and its
shelf have keys of their own, and a record gets its seal on the way into the store, whoever brings it
there: owners, writers outside, the flush after an outage, the fact that quotes a lost branch.

1.  Every record is bound to its position. A writer outside names none: its write is sealed for the end
    as last known, put under that condition, and sealed anew for the end it is told when others
    were first; see tip.py. After PLACED_TRIES it is sealed for no place; see callkey.py.
2.  The engine still sees keys of appends, epochs, times, owners and CallSids in clear, and how long
    each body is.
3.  A call whose key is not here is SealBroken to whoever reads or claims it; its fence is not touched.
4.  Erasing destroys the key first: from then on every copy of the records is noise.
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from typing import NamedTuple, assert_never

from msgspec.structs import replace

from service.errors import SealBroken, StoreUnavailable
from service.journal.journal import Journal
from service.journal.limits import (
    SEALED_MARKS,
    TIME_MS_MAX,
    check_append,
    check_bodies,
    check_names,
    check_snapshot,
    check_times,
    is_name,
)
from service.journal.seal.callkey import CallKey, is_sealed
from service.journal.seal.keys import CallKeys, TenantOf
from service.journal.seal.masters import Masters
from service.journal.seal.passing import Passing
from service.journal.seal.vault import Vault
from service.journal.values import (
    Appended,
    Behind,
    Claim,
    Fenced,
    Gone,
    Headline,
    Known,
    Missing,
    NotDurable,
    Outcome,
    Reading,
    Record,
    Reset,
    Snapshot,
)

PLACED_TRIES = 2  # of a writer outside: each is a commit, and it has a quarter of a second in all
ERASED = "The call was erased again and again while it was opened."
CLAIM_TRIES = 3  # a call that is erased while it is opened is opened anew this often
PRUNE_MS = 600_000  # a key is kept before its call is there, for moments; this is ample


class SealedJournal(Passing):
    """Keeps Journal's promise with `engine`, which sees only sealed bodies when there are `masters`."""

    def __init__(
        self, engine: Journal, vault: Vault, masters: Masters, tenant_of: TenantOf, *, ttl_ms: int
    ) -> None:
        keys = CallKeys(engine, vault, masters, tenant_of, ttl_ms=ttl_ms)
        super().__init__(engine, vault, masters, keys)

    async def open(self, call_sid: str, opening: Sequence[bytes], *, now_ms: int) -> Headline:
        """See Journal.open."""
        check_names(call_sid)
        check_bodies(opening)
        check_times(now_ms)
        for _ in range(CLAIM_TRIES):
            key = await self.keys.for_opening(call_sid, opening, now_ms)
            sealed = _opening(key, opening, now_ms)
            headline = await self.engine.open(call_sid, sealed, now_ms=now_ms)
            if key is None or await self.keys.stands(key):
                return headline
            await self.engine.erase(call_sid)
        raise StoreUnavailable(ERASED)

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
        """See Journal.claim. Raises SealBroken, before the fence moves, when the call's key is not here."""
        check_names(call_sid, owner)
        check_bodies(opening)
        check_times(until_ms, now_ms, expected or 0)
        for _ in range(CLAIM_TRIES):
            key = await self.keys.for_opening(call_sid, opening, now_ms)
            claim = await self.engine.claim(
                call_sid,
                _opening(key, opening, now_ms),
                owner=owner,
                until_ms=until_ms,
                now_ms=now_ms,
                known=known,
                expected=expected,
            )
            if isinstance(claim, Fenced):
                return claim
            if key is None or not claim.is_new or await self.keys.stands(key):
                snapshot, records = _opened(key, call_sid, claim.snapshot, claim.records)
                return replace(claim, snapshot=snapshot, records=records)
            await self.engine.erase(call_sid)
        raise StoreUnavailable(ERASED)

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
        """See Journal.append."""
        if not self.masters:
            return await self.engine.append(
                call_sid, bodies, epoch=epoch, after=after, key=key, now_ms=now_ms
            )
        held = self.keys.held(call_sid)
        if held is not None and epoch is not None and after is not None:
            # The owner's own way: nothing is waited for, and what is asked the engine checks by itself.
            bodies = held.seal(bodies, first=after + 1, epoch=epoch, at_ms=now_ms)
            outcome = await self.engine.append(
                call_sid, bodies, epoch=epoch, after=after, key=key, now_ms=now_ms
            )
            if isinstance(outcome, Missing):
                self.keys.forget(call_sid)
            return outcome
        check_names(call_sid, key)
        check_append(bodies, epoch=epoch, after=after)
        check_times(now_ms)
        write = _Write(call_sid, tuple(bodies), epoch, key, now_ms)
        own = await self.keys.for_writing(
            call_sid, is_owner=epoch is not None, after=after, now_ms=now_ms
        )
        if own is None:
            return Missing()
        if after is not None:
            return await self._put(write, own, after)
        return await self._put_anywhere(write, own)

    async def read(self, call_sid: str, *, after: int = 0) -> Reading | Missing:
        """See Journal.read. Raises SealBroken."""
        reading = await self.engine.read(call_sid, after=after)
        if isinstance(reading, Missing):
            self.keys.forget(call_sid)
            return reading
        key = await self.keys.known(call_sid)
        try:
            return _opened_reading(key, call_sid, reading)
        except SealBroken:
            anew = await self.keys.fetched(call_sid)
            if anew is not None and not anew.is_of(key):
                return _opened_reading(anew, call_sid, reading)
            if isinstance(await self.engine.read(call_sid, after=TIME_MS_MAX), Missing):
                return Missing()  # it was erased while we read it, its key first
            raise

    async def tail(
        self, call_sid: str, *, incarnation: str | None, after: int
    ) -> AsyncGenerator[Record | Reset | Gone, None]:
        """See Journal.tail. Raises SealBroken."""
        tail = self.engine.tail(call_sid, incarnation=incarnation, after=after)
        async with aclosing(tail) as items:
            async for item in items:
                match item:
                    case Record():
                        yield await self._opened_one(call_sid, item)
                    case Reset() | Gone():
                        self.keys.forget(call_sid)
                        yield item
                    case _:
                        assert_never(item)

    async def snapshot(self, call_sid: str, *, epoch: int, position: int, body: bytes) -> bool:
        """See Journal.snapshot."""
        check_names(call_sid)
        check_snapshot(epoch=epoch, position=position, body=body)
        if self.masters:
            key = await self.keys.known(call_sid)
            if key is None:
                return False
            body = key.seal_snapshot(position, body)
        return await self.engine.snapshot(call_sid, epoch=epoch, position=position, body=body)

    async def erase(self, call_sid: str) -> bool:
        """See Journal.erase. The key goes first; when the rest fails, erase again."""
        if self.masters and is_name(call_sid):
            await self.vault.destroy(call_sid)
        self.keys.forget(call_sid)
        return await self.engine.erase(call_sid)

    async def sweep(self, *, now_ms: int) -> int:
        """See Journal.sweep. The keys of calls that are no more go, too."""
        swept = await self.engine.sweep(now_ms=now_ms)
        if self.masters:
            await self.vault.prune(self._present, before_ms=now_ms - PRUNE_MS)
        return swept

    async def _present(self) -> Collection[str]:
        return {headline.call_sid for headline in await self.engine.open_calls()}

    async def _put_anywhere(self, write: "_Write", own: CallKey) -> Outcome:
        """Write behind whatever stands there."""
        for _ in range(PLACED_TRIES):
            place = own.tip.reserve(len(write.bodies))
            outcome = await self._put(write, own, place.after)
            if not isinstance(outcome, Behind):
                return outcome
            own.tip.correct(place, outcome.head)
        return await self._put(write, own, None)

    async def _put(self, write: "_Write", own: CallKey, after: int | None) -> Outcome:
        epoch, at_ms = write.epoch or 0, write.now_ms
        if after is not None:
            bodies = own.seal(write.bodies, first=after + 1, epoch=epoch, at_ms=at_ms)
        else:
            bodies = own.seal_loose(write.bodies, epoch=epoch, at_ms=at_ms)
        outcome = await self.engine.append(
            write.call_sid,
            bodies,
            epoch=write.epoch,
            after=after,
            key=write.key,
            now_ms=write.now_ms,
        )
        match outcome:
            case Appended(position=position) | NotDurable(position=position):
                own.tip.reached(position)
            case Missing():
                self.keys.forget(write.call_sid)
            case _:
                pass
        return outcome

    async def _opened_one(self, call_sid: str, record: Record) -> Record:
        key = await self.keys.known(call_sid)
        try:
            return _opened(key, call_sid, None, (record,))[1][0]
        except SealBroken:
            anew = await self.keys.fetched(call_sid)
            if anew is None or anew.is_of(key):
                raise
            return anew.open_one(record)


class _Write(NamedTuple):
    """What somebody appends."""

    call_sid: str
    bodies: tuple[bytes, ...]
    epoch: int | None
    key: str
    now_ms: int


def _opening(key: CallKey | None, opening: Sequence[bytes], now_ms: int) -> Sequence[bytes]:
    return opening if key is None else key.seal(opening, first=1, epoch=0, at_ms=now_ms)


def _opened_reading(key: CallKey | None, call_sid: str, reading: Reading) -> Reading:
    snapshot, records = _opened(key, call_sid, reading.snapshot, reading.records)
    return replace(reading, snapshot=snapshot, records=records)


def _opened(
    key: CallKey | None, call_sid: str, snapshot: Snapshot | None, records: tuple[Record, ...]
) -> tuple[Snapshot | None, tuple[Record, ...]]:
    """Open what was read. Without a key it must be of a time without keys. Raises SealBroken."""
    if key is not None:
        return key.open_snapshot(snapshot), key.open(records)
    first = {one.body[:1] for one in records}
    if not first.isdisjoint(SEALED_MARKS) or (snapshot and is_sealed(snapshot.body)):
        raise SealBroken(f"Call {call_sid} is sealed, and its key is not kept here.")
    return snapshot, records
