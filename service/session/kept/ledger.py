"""A call's journal as its session sees it: write under the fence, fold, know the state.

facts ──> append(epoch, after) ──> Appended ──> fold ──> state, bounded (see mind.py)
└──> Behind ───> read, fold; whoever decided decides again
└──> Fenced ───> the session is over
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from enum import Enum
from functools import partial
from typing import Any, Literal, TypeVar, assert_never

import msgspec

from service.call import events, snapshot
from service.call.mind import in_mind
from service.call.state import Call
from service.errors import StoreError, StoreUnavailable
from service.journal.journal import Journal
from service.journal.values import (
    Appended,
    Behind,
    Claim,
    Fenced,
    Full,
    Known,
    Lease,
    Missing,
    NotDurable,
    Outcome,
    Rebased,
    Record,
)
from service.session.kept.records import folded, recalled

ATTEMPTS_MAX = 20  # writers outside come one at a time; twenty in a row mean trouble
SNAPSHOT_EVERY = 200  # records: reading that many back costs a millisecond
SOON = 10  # part of those that follow a claim at least: of streams that come in a storm the store has enough
AGAIN_MS = 250  # between two attempts at what neither the store nor this machine can do now
PATIENCE = 40  # such attempts, 10 s: then the carrier's way back says a word to the caller
LEASE_MS = 5_000  # a dead server's calls are found this much later
RENEW_MS = 1_000
CARETAKER = "caretaker of "  # begins the owner of a lease that is no hold: see reconciler.py

Source = Literal["here", "snapshot", "records"]

T = TypeVar("T")

_log = logging.getLogger(__name__)


async def _patiently(ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Ask again for a while when there is no room anywhere, or only the store knows and is away."""
    for _ in range(PATIENCE - 1):
        try:
            return await ask()
        except StoreUnavailable:
            await asyncio.sleep(AGAIN_MS / 1000)
    return await ask()


class Written(Enum):
    """What became of a write."""

    DONE = "done"
    BEHIND = "behind"
    LOST = "lost"


