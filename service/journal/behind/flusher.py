"""Tells the store what a branch holds: in order, once, and only what the fence still allows.

    entry           the store's answer
    open            as it is there already, or new: the branch learns where it really stands
    take            Claim: ours. Fenced: ours all the same if the lease bears our name (a lost reply);
                    else somebody was first, and the branch's own facts are lost, its later claims too
    write           Appended, also when it was there already: done. Behind: others wrote meanwhile, so it is
                    written after them; or the store went back, and what it lost is written again first.
                    Fenced: kept as lost
    leave           done, whatever the answer; a call that is somebody else's by then stays theirs
    mind            a lease that is over, so that the call is lapsed: done, too

What is lost is never merged. It goes into the call's journal as facts from outside that list it.
"""

import logging
from collections.abc import Callable, Sequence
from typing import assert_never

from service.errors import StoreUnavailable
from service.journal.behind.branch import Branch
from service.journal.behind.entries import Leaving, Minding, Opening, Taking, Writing
from service.journal.behind.held import Held
from service.journal.journal import Journal
from service.journal.values import (
    Appended,
    Behind,
    Claim,
    Fenced,
    Full,
    Known,
    Missing,
    NotDurable,
    Rebased,
)

NOT_DURABLE = "The store can't make the writes durable yet."
NOTE_WRITES_MAX = 60  # listed in one note: a dozen seconds of talk
NOTE_BYTES_MAX = 32_768  # of them together; listed as text they grow
COLLISIONS_MAX = 100  # of writers outside who write to the call while it is flushed

Orphan = Callable[[int, Sequence[bytes]], bytes]  # (epoch, lost bodies) -> the fact that lists them

_log = logging.getLogger(__name__)


