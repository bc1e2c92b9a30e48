"""A journal that goes on while its store does not: the bounded local write-behind.

    session, doors ──> Bridge ──> the store                      near: straight through
                         │
                         └──> branch ──> shelf (local file)      late, failed, away: written here
                                └──> flusher ──> the store       and told in order once it answers

1.  A fact of the conversation waits for the store no longer than its deadline. The attempt is not
    recalled: the same write with the same key follows it, so that it counts once.
2.  Only what this process holds goes on without the store: calls that it claimed, and calls that ring.
    Everything else is StoreUnavailable, at once when the store is known to be away.
3.  The fence is the store's. A branch's epochs are provisional; a claim that another owner made first
    wins, and what was written here is kept beside the journal, never merged into it.
4.  When records came to stand elsewhere, their owner is told by `Rebased`, other readers by `Reset`.
"""

from collections.abc import AsyncGenerator, Callable, Sequence

from service.errors import StoreUnavailable
from service.journal.behind.arrears import Arrears, Status
from service.journal.behind.branch import Branch
from service.journal.behind.claims import Claims
from service.journal.behind.entries import Writing
from service.journal.behind.held import Held
from service.journal.behind.relay import Relay
from service.journal.limits import (
    check_append,
    check_bodies,
    check_names,
    check_times,
    position_within,
)
from service.journal.values import (
    Appended,
    Behind,
    Ear,
    Fenced,
    Gone,
    Headline,
    Missing,
    NotDurable,
    Outcome,
    Reading,
    Rebased,
    Record,
    Reset,
)

HEADLINE_MS = 1_800_000  # how long a call that rings without the store is said to live


