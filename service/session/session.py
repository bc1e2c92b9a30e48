"""This process's hold on one call: feed, decide, write, act.

    stream, ear, mouth, agent, carrier, others' records
        │ inputs
        v
    inbox ──> decide (pure) ──> facts + effects ──> ledger.write ──> fold ──> effects
                                                        │
                                                        └─ fenced: the session ends, silently

Rules kept here:

1. One task takes one input after the other; nothing else changes the state.
2. Effects follow the write. What is to be said and which turn is owed an answer are read off the
   folded state after every step, so a resumed call and an undisturbed one take the same path.
3. The end of a stream is an input. The session outlives it for `LINGER_MS`, with its ear, its agent
   and what it is asking of the carrier.
4. A newer stream takes the session over; the older socket is closed and its end ends nothing.
"""

import asyncio
import logging
from dataclasses import dataclass

from service.call import inputs as i
from service.call.decide import deadline_ms, decide
from service.call.state import Call
from service.errors import StoreError
from service.journal.journal import Gone, Lease, Record
from service.session.acting import Acting
from service.session.ear import Ear
from service.session.ledger import RENEW_MS, Ledger
from service.session.line import CLOSE_OVER, CLOSE_REPLACED, Arrival, Line
from service.session.means import Means

INBOX_MAX = 1_000  # twenty seconds of keys pressed at machine speed; then the sender is at fault
SETTLE_MAX = 50  # things that follow from one input; more means a decision that never settles
LINGER_MS = 60_000  # the longest redial window of a carrier; later resumes read the journal
OVER_MS = 5_000  # after the call's end the carrier closes the stream itself within this

_log = logging.getLogger(__name__)


class _News:
    """Others wrote to this call's journal."""


class _Finish:
    """This process is going down."""


@dataclass(frozen=True)
class _Lost:
    """The socket of `epoch` is gone."""

    epoch: int
    reason: str


_Letter = i.Input | Arrival | _News | _Lost | _Finish


