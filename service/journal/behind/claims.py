"""Claims with and without the store.

    a branch is there ──> taken here, when its claimer knows what stands before it. One that only rings
                          here is for its first stream: who comes back was somewhere else before
    held here and known, or ringing ──> the store, with a deadline; then a branch is begun and taken
    any other ──> the store alone

A claim that may be followed by one of our own here always names the epoch it expects: should it arrive
late, after the flush took the call for us, it changes nothing.
"""

import secrets
from collections.abc import Sequence

import msgspec

from service.errors import StoreUnavailable
from service.journal.behind.branch import Branch
from service.journal.behind.held import Held
from service.journal.behind.passage import Passage
from service.journal.journal import Journal
from service.journal.limits import check_bodies, check_names, check_times
from service.journal.values import Claim, Fenced, Known, Lease

CLEAR_S_MAX = 2.0  # for a call whose branch must be told before it can be claimed afresh


class Bid(msgspec.Struct, frozen=True):
    """What somebody asks of Journal.claim."""

    call_sid: str
    opening: Sequence[bytes]
    owner: str
    until_ms: int
    now_ms: int
    known: Known | None
    expected: int | None

    async def put_to(self, engine: Journal, expected: int | None) -> Claim | Fenced:
        """Ask the store."""
        return await engine.claim(
            self.call_sid,
            self.opening,
            owner=self.owner,
            until_ms=self.until_ms,
            now_ms=self.now_ms,
            known=self.known,
            expected=expected,
        )

    def hold(self, *, incarnation: str, epoch: int, head: int) -> Held:
        """Return the hold that it leads to."""
        return Held(
            self.call_sid,
            owner=self.owner,
            incarnation=incarnation,
            epoch=epoch,
            head=head,
            lease_ms=self.until_ms - self.now_ms,
        )


class Claims(Passage):
    """The part of a bridge that takes calls."""

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
        """See Journal.claim. Without the store: only what is held here and `known`, or rings now.

        The fence is provisional then, and must hold at the flush.
        """
        check_names(call_sid, owner)
        check_bodies(opening)
        check_times(until_ms, now_ms)
        bid = Bid(call_sid, tuple(opening), owner, until_ms, now_ms, known, expected)
        branch = self._roll.branches.get(call_sid)
        if branch is not None:
            claim = await self._claim_here(branch, bid)
            if claim is not None:
                return claim
            if not await self._keeper.clear(branch, CLEAR_S_MAX):
                raise StoreUnavailable("The call waits for the store, which is away.")
        held = self._roll.held.get(call_sid)
        if self._roll.has_lost(call_sid) or (held is not None and held.is_rebased):
            # What the claimer knows stands elsewhere, or nowhere at all.
            bid = msgspec.structs.replace(bid, known=None)
        if held is not None and bid.known is not None:
            return await self._claim_held(held, bid)
        if held is None and expected == 0:
            return await self._claim_ringing(bid)
        asked_at = 0 if held is None else held.head
        answer = await self._ask(bid.put_to(self.engine, expected), "claim")
        return self._taken(bid, answer, asked_at)

    async def _claim_held(self, held: Held, bid: Bid) -> Claim | Fenced:
        fence = held.epoch if bid.expected is None else bid.expected
        asked_at = held.head
        work = bid.put_to(self.engine, fence)
        answer = await self._attempt(work, self._deadlines.claim_s, "claim")
        if answer is None:
            assert bid.known is not None
            return await self._claim_branch(self._branch_of_held(held, bid.known.position), bid)
        if isinstance(answer, Fenced) and bid.expected is None:
            # Somebody had the call meanwhile. It is claimed all the same, as any other.
            answer = await self._ask(bid.put_to(self.engine, None), "claim")
        return self._taken(bid, answer, asked_at)

    async def _claim_ringing(self, bid: Bid) -> Claim | Fenced:
        work = bid.put_to(self.engine, bid.expected)
        answer = await self._attempt(work, self._deadlines.claim_s, "claim")
        if answer is not None:
            return self._taken(bid, answer, 0)
        branch = self._roll.branches.get(bid.call_sid)
        return await self._claim_branch(branch or self._ringing(bid.call_sid, bid.now_ms), bid)

    async def _claim_branch(self, branch: Branch, bid: Bid) -> Claim | Fenced:
        claim = await self._claim_here(branch, bid)
        if claim is None:
            raise StoreUnavailable("The store is away, and it alone knows this call.")
        return claim

    async def _claim_here(self, branch: Branch, bid: Bid) -> Claim | Fenced | None:
        """Claim a branch; None when the claimer must know more than is here."""
        known = bid.known
        if known is not None and not branch.can_read(known.incarnation, known.position):
            known = None
        if branch.is_fenced or not (branch.is_whole or known is not None):
            return None
        if branch.next is not None:
            return None  # Somebody had the call after all that is here.
        if bid.expected is None and not branch.epoch:
            # Somebody had the call, and not here: a webhook that came twice has it ring here anew.
            return None
        if bid.expected not in (None, branch.epoch):
            return Fenced(branch.epoch)
        self._make_sure_of_room(branch)
        held = self._roll.held.get(branch.call_sid)
        before = None
        if held is not None:
            until_ms = bid.now_ms + held.lease_ms
            before = Lease(held.owner, branch.epoch, bid.now_ms, until_ms)
        taking = branch.claim(bid.opening, owner=bid.owner, until_ms=bid.until_ms, at_ms=bid.now_ms)
        # What the store has stays as it was noted; a call that rang here has nothing there yet.
        self._roll.hold(
            bid.hold(incarnation=branch.incarnation, epoch=branch.epoch, head=branch.place)
            if held is None
            else held.by(bid.owner, bid.until_ms - bid.now_ms)
        )
        claim = branch.claimed(known, before)
        await self._keeper.keep(branch, taking)
        return claim

    def _ringing(self, call_sid: str, now_ms: int) -> Branch:
        branch = self._roll.begin(
            call_sid, incarnation=secrets.token_hex(8), epoch=0, head=0, now_ms=now_ms
        )
        return self._keeper.branched(branch)

    def _taken(self, bid: Bid, answer: Claim | Fenced, asked_at: int) -> Claim | Fenced:
        if not isinstance(answer, Claim):
            return answer
        held = bid.hold(incarnation=answer.incarnation, epoch=answer.epoch, head=answer.head)
        before = self._roll.held.get(bid.call_sid)
        if before is None or before.incarnation != answer.incarnation:
            self._roll.hold(held)
            return answer
        # Held here all along: what was kept of it is kept on, and what the store lost of that is known.
        lost = before.rewound(answer.head, asked_at)
        before.epoch = answer.epoch
        self._roll.hold(before.by(held.owner, held.lease_ms))
        before.is_rebased = False
        if not lost:
            return answer
        again = self._mend(before, lost).after(answer.head)
        return msgspec.structs.replace(answer, records=answer.records + again)
