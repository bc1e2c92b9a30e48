"""Keeps the branches of one process, and brings each back to the store as soon as that answers.

    near ── a write is late or fails ──> slow ── no answer to a question in PROBE_S ──> away
      ^                                   │                                              │
      └────────── an answer in time ──────┴──────────────── an answer ──────────────────-┘

While the store is near everything goes straight there. While it is slow the branches are the journal,
and it is told at once all the same. While it is away they wait, and it is asked again and again.
A branch ends when the store is near and has all of it, between two steps of the event loop.
"""

import asyncio
import logging
import random

from msgspec.structs import replace

from service import scope
from service.clock import Clock
from service.errors import StoreError
from service.journal.behind.arrears import Arrears, Status
from service.journal.behind.branch import Branch
from service.journal.behind.entries import Entry, encode
from service.journal.behind.flusher import Flusher
from service.journal.behind.herald import Herald
from service.journal.behind.loose import Loose
from service.journal.behind.reach import Deadlines, Reach, attempted, in_time
from service.journal.behind.roll import Roll
from service.journal.behind.shelf import Shelf
from service.journal.journal import Journal
from service.journal.tailing import Bells
from service.journal.values import Durability

FLUSHES_MAX = 32  # calls that are flushed at a time, so that a store that returns can breathe
PROBE_S = 1.0  # no answer within this: the store is away
PROBE_S_MAX = 5.0  # then the question is given up, and asked anew
PAUSE_FIRST_S = 0.1  # between two questions; doubled each time
PAUSE_MAX_S = 1.0  # so that the flush begins within a second of the store's return
AGAIN_MAX_S = 5.0  # between two attempts at a call that the store can't take though it answers
REWRITE_BYTES = 8_388_608  # a shelf that grew so far is looked through for what is done

_log = logging.getLogger(__name__)