class Bridge(Claims):
    """Keeps Journal's promise with `engine` while that answers, and in part while it does not."""

    @property
    def arrears(self) -> Arrears:
        """What the store is still to be told."""
        return self._keeper.arrears()

    @property
    def status(self) -> Status:
        """How the store is, as health checks are told."""
        return self._keeper.status

    def is_final(self, call_sid: str, epoch: int) -> bool | None:
        """Say whether all that was written of the call under `epoch` is with the store; None: it never will be."""
        if self._roll.has_lost(call_sid, epoch):
            return None
        branch = self._roll.branches.get(call_sid)
        if branch is None:
            return True
        return not branch.entries and not branch.is_fenced and not branch.is_missing

    def judge(self) -> None:
        """Take stock now, and tell log and meter of a change."""
        self._keeper.judge()

    @property
    def is_whole(self) -> bool:
        """Whether what waits here is on this machine's disk, and not in memory alone."""
        return not self._shelf.trouble

    async def open(self, call_sid: str, opening: Sequence[bytes], *, now_ms: int) -> Headline:
        """See Journal.open. A call that rings while the store is away begins here."""
        check_names(call_sid)
        check_bodies(opening)
        check_times(now_ms)
        if call_sid not in self._roll.branches:
            opened = await self._attempt(
                self.engine.open(call_sid, opening, now_ms=now_ms),
                self._deadlines.claim_s,
                "open",
                even_slow=True,
            )
            if opened is not None:
                return opened
        branch = self._roll.branches.get(call_sid)
        held = self._roll.held.get(call_sid)
        if branch is None and held is not None:
            return self._headline(held.call_sid, held.incarnation, held.epoch, held.head, now_ms)
        if branch is None:
            branch = self._ringing(call_sid, now_ms)
            await self._keeper.keep(branch, branch.open(opening, now_ms))
        return self._headline(call_sid, branch.incarnation, branch.epoch, branch.head, now_ms)

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
        """See Journal.append. For a call that is held here it never waits for a dead store."""
        check_names(call_sid, key)
        check_append(bodies, epoch=epoch, after=after)
        check_times(now_ms)
        if epoch is not None and self._roll.has_lost(call_sid, epoch):
            return Fenced(epoch)
        held = self._roll.held.get(call_sid)
        if held is not None and held.is_rebased and epoch is not None:
            held.is_rebased = False
            return Rebased()
        writing = Writing(tuple(bodies), epoch, key, now_ms, 0)
        if branch := self._roll.branches.get(call_sid):
            return await self._append_here(branch, writing, after)
        if held is None or epoch not in (None, held.epoch):
            return await self._ask(self._put(call_sid, writing, after), "append")
        outcome = await self._put_soon(held, writing, after)
        branch = self._roll.branches.get(call_sid)
        if outcome is not None and not (isinstance(outcome, Appended) and branch):
            return outcome
        if branch is None:
            return await self._append_here(self._branch_of_held(held, after), writing, after)
        # It began meanwhile, and the store may have the write, or will: so it is shown wherever the branch ends.
        return await self._append_here(branch, writing, None)

    async def _put(self, call_sid: str, writing: Writing, after: int | None) -> Outcome:
        return await self.engine.append(
            call_sid,
            writing.bodies,
            epoch=writing.epoch,
            after=after,
            key=writing.key,
            now_ms=writing.at_ms,
        )

    async def _put_soon(self, held: Held, writing: Writing, after: int | None) -> Outcome | None:
        """Write it within the deadline; None when it must be written here.

        Writers outside name a place, too, at first: so it is noticed when the store went back.
        """
        asked_at, epoch = held.head, held.epoch
        place = asked_at if after is None else after
        put = self._put(held.call_sid, writing, place)
        outcome = await self._attempt(put, self._deadlines.write_s, "append")
        if isinstance(outcome, Behind) and outcome.head > place and after is None:
            asked_at = held.head
            put = self._put(held.call_sid, writing, None)
            outcome = await self._attempt(put, self._deadlines.write_s, "append")
        match outcome:
            case Appended():
                written = writing.at(outcome.position)
                self._place(held, written, asked_at, is_new=not outcome.repeated)
            case Behind():
                if outcome.head < place:
                    return None  # what the store lost is written first
                held.saw(outcome.head)
            case NotDurable():
                self._keeper.suspect()
                return None
            case Missing() | Fenced():
                self._roll.let_go(held, epoch)
            case _:
                pass
        return outcome

    async def read(self, call_sid: str, *, after: int = 0) -> Reading | Missing:
        """See Journal.read. After records moved, everything is told until their owner knows."""
        held = self._roll.held.get(call_sid)
        if held is not None and held.is_rebased:
            after = 0
        branch = self._roll.branches.get(call_sid)
        if branch is not None and branch.can_read(None, after):
            return branch.reading(after)
        reading = await self._ask(self.engine.read(call_sid, after=after), "read")
        branch = self._roll.branches.get(call_sid)
        if branch is not None:
            return branch.joined(reading)
        if held is not None and isinstance(reading, Reading) and reading.epoch == held.epoch:
            held.saw(reading.head)
        return reading

    async def prune(self, call_sid: str) -> bool:
        """See Journal.prune. A call of which the store lacks records is not over."""
        if call_sid in self._roll.branches:
            return False
        held = self._roll.held.get(call_sid)
        epoch = 0 if held is None else held.epoch
        if not await self._ask(self.engine.prune(call_sid)):
            return False
        self._roll.let_go(held, epoch)
        if self._shelf.bytes:
            await self._keeper.tidy()
        return True

    async def erase(self, call_sid: str) -> bool:
        """See Journal.erase. Not while the store lacks records of the call: nothing is half erased."""
        if call_sid in self._roll.branches:
            raise StoreUnavailable("The call waits for the store; it can be erased after that.")
        held = self._roll.held.get(call_sid)
        was_there = await self._ask(self.engine.erase(call_sid))
        if held is not None:
            self._roll.let_go(held, held.epoch)  # claims of it that came meanwhile are erased, too
        if self._shelf.bytes:  # some of it may have been this call's
            await self._keeper.tidy()
        return was_there

    def branch_of(self, call_sid: str, position: int) -> str:
        """Name what the record at `position` stands on while the store may give it another place.

        Empty when its position is final. Who comes back to a place on a branch that is no more begins
        anew: what stands there now may be another record.
        """
        branch = self._roll.branches.get(call_sid)
        return branch.name if branch is not None and branch.may_move(position) else ""

    def tail(
        self, call_sid: str, *, incarnation: str | None, after: int
    ) -> AsyncGenerator[Record | Reset | Gone, None]:
        """See Journal.tail. It goes on through an outage, with what is written in this process."""
        return self._relay(call_sid, incarnation, after).items()

    def batches(
        self, call_sid: str, *, incarnation: str | None, after: int
    ) -> AsyncGenerator[tuple[Record | Reset | Gone, ...], None]:
        """Yield what `tail` does, as it came together: never nothing, never more than a page."""
        return self._relay(call_sid, incarnation, after).batches()

    def _relay(self, call_sid: str, incarnation: str | None, after: int) -> Relay:
        return Relay(
            self.engine,
            self._roll.branches.get,
            self._keeper.bells,
            call_sid,
            incarnation,
            position_within(after),
        )

    def listen(self, call_sid: str, ear: Ear) -> Callable[[], None]:
        """See Journal.listen."""
        ends = (self.engine.listen(call_sid, ear), self._keeper.bells.listen(call_sid, ear))

        def leave() -> None:
            for end in ends:
                end()

        return leave

    async def snapshot(self, call_sid: str, *, epoch: int, position: int, body: bytes) -> bool:
        """See Journal.snapshot. None is kept of positions that are not final."""
        held = self._roll.held.get(call_sid)
        if call_sid in self._roll.branches or (held is not None and held.is_rebased):
            return False
        return await self._ask(
            self.engine.snapshot(call_sid, epoch=epoch, position=position, body=body), "snapshot"
        )

    def _place(self, held: Held, writing: Writing, asked_at: int, *, is_new: bool) -> None:
        """Take note of a write. One that stands where another stood says that the store went back."""
        lost = held.rewound(writing.first - 1, asked_at) if is_new else ()
        held.wrote(writing)
        if lost:
            self._mend(held, lost).is_shifted = True

    async def _append_here(self, branch: Branch, writing: Writing, after: int | None) -> Outcome:
        epoch = writing.epoch
        if epoch is not None and branch.is_fenced:
            return Fenced(branch.epoch)
        self._make_sure_of_room(branch)
        outcome = branch.append(
            writing.bodies, epoch=epoch, after=after, key=writing.key, at_ms=writing.at_ms
        )
        if not isinstance(outcome, Writing):
            return outcome
        return Appended(outcome.position, await self._keeper.keep(branch, outcome))

    def _headline(
        self, call_sid: str, incarnation: str, epoch: int, head: int, now_ms: int
    ) -> Headline:
        return Headline(call_sid, incarnation, epoch, head, None, now_ms + HEADLINE_MS)