class Flusher:
    """Brings branches to `engine`; `orphan` makes the fact that tells of a lost one."""

    def __init__(self, engine: Journal, orphan: Orphan) -> None:
        self._engine = engine
        self._orphan = orphan

    async def flush(self, branch: Branch, held: Held | None, now_ms: int) -> int:
        """Tell the store all that the branch holds now; return how many records it took.

        Raises StoreUnavailable when it stops answering; what was told until then is told.
        """
        records = 0
        for _ in range(COLLISIONS_MAX + len(branch.entries)):
            if not branch.entries or branch.is_missing:
                break
            records += await self._tell(branch, held)
        else:
            raise StoreUnavailable("Others write to the call all the time.")
        if branch.is_missing:
            _log.error(
                "! the store no longer knows the call: %d writes are dropped",
                len(branch.entries),
                extra={"action": "branch_dropped", "call_sid": branch.call_sid},
            )
            branch.drop()
        if branch.lost:
            await self._keep_orphans(branch, now_ms)
        return records

    async def _tell(self, branch: Branch, held: Held | None) -> int:
        entry = branch.entries[0]
        match entry:
            case Opening():
                await self._open(branch, entry)
            case Taking():
                await self._take(branch, entry)
            case Writing():
                return await self._write(branch, held, entry)
            case Leaving():
                # By the store's own count: somebody else may have taken the call under the number of our claim.
                await self._engine.release(branch.call_sid, epoch=branch.fence)
                branch.told(entry)
            case Minding():
                await self._mind(branch, entry)
            case _:
                assert_never(entry)
        return 0

    async def _open(self, branch: Branch, entry: Opening) -> None:
        there = await self._engine.open(branch.call_sid, entry.bodies, now_ms=entry.at_ms)
        branch.store_incarnation = there.incarnation
        branch.is_shifted = True  # at least its name is another one
        branch.place = there.head
        branch.told(entry)

    async def _take(self, branch: Branch, entry: Taking) -> None:
        if (
            branch.is_fenced
        ):  # What was taken upon a claim that does not count does not count either.
            branch.told(entry)
            return
        known = Known(branch.store_incarnation, branch.place)
        claim = await self._engine.claim(
            branch.call_sid,
            entry.bodies,
            owner=entry.owner,
            until_ms=entry.until_ms,
            now_ms=entry.at_ms,
            known=known,
            expected=entry.epoch - 1,
        )
        match claim:
            case Claim():
                branch.fence = claim.epoch
                self._learn(branch, claim)
            case Fenced():
                if await self._is_ours(branch, claim.epoch):
                    await self._look(branch)
            case _:
                assert_never(claim)
        branch.told(entry)

    async def _mind(self, branch: Branch, entry: Minding) -> None:
        """Have the call looked after, if it was ever held and is nobody else's."""
        if branch.fence:
            await self._engine.lease(
                branch.call_sid,
                epoch=branch.fence,
                owner=branch.owner or branch.name,
                until_ms=entry.at_ms,
                now_ms=entry.at_ms,
            )
        branch.told(entry)

    def _learn(self, branch: Branch, claim: Claim) -> None:
        if claim.incarnation == branch.store_incarnation:
            return
        branch.store_incarnation = claim.incarnation
        branch.is_shifted = True
        branch.place = claim.head

    async def _is_ours(self, branch: Branch, epoch: int) -> bool:
        """Say whether it was a claim of ours that moved the fence, and only its answer got lost.

        Then nobody else writes under that epoch, and what is here may. Otherwise the branch is lost.
        """
        calls = await self._engine.open_calls()
        leases = (call.lease for call in calls if call.call_sid == branch.call_sid)
        if any(
            one is not None and (one.owner, one.epoch) == (branch.owner, epoch) for one in leases
        ):
            branch.fence = epoch
            return True
        branch.lose()
        return False

    async def _look(self, branch: Branch) -> None:
        """Find out what the store calls the journal that it opened for us, unheard."""
        reading = await self._engine.read(branch.call_sid, after=branch.place)
        if isinstance(reading, Missing):
            branch.is_missing = True
        elif reading.incarnation != branch.store_incarnation:
            branch.store_incarnation = reading.incarnation
            branch.is_shifted = True
            branch.place = reading.head

    async def _write(self, branch: Branch, held: Held | None, writing: Writing) -> int:
        """Write one append, behind the one before; return how many records the store took.

        Never two at a time: each names its place, but a place alone does not say that it is our own
        write that stands before it.
        """
        outcome = await self._engine.append(
            branch.call_sid,
            writing.bodies,
            epoch=None if writing.epoch is None else branch.fence,
            after=branch.place,
            key=writing.key,
            now_ms=writing.at_ms,
        )
        if isinstance(outcome, Appended):
            branch.stands(writing, outcome.position)
            if held is not None:
                held.wrote(writing.at(outcome.position))
            return len(writing.bodies)
        await self._refused(branch, held, writing, outcome)
        return 0

    async def _refused(
        self,
        branch: Branch,
        held: Held | None,
        writing: Writing,
        outcome: Behind | Fenced | Missing | Full | NotDurable | Rebased,
    ) -> None:
        match outcome:
            case Behind():
                self._step_aside(branch, held, outcome.head)
            case Fenced() if not branch.is_fenced and await self._is_ours(branch, outcome.epoch):
                return
            case Fenced():
                branch.refused(writing)
            case Missing():
                branch.is_missing = True
            case Full():
                branch.told(writing)
                self._tell_full(branch.call_sid)
            case NotDurable():
                raise StoreUnavailable(NOT_DURABLE)
            case Rebased():
                raise AssertionError("only a bridge says so")
            case _:
                assert_never(outcome)

    def _step_aside(self, branch: Branch, held: Held | None, head: int) -> None:
        """The store's journal goes elsewhere than we thought: further, or less far."""
        if head < branch.place:
            lost = held.rewound(head, branch.place) if held is not None else ()
            _log.error(
                "! the store went back from position %d to %d; %d writes are repeated",
                branch.place,
                head,
                len(lost),
                extra={"action": "store_went_back", "call_sid": branch.call_sid},
            )
            branch.put_before(lost)
        else:
            branch.is_shifted |= head > branch.place
        branch.place = head

    async def _keep_orphans(self, branch: Branch, now_ms: int) -> None:
        """Note in the call's journal what another owner's claim cost us.

        A branch may go on losing, so a note is named after the last write that it lists.
        """
        _log.error(
            "! another owner took the call meanwhile: %d writes stay outside its journal",
            len(branch.lost),
            extra={"action": "branch_orphaned", "call_sid": branch.call_sid},
        )
        while branch.lost:
            listed = _one_note(branch.lost)
            bodies = [body for writing in listed for body in writing.bodies]
            outcome = await self._engine.append(
                branch.call_sid,
                (self._orphan(branch.epoch, bodies),),
                epoch=None,
                after=None,
                key=f"orphan:{branch.name}:{listed[-1].position}",
                now_ms=now_ms,
            )
            if isinstance(outcome, NotDurable):
                raise StoreUnavailable(NOT_DURABLE)
            if isinstance(outcome, Full):
                self._tell_full(branch.call_sid)
            del branch.lost[: len(listed)]

    def _tell_full(self, call_sid: str) -> None:
        _log.error(
            "! the journal of this call is full: a write is dropped",
            extra={"action": "journal_full", "call_sid": call_sid},
        )


def _one_note(lost: Sequence[Writing]) -> Sequence[Writing]:
    """Return as many of the first of `lost` as go into one note, at least one."""
    room = NOTE_BYTES_MAX
    for count, writing in enumerate(lost[:NOTE_WRITES_MAX]):
        room -= sum(map(len, writing.bodies))
        if room < 0 < count:
            return lost[:count]
    return lost[:NOTE_WRITES_MAX]