class Keeper:
    """Looks after the branches on `roll`, in front of `engine`."""

    def __init__(
        self,
        engine: Journal,
        shelf: Shelf,
        flusher: Flusher,
        herald: Herald,
        *,
        deadlines: Deadlines,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self.roll = Roll()
        self.loose = Loose()
        self.bells = Bells()
        self.reach = Reach.NEAR
        self.near_ms = 0  # since when the store is within reach again
        self._engine = engine
        self._shelf = shelf
        self._flusher = flusher
        self.herald = herald
        self._deadlines = deadlines
        self._clock = clock
        self._chance = chance
        self._flushes: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(FLUSHES_MAX)
        self._news = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look after the store, on the running event loop."""
        if self._watch is None:
            self._watch = asyncio.create_task(self._keep())

    async def close(self, wait_s: float) -> None:
        """Flush what can be flushed within `wait_s`; the rest stays on the shelf."""
        if self._watch is not None:
            await self.tell_left(wait_s)
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        flushes = tuple(self._flushes.values())
        for flush in flushes:
            flush.cancel()
        await asyncio.gather(*flushes, return_exceptions=True)
        await self._shelf.close()
        self.bells.ring_all()

    def suspect(self) -> None:
        """The store was late, or failed: ask it how it is."""
        self.herald.failed()
        if self.reach is Reach.NEAR:
            self.reach = Reach.SLOW
        self._news.set()

    def lose(self) -> None:
        """The store was asked how it is, and did not say that it is well."""
        self.herald.failed()
        self.reach = Reach.AWAY
        self._news.set()

    def wake(self) -> None:
        """There is something to tell the store."""
        self._news.set()

    def branched(self, branch: Branch) -> Branch:
        """Look after a branch that has just begun."""
        self.herald.branched()
        self.wake()
        return branch

    async def tell_left(self, wait_s: float) -> None:
        """Wait for a while until the store has what processes before us left."""
        self.wake()
        await asyncio.gather(
            *(self.clear(branch, wait_s) for branch in tuple(self.roll.branches.values()))
        )

    async def keep(self, branch: Branch, entry: Entry) -> Durability:
        """Make an entry of the branch durable here, and tell the store when it can be told."""
        self.bells.ring(branch.call_sid)
        self.stir(branch)
        return await self._shelf.put(encode(branch.shelved(entry)))

    async def tidy(self) -> None:
        """Leave on the shelf only what the store is still to be told."""
        if not self.roll.branches:
            self._shelf.empty()
            return
        payloads = (
            encode(branch.shelved(entry)) for branch in self.roll.all() for entry in branch.untold
        )
        await self._shelf.rewrite(tuple(payloads))

    def stir(self, branch: Branch) -> None:
        """Flush the branch, unless that is vain now or under way."""
        is_late = asyncio.get_running_loop().time() >= branch.again_s
        if self.reach is not Reach.AWAY and branch.call_sid not in self._flushes and is_late:
            self._flushes[branch.call_sid] = asyncio.create_task(self._flush(branch))

    async def clear(self, branch: Branch, wait_s: float) -> bool:
        """Wait until the store has all of the branch, and of those behind it. False when that takes longer."""
        loop = asyncio.get_running_loop()
        due_s = loop.time() + wait_s
        while self.roll.branches.get(branch.call_sid) is branch:
            self.stir(branch)
            flush = self._flushes.get(branch.call_sid)
            left_s = due_s - loop.time()
            if left_s <= 0 or flush is None or flush.cancelled():
                return False  # it is away, or refused this very call just now, or we are closing
            await asyncio.wait({flush}, timeout=left_s)
            if flush.done() and branch.is_told:
                self._end(branch)  # the store is slow, but this call it has
        return branch.next is None or await self.clear(branch.next, due_s - loop.time())

    @property
    def status(self) -> Status:
        """How the store is, as health checks are told."""
        return self.herald.standing.status

    def arrears(self) -> Arrears:
        """Return what the store is still to be told."""
        known = self.roll.arrears(self._clock.now_ms())
        return replace(known, is_full=known.is_full or self._shelf.is_full)

    def judge(self) -> None:
        """Take stock, and tell of a change."""
        self.herald.look(
            self.arrears(),
            is_answering=self.reach is not Reach.AWAY,
            is_whole=not self._shelf.trouble,
            now_ms=self._clock.now_ms(),
        )

    async def _keep(self) -> None:
        pause_s = PAUSE_FIRST_S
        while True:
            if self._is_calm():
                pause_s = PAUSE_FIRST_S
                self._news.clear()
                await self._news.wait()
            await self._probe()
            self.judge()
            if self.reach is not Reach.AWAY:
                pause_s = PAUSE_FIRST_S
                await self._tell_all()
                self.judge()
            await asyncio.sleep(pause_s * (1 + self._chance.random()) / 2)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    def _is_calm(self) -> bool:
        is_all_told = not self.roll.branches and not self.loose
        return self.reach is Reach.NEAR and is_all_told and self.herald.is_calm

    async def _probe(self) -> None:
        attempt = attempted(self._engine.check(now_ms=self._clock.now_ms()))
        is_near = await in_time(attempt, self._deadlines.write_s)
        if not is_near and not await in_time(attempt, PROBE_S):
            self.reach = Reach.AWAY
            self.judge()
            await asyncio.wait({attempt}, timeout=PROBE_S_MAX)
        if not attempt.done():
            attempt.cancel()
            self.reach = Reach.AWAY
        elif attempt.exception() is not None:
            self.reach = Reach.AWAY
        else:
            if self.reach is Reach.AWAY:
                self.near_ms = self._clock.now_ms()
            self.reach = Reach.NEAR if is_near else Reach.SLOW

    async def _tell_all(self) -> None:
        try:
            if self.loose:
                await self.loose.flush(self._engine, self._clock.now_ms())
        except StoreError:
            self.suspect()
        for branch in tuple(self.roll.branches.values()):
            self.stir(branch)
        if self._flushes:
            await asyncio.wait(self._flushes.values(), timeout=PROBE_S)
        live = sum(branch.bytes for branch in self.roll.all())
        if self._shelf.bytes > REWRITE_BYTES and self._shelf.bytes > 4 * live:
            await self.tidy()

    async def _flush(self, branch: Branch) -> None:
        scope.of_call(branch.call_sid)
        try:
            async with self._slots:
                while not await self._bring(branch):
                    pass
        except StoreError as trouble:
            self._put_off(branch, trouble)
        except Exception:  # noqa: BLE001 - a fault of ours must not be tried again for ever
            _log.exception(
                "! a call can't be flushed; what it waits with is dropped",
                extra={"action": "branch_dropped", "call_sid": branch.call_sid},
            )
            branch.drop()
        finally:
            del self._flushes[branch.call_sid]

    async def _bring(self, branch: Branch) -> bool:
        """Tell the store all; True when nothing is left to do here now."""
        held = self.roll.held.get(branch.call_sid)
        now_ms = self._clock.now_ms()
        records = await self._flusher.flush(branch, held, now_ms)
        self.herald.flushed(records)
        branch.wait_s = 0.0
        if branch.entries:
            return False
        if self.reach is not Reach.NEAR:
            return True
        if held is not None and not branch.is_fenced:
            await self._engine.lease(
                branch.call_sid,
                epoch=branch.epoch,
                owner=held.owner,
                until_ms=now_ms + held.lease_ms,
                now_ms=now_ms,
            )
        if branch.entries:
            return False
        self._end(branch)
        return True

    def _put_off(self, branch: Branch, trouble: StoreError) -> None:
        """The store did not take it: it may be gone, or it is this call alone that it can't take."""
        branch.wait_s = min(2 * branch.wait_s or PAUSE_FIRST_S, AGAIN_MAX_S)
        wait_s = branch.wait_s * (1 + self._chance.random()) / 2
        branch.again_s = asyncio.get_running_loop().time() + wait_s
        _log.debug("= not flushed yet: %s", trouble, extra={"action": "flush_failed"})
        self.suspect()

    def _end(self, branch: Branch) -> None:
        if self.roll.branches.get(branch.call_sid) is not branch:
            return  # Whoever waited for it as well was first; the call may have a new one by now.
        self.roll.end(branch)
        if branch.is_fenced:
            self.herald.orphaned()
        # Both are best effort: what is found on a shelf though the store has it does no harm.
        if self.roll.branches:
            self._shelf.note(encode(branch.shelved(None)))
        else:
            self._shelf.empty()
        self.bells.ring(branch.call_sid)
