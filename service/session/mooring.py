"""How streams take a call and leave it: claimed and written first, then plugged in.

arrival ──> (the older stream is unplugged) ──> claim: epoch + 1, durable ──> StreamAttached ──> plugged in
its end ──> unplugged ──> StreamDetached: what was heard, and why it went
"""

from collections.abc import Callable, Sequence

from service.call import inputs as i
from service.journal.seal.callkey import UNREADABLE
from service.journal.values import Claim
from service.session.arrival import Arrival
from service.session.conversation.person import Person
from service.session.inbox import Lost, News
from service.session.kept.ledger import Ledger
from service.session.line import CLOSE_OVER, CLOSE_REPLACED, Line
from service.session.means import Means
from service.session.scribe import Scribe
from service.session.sound.seam import Listener
from service.session.verifying import Verification


class Mooring:
    """Where one call's streams are tied up, at most one at a time."""

    __slots__ = (
        "_ledger",
        "_line",
        "_means",
        "_post",
        "_scribe",
        "_seam",
        "_verification",
        "person",
    )

    def __init__(
        self,
        means: Means,
        ledger: Ledger,
        line: Line,
        talk: Listener,
        scribe: Scribe,
        post: Callable[[i.Input | Lost | News], None],
    ) -> None:
        self._means = means
        self._ledger = ledger
        self._line = line
        self._seam = means.forks.attend(ledger.call_sid, talk)
        self._scribe = scribe
        self._post = post
        self._verification = Verification(means, ledger, post)
        self.person = Person(ledger.call_sid, means, line, post, lambda: ledger.call)

    async def take_over(self, arrival: Arrival, running: Sequence[str]) -> int | None:
        """Claim the call for a stream: durable, before anything is said on it.

        `running` names the requests and operations that are under way here. Returns the time without
        inbound media before it, in ms, or None when the call is over or was lost meanwhile. Raises
        StoreError.
        """
        was_live_here = self._line.is_live
        if was_live_here:
            await self._unplug("replaced", CLOSE_REPLACED)
        was_held_here = self._ledger.epoch > 0
        now_ms = self._means.clock.now_ms()
        is_first = arrival.door == "voice" and arrival.is_fresh and not arrival.is_known
        claim = await self._ledger.claim(arrival.opening, now_ms, is_first=is_first)
        gap_ms = self._line.gap_ms(self._ledger.call.streams, claim.lease, now_ms)
        lost = self._lost(claim, was_known=arrival.is_known)
        if lost or self._ledger.call.is_opened_apart():
            self._means.sight.restored("nowhere")
        elif self._ledger.call.is_known():
            self._means.sight.restored(self._ledger.source)
        attached = i.Attached(
            stream_sid=arrival.stream_sid,
            door=arrival.door,
            server=self._means.owner,
            gap_ms=gap_ms,
            gap_heard_ms=self._seam.heard_ms(gap_ms, now_ms),
            is_live_here=was_live_here,
            parameters=arrival.parameters,
            running=tuple(running),
            is_held_here=was_held_here,
            lease_ms=self._ledger.others_until_ms,
            lost=lost,
        )
        taken = self._ledger.call
        if not await self._scribe.take(attached):
            return None
        self._verification.begin(taken)
        self._plug_in(arrival)
        return gap_ms

    def _lost(self, claim: Claim, *, was_known: bool) -> str:
        """Say why nothing is known of a call that was known, "" when something is."""
        if was_known and claim.is_new:
            return "the journal was gone"
        if self._ledger.call.is_known():
            return ""
        is_unread = any(record.body == UNREADABLE for record in claim.records)
        return "the journal can't be opened" if was_known and is_unread else ""

    def hear(self, epoch: int, ulaw: bytes, now_ms: int) -> None:
        """Take audio of the stream of `epoch`, which came now, if that is plugged in."""
        line, person = self._line, self.person
        if epoch != self._ledger.epoch or not line.heard_audio(len(ulaw), now_ms):
            return
        # Keys are heard, too: nobody listens while they are a secret.
        if person.earpiece is not None and self._ledger.call.privacy.collection is None:
            person.earpiece.hear(ulaw)
        self._seam.hear(ulaw, now_ms)
        levels = line.levels
        if levels.caller(ulaw, now_ms) and (measured := levels.take(now_ms)) is not None:
            self._post(measured)

    def close(self) -> None:
        """No stream will come any more, and nobody listens on another one."""
        self.person.close()
        self._verification.close()
        self._means.forks.leave(self._ledger.call_sid, self._seam, self._means.clock.now_ms())

    def _plug_in(self, arrival: Arrival) -> None:
        epoch = self._ledger.epoch
        self._seam.attach()
        self._line.plug_in(
            arrival,
            epoch,
            lambda played: self._post(i.Progress(played)),
            lambda reason: self._post(Lost(epoch, reason)),
        )
        if not arrival.answer(epoch):
            # Nobody waited: nobody would tell of its end either.
            self._post(Lost(epoch, "closed"))

    async def let_go(self, reason: str) -> None:
        """Unplug the stream that is gone, and write how far everything got."""
        await self._unplug(reason, CLOSE_OVER)

    async def _unplug(self, reason: str, code: int) -> None:
        self._seam.detach(self._means.clock.now_ms())
        await self._scribe.take(await self._line.unplug(reason, code))
        self.person.missed()
        measured = self._line.levels.take(self._line.detached_ms, is_last=True)
        if measured is not None:
            await self._scribe.take(measured)
