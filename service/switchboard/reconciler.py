"""Finds the calls whose server is gone, and has the carrier lead them to one that lives.

    journal.lapsed ──> unrenewed before our eyes ──> adopt: one server of all ──> is the call live?
                                                                                  ├─ yes ──> redirect to /twiml/resume
                                                                                  ├─ no ───> CallEnded, once; released
                                                                                  └─ who knows? ──> later, again

Rules kept here:

1. Nothing is ended on suspicion: only the carrier's own word that a call is gone ends its record.
2. A holder that only slept goes on when it wakes. Looking after a call takes nothing from it; what takes
   the call is a stream, and its claim.
3. A lease is over when it ran out *and* nobody renewed it while we looked on. So a server whose clock is
   ahead, or a store that was away for a while, makes nobody's calls look abandoned.
4. Whom we are to ring back is rung by whoever adopts their call when it is due; see CallingBack.
5. What a tool has left unsaid when its call ended and its server died is given its final state here.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol

from service import scope
from service.call import events as e
from service.call.decisions.decide import keyed_until_ms
from service.call.decisions.operation import overdue
from service.call.decisions.paying import is_under_way
from service.call.state import Call
from service.errors import CallAway, CallGone, CarrierError, StoreError
from service.journal.limits import LAPSED_MAX
from service.journal.values import Behind, Headline, Missing, Reading
from service.pace import Pace
from service.redaction import own_words
from service.session.calling_back import CallingBack, waits
from service.session.kept.ledger import CARETAKER
from service.session.kept.records import folded, rebuilt
from service.session.means import Means

LOOK_MS = 800  # a call is found this much after its lease is over, at the latest
AHEAD_MS = 3_000  # leases that run out so soon are watched; one that is held never gets there
STILL_MS = 2_000  # unrenewed for so long before our eyes: a holder renews twice in it
ADOPT_MS = 15_000  # for the carrier to be asked and to come back; then somebody may try again
ADOPT_MS_MAX = 120_000  # each try waits twice as long as the one before, up to this
TILL_MS = 30_000  # who keys a card at the carrier may have hung up, and nobody told us
TOOL_GRACE_MS = 500  # an answer that came at the deadline itself is on its way to the journal
FORGET_MS = 600_000  # a call that we looked after and never met again
AT_ONCE_MAX = 32  # calls looked after at a time; the carrier takes 20 requests at once
REDIRECTS_A_S = 20  # what the servers that live can take beside their own calls
CLOSE_ATTEMPTS_MAX = 5  # others may write in between, but not again and again

_log = logging.getLogger(__name__)


class Here(Protocol):
    """The calls of this process. See Switchboard."""

    is_draining: bool

    def find(self, call_sid: str) -> object | None:
        """Return what holds the call here, if anything does."""
        ...


class Reconciler:
    """One server's share in looking after the calls of servers that are gone."""

    def __init__(self, means: Means, here: Here) -> None:
        self._means = means
        self._here = here
        self._owner = f"{CARETAKER}{means.owner}"
        self._pace = Pace(REDIRECTS_A_S)
        self._calling_back = CallingBack(means)
        self._seen: dict[str, tuple[Headline, int]] = {}  # and since when, by our own clock
        self._tries: dict[str, tuple[int, int, int]] = {}  # by call: epoch, how often, when last
        self._at_work: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look about every second, from now on, until cancelled."""
        while True:
            try:
                await self.look()
            except StoreError:
                self._seen.clear()  # Nobody could renew, so what we saw proves nothing.
                self._means.meter.store.errors.inc()
            await asyncio.sleep((LOOK_MS - self._means.chance.randrange(LOOK_MS // 5)) / 1000)

    async def look(self) -> None:
        """Look once, and begin to look after what is abandoned. Raises StoreError."""
        if self._here.is_draining:
            return
        now_ms = self._means.clock.now_ms()
        found = await self._means.journal.lapsed(now_ms=now_ms + AHEAD_MS, limit=LAPSED_MAX)
        self._keep_in_sight(found, now_ms)
        self._forget(now_ms)
        for headline in found:
            if len(self._at_work) >= AT_ONCE_MAX:
                return
            if self._is_abandoned(headline, now_ms):
                task = self._means.tasks.start(self._look_after(headline))
                self._at_work[headline.call_sid] = task

    def _keep_in_sight(self, found: Iterable[Headline], now_ms: int) -> None:
        before, self._seen = self._seen, {}
        for headline in found:
            known, since_ms = before.get(headline.call_sid, (None, now_ms))
            is_same = known is not None and _hold(known) == _hold(headline)
            self._seen[headline.call_sid] = (headline, since_ms if is_same else now_ms)

    def _is_abandoned(self, headline: Headline, now_ms: int) -> bool:
        call_sid, lease = headline.call_sid, headline.lease
        if call_sid in self._at_work or self._here.find(call_sid) is not None:
            return False
        if lease is not None and lease.until_ms > now_ms:
            return False
        return now_ms - self._seen[call_sid][1] >= STILL_MS

    def _forget(self, now_ms: int) -> None:
        if any(last_ms < now_ms - FORGET_MS for _, _, last_ms in self._tries.values()):
            tries = self._tries.items()
            self._tries = {sid: one for sid, one in tries if one[2] >= now_ms - FORGET_MS}

    async def _look_after(self, headline: Headline) -> None:
        scope.of_call(headline.call_sid)
        try:
            await self._reconcile(headline)
        except StoreError:
            self._means.meter.store.errors.inc()
        except CarrierError as trouble:
            self._means.meter.abandoned.carrier_errors.inc()
            self._tell(headline, "the carrier can't say whether it lives", trouble)
        finally:
            del self._at_work[headline.call_sid]

    async def _reconcile(self, headline: Headline) -> None:
        reading = await self._means.journal.read(headline.call_sid)
        if isinstance(reading, Missing):
            return
        call = rebuilt(None, reading.records)
        if _is_done_with(call):
            await self._release(headline, call)
            return
        now_ms = self._means.clock.now_ms()
        is_ours = await self._means.journal.adopt(
            headline.call_sid,
            lapsed=headline.lease,
            owner=self._owner,
            until_ms=self._until_ms(headline, call, now_ms),
            now_ms=now_ms,
        )
        if not is_ours:
            return
        self._means.meter.abandoned.adopted.inc()
        call = await self._finished(call, now_ms)
        if _is_done_with(call):
            await self._release(headline, call)
        elif call.phase == "ended" and waits(call):
            await self._calling_back.tend(call)
        elif call.phase != "ended" and (now_ms >= keyed_until_ms(call) or is_under_way(call)):
            await self._ask(headline, call)

    def _until_ms(self, headline: Headline, call: Call, now_ms: int) -> int:
        """When somebody should look again, if nothing comes of it."""
        if call.phase == "ended" and waits(call):
            return now_ms + ADOPT_MS
        if call.phase == "ended":
            return max(now_ms, _answered_ms(call)) + TOOL_GRACE_MS
        if now_ms < (keyed_ms := keyed_until_ms(call)):
            return min(keyed_ms, now_ms + TILL_MS) if is_under_way(call) else keyed_ms
        epoch, tries, _ = self._tries.get(headline.call_sid, (headline.epoch, 0, 0))
        tries = tries if epoch == headline.epoch else 0
        self._tries[headline.call_sid] = (headline.epoch, tries + 1, now_ms)
        wait_ms = min(ADOPT_MS << min(tries, 10), ADOPT_MS_MAX)
        return now_ms + wait_ms + self._means.chance.randrange(wait_ms // 5)

    async def _finished(self, call: Call, now_ms: int) -> Call:
        """Give what is overdue its final state, and return the call as it is then."""
        facts = overdue(call, now_ms)
        if not facts:
            return call
        reading = await self._write(call.call_sid, f"overdue:{call.position}", *facts)
        return rebuilt(None, reading.records) if isinstance(reading, Reading) else call

    async def _ask(self, headline: Headline, call: Call) -> None:
        """Ask the carrier, and do as it says. Raises CarrierError when it says nothing."""
        call_sid = headline.call_sid
        try:
            is_live = await self._means.carrier.is_live(call_sid)
        except CallAway as away:
            await self._adopt(headline)
            await self._put_off(headline, away.until_ms)
            return
        except CallGone as gone:
            await self._close(headline, call, gone.reason)
            return
        if not is_live:
            await self._close(headline, call)
            return
        if self._means.clock.now_ms() < keyed_until_ms(call):
            return  # They are at the carrier's till, which is no reason to lead them back.
        await self._adopt(headline)
        await self._pace.wait()
        if not await self._is_away(headline, call):
            return
        try:
            await self._means.carrier.redirect(call_sid, self._means.documents.resume_url())
        except CallGone:
            # Only a call that is talking can be redirected: one that still rings is not gone.
            if not await self._means.carrier.is_live(call_sid):
                await self._close(headline, call)
            return
        self._means.meter.abandoned.redirected.inc()
        self._tell(headline, "the carrier leads it back")

    async def _adopt(self, headline: Headline) -> None:
        """Write when the holder that is gone was seen last: it had no time to say so itself."""
        if headline.lease is not None and not headline.lease.owner.startswith(CARETAKER):
            found = e.CallAdopted(server=self._means.owner, seen_ms=headline.lease.renewed_ms)
            await self._write(headline.call_sid, f"adopted:{headline.epoch}", found)

    async def _put_off(self, headline: Headline, until_ms: int) -> None:
        """Nothing can be done for the call before then; a stream that takes it needs nobody."""
        await self._means.journal.lease(
            headline.call_sid,
            epoch=headline.epoch,
            owner=self._owner,
            until_ms=until_ms,
            now_ms=self._means.clock.now_ms(),
        )

    async def _is_away(self, headline: Headline, call: Call) -> bool:
        """Whether nobody has come for the call meanwhile: no new stream, and no word of its holder."""
        if self._here.is_draining or self._here.find(call.call_sid) is not None:
            return False
        reading = await self._means.journal.read(call.call_sid, after=call.position)
        if isinstance(reading, Missing) or reading.epoch != headline.epoch:
            return False
        is_held = any(record.epoch for record in reading.records)
        return not is_held and folded(call, reading.records).phase != "ended"

    async def _close(self, headline: Headline, call: Call, reason: str = "gone_at_carrier") -> None:
        """Write that the call is over, once, however many say so; what a tool owes is waited for."""
        ended = e.CallEnded(reason=reason)
        body = e.encode(ended)
        for _ in range(CLOSE_ATTEMPTS_MAX):
            now_ms = self._means.clock.now_ms()
            written = await self._means.journal.append(
                call.call_sid, (body,), epoch=None, after=call.position, key="gone", now_ms=now_ms
            )
            if not isinstance(written, Behind):
                call = self._means.sight.closed(call, ended, now_ms)
                self._tell(headline, "it is gone at the carrier")
                break
            reading = await self._means.journal.read(call.call_sid)
            if isinstance(reading, Missing) or reading.epoch != headline.epoch:
                return
            call = rebuilt(None, reading.records)
            if call.phase == "ended":
                break
        else:
            return
        if not call.pending():
            await self._release(headline, call)
            return
        await self._put_off(headline, max(now_ms, _answered_ms(call)) + TOOL_GRACE_MS)

    async def _release(self, headline: Headline, call: Call) -> None:
        await self._means.journal.release(headline.call_sid, epoch=headline.epoch)
        if call.callback is None:  # else its holder saw it off, and left the ringing back to others
            self._means.sight.ended(call)
        self._tries.pop(headline.call_sid, None)

    async def _write(self, call_sid: str, key: str, *facts: e.Known) -> Reading | Missing:
        """Write from outside, and return what stands then."""
        now_ms = self._means.clock.now_ms()
        await self._means.journal.append(
            call_sid, tuple(map(e.encode, facts)), epoch=None, after=None, key=key, now_ms=now_ms
        )
        return await self._means.journal.read(call_sid)

    def _tell(self, headline: Headline, what: str, trouble: Exception | None = None) -> None:
        _log.warning(
            "= abandoned call: %s (%s)",
            own_words(what),
            trouble,
            extra={"action": "abandoned", "call_sid": headline.call_sid},
        )


def _hold(headline: Headline) -> object:
    return headline.incarnation, headline.epoch, headline.lease


def _is_done_with(call: Call) -> bool:
    return call.phase == "ended" and not call.pending() and not waits(call)


def _answered_ms(call: Call) -> int:
    """When every tool that is pending has its final state, at the latest."""
    return max((max(one.deadline_ms, one.approval_ms) for one in call.pending()), default=0)