class Session:
    """One call, as long as this process holds it."""

    def __init__(self, call_sid: str, means: Means) -> None:
        self.call_sid = call_sid
        self._means = means
        self._ledger = Ledger(call_sid, means.journal, means.owner)
        self._inbox: asyncio.Queue[_Letter] = asyncio.Queue(INBOX_MAX)
        self._ear = Ear(call_sid, means.speech, means.endpointer, self.post)
        self._acting = Acting(call_sid, means, self.post)
        self._line = Line(call_sid, means)
        self._claimed = asyncio.Event()
        self._is_over = False

    @property
    def call(self) -> Call:
        """The state as of the last write."""
        return self._ledger.call

    @property
    def stream_sid(self) -> str:
        """The stream that is attached, or was last."""
        return self._line.stream_sid

    @property
    def epoch(self) -> int:
        """The fence under which this session writes."""
        return self._ledger.epoch

    def post(self, letter: _Letter) -> None:
        """Put an input in the row. One too many is dropped with a log line, never waited for."""
        try:
            self._inbox.put_nowait(letter)
        except asyncio.QueueFull:
            _log.error(
                "! the session can't keep up; an input was dropped",
                extra={"action": "inbox_full", "call_sid": self.call_sid},
            )

    # What the socket calls. An older stream's audio, keys, echoes and end mean nothing here.

    def heard_audio(self, epoch: int, ulaw: bytes) -> None:
        """Take audio of the stream of `epoch`."""
        if epoch == self.epoch and self._line.is_live:
            self._line.last_media_ms = self._means.clock.now_ms()
            self._ear.hear(ulaw, is_mouth_busy=self._line.is_busy)

    def echoed(self, epoch: int, mark: str) -> None:
        """Take a mark's echo."""
        if epoch == self.epoch:
            self._line.echoed(mark)

    def pressed(self, epoch: int, digit: str) -> None:
        """Take a key of the caller's."""
        if epoch == self.epoch and self._line.is_live:
            self.post(i.Key(digit, self._line.played()))

    def lost(self, epoch: int, reason: str) -> None:
        """Take it that the stream of `epoch` is gone."""
        self.post(_Lost(epoch, reason))

    def finish(self) -> None:
        """Write where the call stands and let go of it; another process will take it up."""
        self.post(_Finish())

    async def run(self) -> None:
        """Hold the call until it ends, is lost to another owner, or lingers too long."""
        beside = [
            asyncio.create_task(self._ear.run()),
            asyncio.create_task(self._keep_lease()),
            asyncio.create_task(self._follow()),
        ]
        try:
            while not self._is_over:
                await self._take_one()
        except StoreError as trouble:
            self._means.meter.store_errors.inc()
            _log.error(
                "! the store failed; the carrier will bring the call back: %s",
                trouble,
                extra={"action": "store_failed", "call_sid": self.call_sid},
            )
        finally:
            self._is_over = True
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            grace_ms = OVER_MS if self.call.phase == "ended" else 0
            await self._line.unplug("over", CLOSE_OVER, grace_ms=grace_ms)
            self._refuse_waiting()

    def _refuse_waiting(self) -> None:
        """Tell streams that came too late for this session; the switchboard makes another one."""
        while not self._inbox.empty():
            waiting = self._inbox.get_nowait()
            if isinstance(waiting, Arrival) and not waiting.done.done():
                waiting.done.set_result(0)

    async def _take_one(self) -> None:
        letter = await self._next()
        match letter:
            case Arrival():
                await self._arrive(letter)
            case _Lost():
                await self._detach(letter)
            case _News():
                await self._ledger.catch_up()
                await self._settle()
            case _Finish():
                await self._detach(_Lost(self.epoch, "shutdown"))
                self._is_over = True
            case i.BargedIn():
                await self._step(i.BargedIn(self._line.played()))
            case _:
                await self._step(letter)
        if not self._line.is_live and self._has_lingered():
            self._is_over = True

    async def _next(self) -> _Letter:
        due_ms = self._due_ms()
        wait_ms = None if due_ms is None else max(0, due_ms - self._means.clock.now_ms())
        try:
            async with asyncio.timeout(None if wait_ms is None else wait_ms / 1000):
                return await self._inbox.get()
        except TimeoutError:
            return i.Woke()

    def _due_ms(self) -> int | None:
        wants = [] if self._acting.is_asking_carrier else [deadline_ms(self.call)]
        if not self._line.is_live:
            wants.append(self._line.detached_ms + LINGER_MS)
        return min((at_ms for at_ms in wants if at_ms is not None), default=None)

    def _has_lingered(self) -> bool:
        is_late = self._means.clock.now_ms() >= self._line.detached_ms + LINGER_MS
        return is_late and not self._acting.is_busy

    async def _step(self, happened: i.Input) -> None:
        if await self._decide(happened):
            await self._settle()

    async def _decide(self, happened: i.Input) -> bool:
        """Decide, write, act. False when nothing was written, or the call is no longer ours."""
        now_ms = self._means.clock.now_ms()
        decision = decide(self.call, happened, now_ms, self._means.limits)
        if decision.facts and not await self._ledger.write(decision.facts, now_ms):
            self._means.meter.fenced.inc()
            _log.info("= fenced", extra={"action": "fenced", "call_sid": self.call_sid})
            self._is_over = True
            return False
        for effect in decision.effects:
            self._acting.act(effect, self.call)
        return bool(decision.facts)

    async def _settle(self) -> None:
        """Do what follows from the state, then bring mouth and agent in line with it."""
        for _ in range(SETTLE_MAX):
            if not await self._decide(i.Settle()):
                break
        if self._is_over:
            return
        self._line.want(self.call.prompts)
        self._acting.think(self.call)
        await self._ledger.keep_snapshot()
        if self.call.phase == "ended":
            self._means.meter.calls_ended.inc()
            self._is_over = True

    async def _arrive(self, arrival: Arrival) -> None:
        """Give a stream the call: claimed, durable, before anything is said."""
        was_live_here = self._line.is_live
        if was_live_here:
            self._ear.detach()
            await self._decide(await self._line.unplug("replaced", CLOSE_REPLACED))
        now_ms = self._means.clock.now_ms()
        try:
            claim = await self._ledger.claim(arrival.opening, now_ms)
        except StoreError:
            arrival.done.set_result(0)
            raise
        gap_ms = self._gap_ms(claim.lease, now_ms)
        epoch = self.epoch
        self._ear.attach()
        self._line.plug_in(
            arrival,
            epoch,
            lambda played: self.post(i.Progress(played)),
            lambda reason: self.lost(epoch, reason),
        )
        self._claimed.set()
        attached = i.Attached(
            stream_sid=arrival.stream_sid,
            door=arrival.door,
            server=self._means.owner,
            gap_ms=gap_ms,
            is_live_here=was_live_here,
            parameters=arrival.parameters,
            running=self._acting.running,
            lost="the journal was gone" if arrival.is_known and claim.is_new else "",
        )
        if self.call.phase == "ended" or not await self._decide(attached):
            self._is_over = True
            arrival.done.set_result(0)
            return
        arrival.done.set_result(epoch)
        await self._settle()
        self._tell_attached(arrival, gap_ms)

    def _gap_ms(self, lease: Lease | None, now_ms: int) -> int:
        """Without inbound media: since what we heard here, what was written, or the last lease."""
        streams = self.call.streams
        if not streams:
            return 0
        last_ms = self._line.last_media_ms or streams[-1].last_media_ms
        if not last_ms:
            last_ms = max(lease.renewed_ms if lease else 0, streams[-1].attached_ms)
        return max(0, now_ms - last_ms)

    def _tell_attached(self, arrival: Arrival, gap_ms: int) -> None:
        cause = self.call.streams[-1].cause
        meter = self._means.meter
        meter.streams.labels(cause=cause).inc()
        if cause != "new":
            meter.gap_seconds.observe(gap_ms / 1000)
            meter.resume_seconds.observe((self._means.clock.now_us() - arrival.started_us) / 1e6)
        _log.info(
            "= stream attached: %s, epoch %d, gap %d ms",
            cause,
            self.epoch,
            gap_ms,
            extra={"action": "stream_attached", "call_sid": self.call_sid},
        )

    async def _detach(self, lost: _Lost) -> None:
        """Note that the stream is gone; one that was replaced meanwhile is of no interest."""
        if lost.epoch != self.epoch or not self._line.is_live:
            return
        self._ear.detach()
        await self._decide(await self._line.unplug(lost.reason, CLOSE_OVER))
        await self._settle()
        _log.info(
            "= stream detached: %s",
            lost.reason,
            extra={"action": "stream_detached", "call_sid": self.call_sid},
        )

    async def _keep_lease(self) -> None:
        """Renew the hold while a stream is attached."""
        while True:
            await asyncio.sleep(RENEW_MS / 1000)
            if not self._line.is_live:
                continue
            try:
                await self._ledger.renew(self._means.clock.now_ms())
            except StoreError:
                self._means.meter.store_errors.inc()

    async def _follow(self) -> None:
        """Hear of what others write: requests, notes, callbacks."""
        await self._claimed.wait()
        tail = self._means.journal.tail(
            self.call_sid, incarnation=self._ledger.incarnation, after=self.call.position
        )
        async for item in tail:
            if isinstance(item, Gone):
                self.post(i.CarrierSays(is_over=True, outcome="erased"))
                return
            if isinstance(item, Record) and item.position > self.call.position:
                self.post(_News())
