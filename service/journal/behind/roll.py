"""The roll of one process: the calls that it holds, and those that go on without the store.

No I/O. Its clock is whoever calls.
"""

import secrets
from collections.abc import Iterable, Iterator

from service.errors import StoreUnavailable
from service.journal.behind.arrears import Arrears
from service.journal.behind.branch import Branch
from service.journal.behind.entries import Shelved
from service.journal.behind.held import Held

HELD_MAX = 10_000  # twice what a switchboard holds; the longest untouched are forgotten
BRANCHES_MAX = 10_000  # one a held call
NO_ROOM = "The store is away, and there is no room to go on without it."


class Roll:
    """Held calls and branches, by their CallSid."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self.branches: dict[str, Branch] = {}
        # By call: an epoch that somebody else has, though we went by it.
        self._lost: dict[str, int] = {}

    def hold(self, held: Held) -> None:
        """Take note of a call that is held here."""
        self.held.pop(held.call_sid, None)
        self.held[held.call_sid] = held
        self._lost.pop(held.call_sid, None)
        if len(self.held) > HELD_MAX:
            oldest = next((sid for sid in self.held if sid not in self.branches), None)
            if oldest is not None:
                del self.held[oldest]

    def let_go(self, held: Held | None, epoch: int) -> None:
        """Hold a call no longer of which the store was asked, unless it was claimed anew meanwhile.

        `held` and `epoch` are as they were when the question was put. A claim leads to a later epoch, or
        to another hold: a call that was erased and opened again begins at the same epochs.
        """
        if held is not None and held.epoch == epoch and self.held.get(held.call_sid) is held:
            del self.held[held.call_sid]

    def has_lost(self, call_sid: str, epoch: int | None = 0) -> bool:
        """Say whether a provisional fence of ours did not hold, of any epoch or of `epoch`.

        The store may know that number well: as somebody else's.
        """
        lost = self._lost.get(call_sid)
        return epoch is not None and lost is not None and epoch <= lost

    def begin(
        self, call_sid: str, *, incarnation: str, epoch: int, head: int, now_ms: int
    ) -> Branch:
        """Begin a branch. Raises StoreUnavailable when there is no room for one more."""
        if len(self.branches) >= BRANCHES_MAX:
            raise StoreUnavailable(NO_ROOM)
        branch = Branch(
            secrets.token_hex(6),
            call_sid,
            incarnation=incarnation,
            epoch=epoch,
            head=head,
            at_ms=now_ms,
        )
        self.branches[call_sid] = branch
        return branch

    def begin_from(self, held: Held, after: int | None, now_ms: int) -> Branch:
        """Begin the branch of a held call whose owner knows it up to `after`."""
        place = held.head if after is None else after
        is_known = held.known_from <= place <= held.head
        branch = self.begin(
            held.call_sid,
            incarnation=held.incarnation,
            epoch=held.epoch,
            head=held.known_from if is_known else place,
            now_ms=now_ms,
        )
        branch.owner = held.owner
        if is_known:
            branch.show(held.since(held.known_from))
        return branch

    def end(self, branch: Branch) -> None:
        """The store has all of the branch, or won't have it."""
        del self.branches[branch.call_sid]
        if branch.next is not None:
            self.branches[branch.call_sid] = branch.next
        held = self.held.get(branch.call_sid)
        if branch.is_fenced or branch.is_missing:
            self.held.pop(branch.call_sid, None)
            self._lost[branch.call_sid] = branch.epoch
            if len(self._lost) > HELD_MAX:
                del self._lost[next(iter(self._lost))]
        elif held is not None:
            held.epoch = branch.epoch
            if branch.is_shifted:
                held.moved(incarnation=branch.store_incarnation, head=branch.place)

    def restore(self, found: Iterable[Shelved], now_ms: int) -> None:
        """Take up what the processes before us could not tell the store.

        Several may have left a branch of one call. Each was written under a fence of its own, so they
        stay apart, and are told one after the other, in the order of their fences.
        """
        found = tuple(found)
        left: dict[str, Branch] = {}
        done = {one.branch for one in found if one.entry is None}
        for one in found:
            if one.entry is None or one.branch in done:
                continue
            branch = left.get(one.branch)
            if branch is None:
                branch = left[one.branch] = Branch(
                    one.branch,
                    one.call_sid,
                    incarnation=one.incarnation,
                    epoch=one.epoch,
                    head=one.head,
                    at_ms=now_ms,
                )
            branch.restore(one.entry)
        by_fence = sorted(left.values(), key=lambda one: one.fence)
        for branch in reversed(by_fence):
            branch.leave()
            branch.next = self.branches.get(branch.call_sid)
            if branch.next is not None:
                branch.next.is_shifted = True  # what it grew from is not the last that stands
            self.branches[branch.call_sid] = branch

    def all(self) -> Iterator[Branch]:
        """Return every branch, those that wait for another one as well."""
        for first in self.branches.values():
            branch: Branch | None = first
            while branch is not None:
                yield branch
                branch = branch.next

    def arrears(self, now_ms: int) -> Arrears:
        """Return what the store is still to be told."""
        branches = tuple(self.all())
        begun_ms = min((branch.begun_ms for branch in branches), default=now_ms)
        return Arrears(
            calls=len(branches),
            records=sum(branch.waiting for branch in branches),
            bytes=sum(branch.bytes for branch in branches),
            oldest_ms=now_ms - begun_ms,
            is_full=len(branches) >= BRANCHES_MAX,
        )
