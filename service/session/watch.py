"""What a session does on the side: it renews its hold on the call, and hears of what others write.

A store that fails for a moment ends neither: the hold is renewed at the next turn, and the tail begins
anew at the position that was folded last.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from service.call import callback
from service.errors import StoreError, StoreUnavailable
from service.journal.values import Gone, Record
from service.session.inbox import News, Taken
from service.session.kept.ledger import RENEW_MS, Ledger
from service.session.means import Means
from service.waiting import Flag

FOLLOW_AGAIN_MS = 200  # after the store failed: soon enough for a person who pressed "hang up"
FOLLOW_AGAIN_MS_MAX = 2_000  # doubled so far, so that a store that comes back is not run over


class Watch:
    """The two tasks beside one session."""

    def __init__(self, means: Means, ledger: Ledger, post: Callable[[News | Taken], None]) -> None:
        self._means = means
        self._ledger = ledger
        self._post = post
        self._claimed = Flag()

    def begin(self) -> None:
        """The call was claimed: from now on there is something to follow."""
        self._claimed.set()

    async def keep_lease(self) -> None:
        """Renew the hold, stream or no stream, until cancelled; tell when it is lost."""
        await self._claimed.wait()
        while True:
            await asyncio.sleep(self._nearly(RENEW_MS) / 1000)
            epoch = self._ledger.epoch
            try:
                is_ours = await self._ledger.renew(self._means.clock.now_ms())
            except StoreError:
                self._means.meter.store.errors.inc()
                continue
            if not is_ours:
                self._post(Taken(epoch))

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
        """
        try:
            return await self._ledger.catch_up()
        except StoreUnavailable:
            again = asyncio.get_running_loop().call_later
            again(FOLLOW_AGAIN_MS / 1000, self._post, News())
            return None

    async def follow(self) -> None:
        """Hear of what others write (requests, notes, callbacks, an erasure), until cancelled."""
        await self._claimed.wait()
        again_ms = FOLLOW_AGAIN_MS
        while True:
            position = self._ledger.call.position
            try:
                if await self._is_gone():
                    return
            except StoreError:
                self._means.meter.store.errors.inc()
            if self._ledger.call.position > position:
                again_ms = FOLLOW_AGAIN_MS
            await asyncio.sleep(self._nearly(again_ms) / 1000)
            again_ms = min(2 * again_ms, FOLLOW_AGAIN_MS_MAX)

    def _nearly(self, wait_ms: int) -> int:
        """So long, or up to a fifth less: calls that came in one instant don't all ask in one."""
        return wait_ms - self._means.chance.randrange(wait_ms // 5 + 1)

    async def _is_gone(self) -> bool:
        tail = self._means.journal.tail(
            self._ledger.call_sid,
            incarnation=self._ledger.incarnation,
            after=self._ledger.call.position,
        )
        async with aclosing(tail) as items:
            async for item in items:
                if isinstance(item, Record) and item.position <= self._ledger.call.position:
                    continue  # Our own.
                self._post(News())
                if isinstance(item, Gone):
                    return True
        return False
