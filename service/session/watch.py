"""What a session does on the side: it renews its hold on the call, and hears of what others write.

A store that fails for a moment ends neither: the hold is renewed at the next turn, and the tail begins
anew at the position that was folded last.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from service.errors import StoreError
from service.journal.values import Gone, Record
from service.session.inbox import News, Taken
from service.session.ledger import RENEW_MS, Ledger
from service.session.line import Line
from service.session.means import Means

FOLLOW_AGAIN_MS = 200  # after the store failed: soon enough for a person who pressed "hang up"


class Watch:
    """The two tasks beside one session."""

    def __init__(
        self, means: Means, ledger: Ledger, line: Line, post: Callable[[News | Taken], None]
    ) -> None:
        self._means = means
        self._ledger = ledger
        self._line = line
        self._post = post
        self._claimed = asyncio.Event()

    def begin(self) -> None:
        """The call was claimed: from now on there is something to follow."""
        self._claimed.set()

    async def keep_lease(self) -> None:
        """Renew the hold while a stream is attached, until cancelled; tell when it is lost."""
        while True:
            await asyncio.sleep(RENEW_MS / 1000)
            if not self._line.is_live:
                continue
            epoch = self._ledger.epoch
            try:
                is_ours = await self._ledger.renew(self._means.clock.now_ms())
            except StoreError:
                self._means.meter.store_errors.inc()
                continue
            if not is_ours:
                self._post(Taken(epoch))

    async def follow(self) -> None:
        """Hear of what others write (requests, notes, callbacks, an erasure), until cancelled."""
        await self._claimed.wait()
        while True:
            try:
                if await self._is_gone():
                    return
            except StoreError:
                self._means.meter.store_errors.inc()
            await asyncio.sleep(FOLLOW_AGAIN_MS / 1000)

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