class Ledger:
    """The state of one call and the right to write to it."""

    def __init__(self, call_sid: str, journal: Journal, owner: str, hold: int = 0) -> None:
        """Hold `call_sid` for `owner`; no other ledger of that owner may bear the number `hold`.

        An epoch does not tell two holds apart: one that was only provisional may be lost, and claimed.
        """
        self.call_sid = call_sid
        self._hold = hold
        self.call = Call(call_sid=call_sid)
        self.incarnation = ""
        self.source: Source = "records"  # where the state was found when the call was claimed last
        self.others_until_ms = 0  # until when an earlier holder may still be at work for the call
        self.hold_until_ms = 0  # our work for the call may outlast our hold on it
        self._journal = journal
        self._owner = owner
        self.epoch = 0  # the fence this session writes under; 0 before the first claim
        self._writes = self._writing_to = 0
        self._snapshot_at = 0
        self._is_moved = False  # the journal said so, and it was not folded anew yet

    async def claim(
        self, opening: Sequence[bytes], now_ms: int, *, is_first: bool = False
    ) -> Claim:
        """Take the call and bring the state up to date. Durable when it returns.

        What is folded here already is not read again. `is_first` says that nobody should have had
        the call before: such a one can be taken while the store is away.
        """
        claim = await self._ask_for(opening, now_ms, 0 if is_first and not self.epoch else None)
        if isinstance(claim, Fenced):
            claim = await self._ask_for(opening, now_ms, None)  # Somebody had it all the same.
        if isinstance(claim, Fenced):
            raise StoreError("the journal refused a claim that expected nothing")
        self.source, self.call = await self._brought_up(claim)
        self.epoch = claim.epoch
        self.incarnation = claim.incarnation
        self.others_until_ms = self._others_until_ms(claim.lease)
        if not claim.since:
            kept_at = claim.snapshot.position if claim.snapshot and self.source == "snapshot" else 0
            soon = self.call.position - SNAPSHOT_EVERY + SNAPSHOT_EVERY // SOON
            self._snapshot_at = max(kept_at, soon)
        return claim

    async def _brought_up(self, claim: Claim) -> tuple[Source, Call]:
        try:
            if claim.since:
                return "here", in_mind(folded(self.call, claim.records))
            call = await recalled(claim.snapshot, claim.records)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Another version of the code wrote the snapshot; the records themselves are always there.
            return "records", await self._from_the_first()
        return "snapshot" if claim.snapshot else "records", call

    async def _ask_for(
        self, opening: Sequence[bytes], now_ms: int, expected: int | None
    ) -> Claim | Fenced:
        return await self._journal.claim(
            self.call_sid,
            opening,
            owner=self._owner,
            until_ms=now_ms + LEASE_MS,
            now_ms=now_ms,
            known=Known(self.incarnation, self.call.position) if self.epoch else None,
            expected=expected,
        )

    def _others_until_ms(self, lease: Lease | None) -> int:
        """Who only looked after the call had waited for its holder's time to run out."""
        is_hold = lease is not None and not lease.owner.startswith(CARETAKER)
        return lease.until_ms if lease and is_hold and lease.owner != self._owner else 0

    async def _from_the_first(self) -> Call:
        reading = await self._journal.read(self.call_sid)
        if isinstance(reading, Missing):
            raise StoreError("the call was erased while it was claimed")
        return await recalled(None, reading.records)

    async def write(self, facts: Sequence[events.Known], now_ms: int) -> Written:
        """Append `facts` under the fence and fold them. Raises StoreError when the store can't take them.

        BEHIND: others wrote meanwhile. Nothing of ours was written, their facts are folded, and what
        we meant to say may no longer be true: decide again.
        """
        bodies = tuple(events.encode(fact) for fact in facts)
        self._writes += 1
        key = f"{self._owner}:{self.epoch}:{self._hold}.{self._writes}"
        for _ in range(ATTEMPTS_MAX):
            outcome = await self._append(bodies, key, now_ms)
            match outcome:
                case Appended():
                    await self._fold_own(bodies, outcome, now_ms)
                    return Written.DONE
                case Behind() | Rebased():
                    self._is_moved |= isinstance(outcome, Rebased)
                    is_ours = await _patiently(self.catch_up)
                    return Written.BEHIND if is_ours else Written.LOST
                case Fenced() | Missing():
                    return Written.LOST
                case NotDurable():
                    continue
                case Full():
                    raise StoreError("the journal of this call is full")
                case _:
                    assert_never(outcome)
        raise StoreError(f"the write was not durable after {ATTEMPTS_MAX} attempts")

    async def _append(self, bodies: tuple[bytes, ...], key: str, now_ms: int) -> Outcome:
        """Write once for all attempts: it is the same write, wherever one of them got stuck."""
        put = partial(self._journal.append, self.call_sid, bodies, key=key, now_ms=now_ms)
        self._writing_to = self.call.position + len(bodies)
        try:
            return await _patiently(lambda: put(epoch=self.epoch, after=self.call.position))
        finally:
            self._writing_to = 0

    async def tell(self, facts: Sequence[events.Known], key: str, now_ms: int) -> None:
        """Append `facts` from outside, after the call was let go of; `key` makes it happen once.

        Raises StoreError when the store can't take them. A call that is erased takes nothing.
        """
        bodies = tuple(events.encode(fact) for fact in facts)
        await self._journal.append(
            self.call_sid, bodies, epoch=None, after=None, key=key, now_ms=now_ms
        )

    async def _fold_own(self, bodies: tuple[bytes, ...], outcome: Appended, now_ms: int) -> None:
        first = outcome.position - len(bodies) + 1
        if first != self.call.position + 1:
            await _patiently(self.catch_up)
            return
        records = (
            Record(first + index, self.epoch, now_ms, body) for index, body in enumerate(bodies)
        )
        self.call = in_mind(folded(self.call, records))

    async def catch_up(self) -> bool:
        """Fold what others wrote behind our last position. False when the call is no longer ours.

        Raises StoreError; nothing has changed then, and it can be asked again.
        Records that stand elsewhere now, or in a journal of another name that goes at least as far
        as ours went, are folded anew from the first.
        """
        position = self.call.position
        reading = await self._journal.read(self.call_sid, after=0 if self._is_moved else position)
        if isinstance(reading, Missing) or reading.epoch != self.epoch:
            return False
        is_same = reading.incarnation == self.incarnation
        # Who tells more than was asked for knows that our own records stand elsewhere.
        self._is_moved |= bool(reading.records) and reading.records[0].position <= position
        if self._is_moved or (not is_same and reading.head >= position):
            return await self._fold_anew()
        if is_same and reading.records:
            self.call = in_mind(folded(self.call, reading.records))
        return is_same

    async def _fold_anew(self) -> bool:
        reading = await self._journal.read(self.call_sid)
        if isinstance(reading, Missing) or reading.epoch != self.epoch:
            return False
        if reading.incarnation != self.incarnation and not self._is_moved:
            # A call that was erased and opened again may be at the same epoch, and somebody else's.
            ours = await recalled(None, reading.records[: self.call.position])
            if ours != self.call:
                return False
        self.call = await recalled(None, reading.records)
        self.incarnation = reading.incarnation
        self._snapshot_at = min(self._snapshot_at, self.call.position)
        self._is_moved = False
        return True

    def knows(self, head: int | None) -> bool:
        """Whether a journal that goes as far as `head` has nothing that isn't folded, or being written here."""
        return head is not None and head <= max(self.call.position, self._writing_to)

    async def peek(self) -> Call:
        """Return the state as it stands in the journal now; ours stays as it is. Raises StoreError."""
        reading = await self._journal.read(self.call_sid, after=self.call.position)
        if isinstance(reading, Missing) or reading.incarnation != self.incarnation:
            return self.call
        return folded(self.call, reading.records)

    def doubt(self) -> None:
        """What was folded is not what the records give: they are folded anew, and a snapshot is made of that."""
        self._is_moved, self._snapshot_at = True, -SNAPSHOT_EVERY

    async def keep_snapshot(self) -> None:
        """Keep the folded state when enough has been written since the last time.

        A snapshot only saves time later, so one that can't be kept is logged and forgotten.
        """
        if self._is_moved or self.call.position - self._snapshot_at < SNAPSHOT_EVERY:
            return
        self._snapshot_at = self.call.position
        try:
            await self._journal.snapshot(
                self.call_sid,
                epoch=self.epoch,
                position=self.call.position,
                body=snapshot.packed(self.call),
            )
        except (StoreError, ValueError) as trouble:
            _log.warning(
                "! no snapshot was kept: %s",
                trouble,
                extra={"action": "snapshot_failed", "call_sid": self.call_sid},
            )

    async def release(self) -> None:
        """Say that nobody need look after the call any more. Raises StoreError."""
        await self._journal.release(self.call_sid, epoch=self.epoch)

    async def put_off(self, until_ms: int, now_ms: int) -> None:
        """Let go of the call, and have somebody look after it from then on. Raises StoreError."""
        owner = f"{CARETAKER}{self._owner}"
        await self._journal.lease(
            self.call_sid, epoch=self.epoch, owner=owner, until_ms=until_ms, now_ms=now_ms
        )

    async def renew(self, now_ms: int) -> bool:
        """Renew the hold on the call. False when it is no longer ours."""
        return await self._journal.lease(
            self.call_sid,
            epoch=self.epoch,
            owner=self._owner,
            until_ms=max(now_ms + LEASE_MS, self.hold_until_ms),
            now_ms=now_ms,
        )
