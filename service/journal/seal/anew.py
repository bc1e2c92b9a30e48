"""A call that can't be opened goes on all the same: its caller is on the line.

    webhook ──> the journal ──> SealBroken ──> begin anew ──> the stream ──> "I've lost some of our context"

Its key's master was taken out of SEAL_KEYS too early, its key is lost, or its records were changed. What
was written stays where it is, under the key that it has; from here on the call has another. Once the
master is back, all of it is read again, in one journal.
"""

from collections.abc import Sequence

from service.errors import SealBroken
from service.journal.journal import Journal
from service.journal.limits import TIME_MS_MAX
from service.journal.seal.journal import SealedJournal
from service.journal.values import Missing


class Anew:
    """Lets calls of `engine` go on. Only a sealed one has calls that can't be opened."""

    def __init__(self, engine: Journal) -> None:
        self._sealed = engine if isinstance(engine, SealedJournal) else None

    async def begin(self, call_sid: str, opening: Sequence[bytes], *, now_ms: int) -> bool:
        """Write `opening` behind what can't be opened, under a new key; False when it can be opened.

        Asked twice, it does so once. Raises StoreUnavailable, and SealBroken when it can't be done.
        """
        sealed = self._sealed
        if sealed is None or not sealed.masters:
            return False
        try:
            await sealed.read(call_sid)
        except SealBroken:
            reading = await sealed.engine.read(call_sid, after=TIME_MS_MAX)
        else:
            return False
        if isinstance(reading, Missing):
            return False
        key = await sealed.keys.renewed(call_sid, opening, reading.head, now_ms)
        await sealed.append(
            call_sid, opening, epoch=None, after=None, key=f"anew:{key.since}", now_ms=now_ms
        )
        return True
