"""The room that calls take in the store. When little of it is left, those that are over go before their time.

    used > 95 % of the quota ──> the oldest that ended, their keys first ──> used <= 85 % of it

A call that lives, or that somebody still has to look after, is never erased for room (requirement S-15). What
one of them can take has a bound of its own, see journal/values.py. Whether a call is over
is looked at once more in the step that erases it: it may have been claimed again since. Each server looks.
"""

import asyncio
import logging

from service.errors import StoreError
from service.journal.journal import Journal
from service.meter import Meter

LOOK_S = 2.0  # between two looks; a thousand calls write about two MiB meanwhile
HIGH_PERCENT = 95  # of the quota: more comes between two looks, and while calls are erased
LOW_PERCENT = 85  # erasing goes on so far, so that it is not begun for every call
AT_ONCE = (
    8  # calls between two looks at what is left; each waits in the row behind live calls' writes
)

_log = logging.getLogger(__name__)


class Quota:
    """Keeps what calls take in the store at `bytes_max`."""

    def __init__(self, journal: Journal, meter: Meter, bytes_max: int) -> None:
        self._journal = journal
        self._meter = meter
        self._bytes_max = bytes_max
        self._is_over = False

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.keep()
            except StoreError as trouble:
                self._meter.store.errors.inc()
                _log.error("! the quota failed: %s", trouble, extra={"action": "quota_failed"})

    async def keep(self) -> int:
        """Erase what has to go, and return how many calls that were. Raises StoreError."""
        room = await self._journal.room()
        self._meter.store.bytes.set(room.used)
        if room.used * 100 <= self._bytes_max * HIGH_PERCENT:
            self._is_over = False
            return 0
        pruned, went = 0, True
        while room.used * 100 > self._bytes_max * LOW_PERCENT and room.over and went:
            left, went = room.used - self._bytes_max * LOW_PERCENT // 100, False
            for call_sid, weight in room.over[:AT_ONCE]:
                if left > 0 and await self._journal.prune(call_sid):
                    pruned, went = pruned + 1, True
                    left -= weight
            room = await self._journal.room()
        self._meter.store.bytes.set(room.used)
        self._tell(pruned, room.used)
        return pruned

    def _tell(self, pruned: int, used: int) -> None:
        if pruned:
            self._meter.store.pruned.inc(pruned)
            _log.warning("= %d calls erased for room", pruned, extra={"action": "calls_pruned"})
        is_over = used > self._bytes_max
        if is_over and not self._is_over:
            _log.error(
                "! the store holds %d bytes of calls that live, more than STORE_QUOTA_MB",
                used,
                extra={"action": "quota_exceeded"},
            )
        self._is_over = is_over
