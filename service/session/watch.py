"""What a session does on the side: it renews its hold on the call, and hears of what others write.

A store that fails for a moment ends neither: the hold is renewed at the next turn, and what others wrote is
asked for again.
"""

import asyncio
from collections.abc import Callable
from itertools import count
from zlib import crc32

from service.call import callback
from service.errors import StoreError, StoreUnavailable
from service.session.inbox import News, Taken
from service.session.kept.ledger import RENEW_MS, Ledger
from service.session.means import Means
from service.waiting import Flag

LOOK_EVERY = 5  # renewals: everything that happens rings, so what is found by looking is what a lost ring told
BEAT_MS = 50  # renewals of a process come together so often: the store makes one write of many
AGAIN_MS = 200  # after the store failed: soon enough for a person who pressed "hang up"
AGAIN_MS_MAX = 2_000  # doubled so far, so that a store that comes back is not run over


class Watch:
    """The task beside one session."""

    def __init__(self, means: Means, ledger: Ledger, post: Callable[[News | Taken], None]) -> None:
        self._means = means
        self._ledger = ledger
        self._post = post
        self._claimed = Flag()
        self._phase_ms = crc32(means.owner.encode()) % BEAT_MS  # no two servers need beat together
        self._again: asyncio.TimerHandle | None = None
        self._again_ms = AGAIN_MS

    def begin(self) -> None:
        """The call was claimed: from now on there is something to hold."""
        self._claimed.set()

    async def run(self) -> None:
        """Hear of what others write (requests, notes, callbacks, an erasure), and hold on, until cancelled."""
        leave = self._means.journal.listen(self._ledger.call_sid, self._heard)
        try:
            await self._claimed.wait()
            await self._hold_on()
        finally:
            leave()

    def _heard(self, head: int | None) -> None:
        """There may be news. Who is still to claim the call reads it then, and writes behind what was read."""
        if self._ledger.epoch and self._again is None and not self._ledger.knows(head):
            self._post(News())

    async def _hold_on(self) -> None:
        """Renew the hold, stream or no stream; tell when it is lost."""
        for renewal in count(1):
            await asyncio.sleep(self._on_beat(self._nearly(RENEW_MS)) / 1000)
            epoch = self._ledger.epoch
            try:
                is_ours = await self._ledger.renew(self._means.clock.now_ms())
            except StoreError:
                self._means.meter.store.errors.inc()
                continue
            if not is_ours:
                self._post(Taken(epoch))
            elif not renewal % LOOK_EVERY:
                self._post(News())

    async def leave(self) -> None:
        """The session lets go. Of a call that is over and done with nobody need take care any more."""
        call = self._ledger.call
        if call.phase != "ended" or call.pending() or not self._claimed.is_set():
            return
        due_ms = callback.due_ms(call.callback)
        try:
            if due_ms is None or call.carried_on:
                await self._ledger.release()
            else:  # The caller is to be rung back: whoever lives then does it.
                await self._ledger.put_off(due_ms, self._means.clock.now_ms())
        except StoreError:
            self._means.meter.store.errors.inc()  # Whoever looks after it next sees that it is over.

    async def catch_up(self) -> bool | None:
        """Fold what others wrote. False: the call is no longer ours. None: that can't be read now.

        It will be news again in a moment then; the call goes on meanwhile, as it does without the store.
        A store that hangs is waited for no longer than that moment: nobody listens to the caller here.
        """
        try:
            async with asyncio.timeout(self._again_ms / 1000):
                is_ours = await self._ledger.catch_up()
        except (StoreUnavailable, TimeoutError):
            self._means.meter.store.errors.inc()
            self._ask_again()
            return None
        self._again_ms = AGAIN_MS
        return is_ours

    def _ask_again(self) -> None:
        if self._again is None:
            later = asyncio.get_running_loop().call_later
            self._again = later(self._nearly(self._again_ms) / 1000, self._ask)
            self._again_ms = min(2 * self._again_ms, AGAIN_MS_MAX)

    def _ask(self) -> None:
        self._again = None
        self._post(News())

    def _on_beat(self, wait_ms: int) -> int:
        """So long, or until the beat before that, if there is one."""
        beyond_ms = (self._means.clock.now_ms() + wait_ms - self._phase_ms) % BEAT_MS
        return wait_ms - beyond_ms if beyond_ms < wait_ms else wait_ms

    def _nearly(self, wait_ms: int) -> int:
        """So long, or up to a fifth less: calls that came in one instant don't all ask in one."""
        return wait_ms - self._means.chance.randrange(wait_ms // 5 + 1)
