"""What passes through a bridge without needing a branch, and how the store is asked.

A question to a store that is away is answered at once: StoreUnavailable. A store that fails is suspected,
and looked after by the keeper.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

from service.clock import Clock
from service.errors import StoreUnavailable
from service.journal.behind.branch import Branch
from service.journal.behind.entries import Entry, Leaving, Writing, decode
from service.journal.behind.held import Held
from service.journal.behind.herald import Asked
from service.journal.behind.keeper import PROBE_S, Keeper
from service.journal.behind.loose import Token
from service.journal.behind.reach import Deadlines, Reach, attempted, in_time
from service.journal.behind.roll import NO_ROOM
from service.journal.behind.shelf import Shelf
from service.journal.journal import Journal
from service.journal.limits import check_names, check_span, check_times
from service.journal.values import Durability, Headline, Lease, Room, Spent, Unspendable

START_S_MAX = 3.0  # for what the processes before us left; the rest follows while we serve
CLOSE_S_MAX = 2.0  # a platform kills us after 30 s, and the shelf keeps the rest
SETTLE_MS = 5_000  # after the store's return owners flush and renew before anybody adopts a call

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Passage:
    """The part of a bridge that holds no state of a call."""

    def __init__(
        self, engine: Journal, keeper: Keeper, shelf: Shelf, *, deadlines: Deadlines, clock: Clock
    ) -> None:
        self.engine = engine  # the store itself
        self._keeper = keeper
        self._roll = keeper.roll
        self._shelf = shelf
        self._deadlines = deadlines
        self._clock = clock
        self._renewals: set[asyncio.Task[bool]] = set()  # that nobody waits for

    async def start(self) -> None:
        """See Journal.start. A store that is away now is no reason not to serve: it is awaited."""
        try:
            await self.engine.start()
        except StoreUnavailable:
            self._keeper.suspect()
        left = [one for one in map(decode, await self._shelf.take_over()) if one is not None]
        self._roll.restore(left, self._clock.now_ms())
        self._keeper.start()
        if not self._roll.branches:
            self._shelf.empty()  # The store had all of it; that stood nowhere but here.
        if left:
            await self._keeper.tell_left(START_S_MAX)

    async def close(self) -> None:
        """See Journal.close. What the store could not be told stays on the shelf."""
        await self._keeper.close(CLOSE_S_MAX)
        for renewal in self._renewals:
            renewal.cancel()
        await self.engine.close()

    async def check(self, *, now_ms: int) -> Durability:
        """See Journal.check. Raises StoreUnavailable at once while the store is known to be away."""
        self._refuse_if_away()
        attempt = attempted(self.engine.check(now_ms=now_ms))
        try:
            if await in_time(attempt, PROBE_S):
                return attempt.result()
        except StoreUnavailable:
            self._keeper.lose()
            raise
        self._keeper.lose()
        raise StoreUnavailable(f"The store gave no answer within {PROBE_S} s.")

    async def lease(
        self, call_sid: str, *, epoch: int, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        """See Journal.lease. A call that goes on without the store is held without it, too."""
        renew = partial(self.engine.lease, call_sid, epoch=epoch, owner=owner)
        branch = self._roll.branches.get(call_sid)
        if branch is not None:
            is_held = epoch == branch.epoch and not branch.is_fenced
            if is_held and branch.fence == epoch and self._keeper.reach is not Reach.AWAY:
                # A store that is only slow is told, too: else others would look after the call.
                renewal = attempted(renew(until_ms=until_ms, now_ms=now_ms))
                self._renewals.add(renewal)
                renewal.add_done_callback(self._renewals.discard)
            return is_held
        if self._roll.has_lost(call_sid, epoch):
            return False
        return await self._ask(renew(until_ms=until_ms, now_ms=now_ms), "lease")

    async def adopt(
        self, call_sid: str, *, lapsed: Lease | None, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        """See Journal.adopt."""
        return await self._ask(
            self.engine.adopt(
                call_sid, lapsed=lapsed, owner=owner, until_ms=until_ms, now_ms=now_ms
            )
        )

    async def release(self, call_sid: str, *, epoch: int) -> bool:
        """See Journal.release."""
        branch, held = self._roll.branches.get(call_sid), self._roll.held.get(call_sid)
        if branch is None and self._roll.has_lost(call_sid, epoch):
            return False
        if branch is None:
            try:
                is_released = await self._ask(self.engine.release(call_sid, epoch=epoch))
            except StoreUnavailable:
                if held is None or held.epoch != epoch:
                    raise
                branch = self._branch_of_held(held, None)
            else:
                self._roll.let_go(held, epoch)
                return is_released
        if branch.epoch != epoch or branch.is_fenced:
            return False
        await self._enlist(branch, Leaving(epoch, self._clock.now_ms()))
        return True

    async def lapsed(self, *, now_ms: int, limit: int) -> tuple[Headline, ...]:
        """See Journal.lapsed. None for a while after an outage: their owners could not renew."""
        check_times(now_ms)
        self._refuse_if_away()
        if 0 <= now_ms - self._keeper.near_ms < SETTLE_MS:
            return ()
        return await self._ask(self.engine.lapsed(now_ms=now_ms, limit=limit))

    async def remember(self, name: str, call_sid: str, *, ttl_ms: int, now_ms: int) -> None:
        """See Journal.remember. While the store is away it is remembered here."""
        check_names(name, call_sid)
        check_span(ttl_ms)
        check_times(now_ms)
        remember = partial(self.engine.remember, name, call_sid, ttl_ms=ttl_ms, now_ms=now_ms)
        if not await self._is_done(remember):
            self._keeper.loose.remember(name, call_sid, ttl_ms=ttl_ms, now_ms=now_ms)
            self._keeper.wake()

    async def recall(self, name: str, *, now_ms: int) -> str | None:
        """See Journal.recall."""
        known = self._keeper.loose.recall(name, now_ms)
        return known or await self._ask(self.engine.recall(name, now_ms=now_ms))

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
        """See Journal.spend. While the store is away this process's memory must do."""
        check_names(call_sid, nonce, stream_sid)
        check_times(window_ms, uses_max, now_ms)
        loose = self._keeper.loose
        spent: Spent | Unspendable | None = None
        if not loose.has_token(call_sid, nonce):
            spending = self.engine.spend(
                call_sid,
                nonce,
                stream_sid=stream_sid,
                window_ms=window_ms,
                uses_max=uses_max,
                now_ms=now_ms,
            )
            spent = await self._attempt(spending, self._deadlines.claim_s, "spend", even_slow=True)
        if isinstance(spent, Spent):
            known = Token(stream_sid, spent.uses, now_ms, window_ms, uses_max)
            loose.see(call_sid, nonce, known)
        if spent is None:
            spent = loose.spend(
                call_sid,
                nonce,
                stream_sid=stream_sid,
                window_ms=window_ms,
                uses_max=uses_max,
                now_ms=now_ms,
            )
            self._keeper.wake()
        return spent

    async def open_calls(self) -> tuple[Headline, ...]:
        """See Journal.open_calls."""
        return await self._ask(self.engine.open_calls())

    async def room(self) -> Room:
        """See Journal.room."""
        return await self._ask(self.engine.room())

    async def sweep(self, *, now_ms: int) -> int:
        """See Journal.sweep."""
        return await self._ask(self.engine.sweep(now_ms=now_ms))

    # How the store is asked, and a branch written to.

    def _refuse_if_away(self) -> None:
        if self._keeper.reach is Reach.AWAY:
            raise StoreUnavailable("The store is away; it is asked again and again.")

    async def _ask(self, question: Coroutine[Any, Any, T], asked: Asked = "other") -> T:
        """Ask what only the store knows."""
        try:
            self._refuse_if_away()
        except StoreUnavailable:
            question.close()
            raise
        began_us = self._clock.now_us()
        try:
            return await question
        except StoreUnavailable:
            self._keeper.suspect()
            raise
        finally:
            self._keeper.herald.took(asked, self._clock.now_us() - began_us)

    async def _attempt(
        self,
        work: Coroutine[Any, Any, T],
        deadline_s: float,
        asked: Asked,
        *,
        even_slow: bool = False,
    ) -> T | None:
        """Return the store's answer, or None when it comes too late or not at all.

        The work goes on after that: it may arrive, or not.
        """
        if self._keeper.reach is Reach.AWAY or (self._keeper.reach is Reach.SLOW and not even_slow):
            work.close()
            return None
        attempt = attempted(work)
        began_us = self._clock.now_us()
        try:
            if await in_time(attempt, deadline_s):
                return attempt.result()
        except StoreUnavailable:
            pass
        finally:
            self._keeper.herald.took(asked, self._clock.now_us() - began_us)
        self._keeper.suspect()
        return None

    async def _is_done(self, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        async def done() -> bool:
            await work()  # Made here: what is never begun must not be made either.
            return True

        return (
            await self._attempt(done(), self._deadlines.claim_s, "other", even_slow=True)
            is not None
        )

    def _branch_of_held(self, held: Held, after: int | None) -> Branch:
        """Return the branch of a call that is held here; one is begun if there is none."""
        branch = self._roll.branches.get(held.call_sid)
        if branch is not None:
            return branch
        return self._keeper.branched(self._roll.begin_from(held, after, self._clock.now_ms()))

    def _mend(self, held: Held, lost: Sequence[Writing]) -> Branch:
        """Write again what the store has lost of what it acknowledged."""
        _log.error(
            "! the store went back: %d writes are repeated",
            len(lost),
            extra={"action": "store_went_back", "call_sid": held.call_sid},
        )
        branch = self._branch_of_held(held, None)
        for writing in lost:
            branch.append(
                writing.bodies,
                epoch=None if writing.epoch is None else branch.epoch,
                after=None,
                key=writing.key,
                at_ms=writing.at_ms,
            )
        return branch

    async def _enlist(self, branch: Branch, entry: Entry) -> Durability:
        branch.enlist(entry)
        return await self._keeper.keep(branch, entry)

    def _make_sure_of_room(self, branch: Branch) -> None:
        if branch.is_full or self._shelf.is_full:
            raise StoreUnavailable(NO_ROOM)
