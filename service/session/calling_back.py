"""Rings callers back whose call was cut off, once for each attempt, whichever servers live.

    requested ──> the lease of the call that was cut off runs out when the next step is due
                      └─> the reconciler of one server adopts it, and takes the step

    step               what is done
    requested, ended   "dialled" is written, then the carrier is asked; its answer is written
    dialled            nobody knows whether it was: the carrier is asked which calls there are
    placed             the carrier is asked how that call ended, because nobody told us

An attempt that may have been made is never made again unless the carrier says that there is no such
call. Who answers is led to /twiml/voice, and goes on where they stopped.
"""

import logging

from service.call import events as e
from service.call.callback import Callback, due_ms
from service.call.carrying import can_be_rung
from service.call.state import Call
from service.errors import CarrierError
from service.journal.values import Appended, Missing
from service.redaction import own_words
from service.session.kept.ledger import CARETAKER
from service.session.kept.records import rebuilt
from service.session.means import Means

RING_S = 30  # six rings, as for a human whom we dial
BACK_MS = 2_000  # the carrier's clock may be behind ours by this much
KNOWN = frozenset({"answered", "completed", "busy", "no-answer", "failed", "canceled"})
LIVE = frozenset({"queued", "ringing", "in-progress", "initiated"})

_log = logging.getLogger(__name__)


def waits(call: Call) -> bool:
    """Whether a ringing back is under way, and nobody goes on with the call yet."""
    return not call.carried_on and due_ms(call.callback) is not None


class CallingBack:
    """One server's share in it."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._owner = f"{CARETAKER}{means.owner}"

    async def arrange(self, call_sid: str) -> None:
        """Let somebody take the next step when it is due. Raises StoreError."""
        reading = await self._means.journal.read(call_sid)
        if isinstance(reading, Missing):
            return
        call = rebuilt(None, reading.records)
        if not waits(call) and not call.pending():
            await self._means.journal.release(call_sid, epoch=reading.epoch)
            return
        now_ms = self._means.clock.now_ms()
        # A tool whose server died still needs its end: whoever looks after the call next gives it.
        until_ms = (due_ms(call.callback) or 0) if waits(call) else 0
        await self._means.journal.lease(
            call_sid,
            epoch=reading.epoch,
            owner=self._owner,
            until_ms=max(until_ms, now_ms),
            now_ms=now_ms,
        )

    async def tend(self, call: Call) -> None:
        """Take the step that is due, having adopted the call. Raises StoreError."""
        callback = call.callback
        if callback is not None and waits(call) and self._is_due(callback):
            match callback.step:
                case "requested" | "ended":
                    await self._dial(call, callback)
                case "dialled":
                    await self._find(call, callback)
                case "placed":
                    await self._look(call, callback)
        await self.arrange(call.call_sid)

    async def answered(self, call_sid: str, number: str) -> bool:
        """Note that whom we rang is there. False when nobody of this number was rung for the call.

        Raises StoreError.
        """
        call = await self._call(call_sid)
        if call is None or call.callback is None or call.customer_number != number:
            return False
        await self._ended(call, call.callback, "answered")
        return True

    async def over(self, call_sid: str, rung_sid: str, status: str) -> None:
        """Note how the call ended in which we rang; who was not there is rung again. Raises StoreError."""
        call = await self._call(call_sid)
        callback = call.callback if call is not None else None
        if call is None or callback is None or callback.call_sid not in ("", rung_sid):
            return
        await self._ended(call, callback, status)
        await self.arrange(call_sid)

    def _is_due(self, callback: Callback) -> bool:
        return (due_ms(callback) or 0) <= self._means.clock.now_ms()

    async def _dial(self, call: Call, callback: Callback) -> None:
        attempt = callback.attempt + 1
        dialled = e.CallbackDialled(attempt=attempt)
        if not await self._is_first(call, f"dialled:{callback.requests}:{attempt}", dialled):
            return  # Somebody else rings.
        documents, sid = self._means.documents, call.call_sid
        if not can_be_rung(call):
            self._tell(sid, "there is no number to ring")
            await self._write(call, callback, e.CallbackEnded(attempt=attempt, outcome="failed"))
            return
        try:
            rung_sid = await self._means.carrier.ring(
                call.customer_number,
                call.our_number,
                url=documents.callback_url(sid),
                status_url=documents.callback_status_url(sid),
                timeout_s=RING_S,
            )
        except CarrierError as trouble:
            self._tell(sid, "an attempt failed", trouble)
            if trouble.is_refusal:
                await self._write(
                    call, callback, e.CallbackEnded(attempt=attempt, outcome="failed")
                )
            return
        self._means.meter.abandoned.callbacks.labels(outcome="placed").inc()
        self._tell(sid, "an attempt rings")
        placed = e.CallbackPlaced(attempt=attempt, call_sid=rung_sid)
        await self._write(call, callback, placed)

    async def _find(self, call: Call, callback: Callback) -> None:
        """See whether an attempt was made whose asker never learnt it."""
        since_ms = callback.since_ms - BACK_MS
        try:
            found = await self._means.carrier.rung(
                call.customer_number, call.our_number, since_ms=since_ms
            )
        except CarrierError as trouble:
            self._tell(call.call_sid, "nobody knows of an attempt", trouble)
            return
        fact: e.Known = e.CallbackEnded(attempt=callback.attempt, outcome="failed")
        if found:
            fact = e.CallbackPlaced(attempt=callback.attempt, call_sid=found)
        await self._write(call, callback, fact)

    async def _look(self, call: Call, callback: Callback) -> None:
        """See how an attempt ended whose end nobody told us."""
        try:
            status = await self._means.carrier.status(callback.call_sid)
        except CarrierError as trouble:
            self._tell(call.call_sid, "nobody knows how it ended", trouble)
            return
        if status not in LIVE:
            await self._ended(call, callback, status or "failed")
        else:  # Seen alive now, so it is looked at again as late as after the first time.
            placed = e.CallbackPlaced(attempt=callback.attempt, call_sid=callback.call_sid)
            await self._write(call, callback, placed)

    async def _ended(self, call: Call, callback: Callback, outcome: str) -> None:
        if callback.step not in ("dialled", "placed"):
            return
        ended = e.CallbackEnded(attempt=callback.attempt, outcome=outcome)
        if await self._write(call, callback, ended):
            self._means.meter.abandoned.callbacks.labels(
                outcome=outcome if outcome in KNOWN else "other"
            ).inc()

    async def _write(self, call: Call, callback: Callback, fact: e.Known) -> bool:
        attempt = getattr(fact, "attempt", 0)
        key = f"{type(fact).__name__}:{callback.requests}:{attempt}"
        if isinstance(fact, e.CallbackPlaced) and callback.step == "placed":
            key = f"{key}:{callback.since_ms}"
        return await self._is_first(call, key, fact)

    async def _is_first(self, call: Call, key: str, fact: e.Known) -> bool:
        written = await self._means.journal.append(
            call.call_sid,
            (e.encode(fact),),
            epoch=None,
            after=None,
            key=f"callback:{key}",
            now_ms=self._means.clock.now_ms(),
        )
        return isinstance(written, Appended) and not written.repeated

    async def _call(self, call_sid: str) -> Call | None:
        reading = await self._means.journal.read(call_sid)
        return None if isinstance(reading, Missing) else rebuilt(None, reading.records)

    def _tell(self, call_sid: str, what: str, trouble: CarrierError | None = None) -> None:
        told = {"action": "callback", "call_sid": call_sid}
        _log.warning("= ringing back: %s (%s)", own_words(what), trouble, extra=told)
