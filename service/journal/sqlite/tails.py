"""The tails of a SQLite file: who waits for which call's records, and how they hear of them.

Our own appends wake their tails at once. Those of other processes are seen by one poller for all tails
of this process, which asks only whether somebody else wrote, and runs only while somebody tails.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import partial

from service import scope
from service.errors import StoreUnavailable
from service.journal.limits import is_name
from service.journal.sqlite import readings
from service.journal.sqlite.lane import Lane
from service.journal.sqlite.storefile import StoreFile
from service.journal.tailing import Bells, Page, follow
from service.journal.values import Appended, Ear, Gone, Record, Reset

POLL_MS = 50  # how late a tail may hear of another process's append; a glance costs about 20 us
RECHECK_MS = 5_000  # a tail looks by itself this often; everything that happens rings, so seldom

Head = tuple[str, int]  # a call's incarnation, and how far its journal goes


class Tails:
    """Reads through `lane`. Other processes may write to the file too, unless `writing`, our own side, is None."""

    def __init__(self, lane: Lane, bells: Bells, *, writing: StoreFile | None) -> None:
        self._lane = lane
        self._bells = bells
        self._writing = writing
        self._poller: asyncio.Task[None] | None = None

    def tail(
        self, call_sid: str, *, incarnation: str | None, after: int
    ) -> AsyncGenerator[Record | Reset | Gone, None]:
        """See Journal.tail."""
        return follow(
            self._bells,
            self._read_page,
            call_sid,
            incarnation=incarnation,
            after=after,
            recheck_ms=RECHECK_MS,
        )

    def listen(self, call_sid: str, ear: Ear) -> Callable[[], None]:
        """See Journal.listen."""
        self._watch_others()
        return self._bells.listen(call_sid, ear)

    async def close(self) -> None:
        """Look no more at what others write."""
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.cancel()
            await asyncio.wait([poller])

    async def _read_page(self, call_sid: str, after: int) -> Page | None:
        if not is_name(call_sid):
            return None
        self._watch_others()
        job = partial(readings.read_page, call_sid=call_sid, after=after)
        return await self._lane.run(job)

    def _watch_others(self) -> None:
        """Let the poller run, if there can be other processes and it doesn't run already."""
        writing = self._writing
        if writing is not None and (self._poller is None or self._poller.done()):
            self._poller = asyncio.get_running_loop().create_task(
                self._poll(writing), context=scope.of_nobody()
            )

    async def _poll(self, writing: StoreFile) -> None:
        known: int | None = None
        seen: dict[str, Head | None] = {}
        while True:
            await asyncio.sleep(POLL_MS / 1_000)
            # Asked after the pause: a tail that came meanwhile reads its first page behind our glance.
            calls = self._bells.calls()
            if not calls:
                return
            try:
                ours = writing.own_groups
                look = partial(readings.others, call_sids=calls, ours=ours, known=known)
                present, heads = await self._lane.run(look)
            except StoreUnavailable:
                self._bells.ring_all()  # each tail finds out by itself
                continue
            if present != known:
                for call_sid in calls:
                    found = heads.get(call_sid)
                    if call_sid not in seen or seen[call_sid] != found:
                        self._bells.ring(call_sid, _grown(seen.get(call_sid), found))
                known, seen = present, {sid: heads.get(sid) for sid in calls}


def _grown(before: Head | None, found: Head | None) -> int | None:
    """Return how far a call's journal goes, if it is the one it was before."""
    is_same = found is not None and (before is None or before[0] == found[0])
    return found[1] if found is not None and is_same else None


def told(bells: Bells, call_sid: str, answer: object) -> None:
    """Ring for what a job of this process did with a call."""
    bells.ring(call_sid, answer.position if isinstance(answer, Appended) else None)
