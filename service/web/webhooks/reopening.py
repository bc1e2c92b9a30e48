"""The carrier asks for a call that can't be opened: it begins anew, and somebody is told.

The caller hears that context was lost, and the conversation goes on; see journal/seal/anew.py.
"""

import logging
from dataclasses import dataclass

from service.call import events as e
from service.clock import Clock
from service.errors import SealBroken
from service.journal.seal.anew import Anew
from service.meter import Meter

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reopening:
    """Begins calls anew, and counts them."""

    anew: Anew
    clock: Clock
    meter: Meter

    async def begin(self, opened: e.CallOpened, broken: SealBroken) -> None:
        """Let the call go on from `opened`. Raises StoreError when it can't."""
        body, now_ms = e.encode(opened), self.clock.now_ms()
        if not await self.anew.begin(opened.call_sid, (body,), now_ms=now_ms):
            return  # It opens by now: somebody was first, or put the key back.
        self.meter.incidents.labels(kind="unreadable").inc()
        _log.error(
            "! a call can't be opened, and begins anew: %s",
            broken,
            extra={"action": "call_unreadable", "call_sid": opened.call_sid},
        )
