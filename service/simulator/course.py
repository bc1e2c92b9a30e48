"""The course of one call: it rings, documents are asked for, their verbs are performed, it ends.

    ringing ── first document ── in-progress ── no verb left, Hangup, an order, the caller ── completed

An order (a REST update, or somebody hanging up) cuts whatever is being done, at once. The continuation
after a stream's end is Twilio's: the action of its `<Connect>`, else the next verb, else hang up.
"""

import asyncio
from collections.abc import Coroutine
from typing import assert_never

from service.clock import Clock
from service.simulator import answering
from service.simulator.account import AfterError, new_sid, resolved
from service.simulator.asking import Asking
from service.simulator.card import Card
from service.simulator.order import Fetch, HangUp, Order, Perform
from service.simulator.saying import said
from service.simulator.streams import faults
from service.simulator.streams.bridge import Bridge, Ended
from service.simulator.till import Till
from service.simulator.timeline import Kind, Timeline
from service.simulator.twiml import verbs as twiml
from service.simulator.webhook import Answer, Failure, Fields, Webhooks

LIMBO_MS_MAX = 30_000  # a call that was left alone ended 39 s after its service was killed
UNREACHED = frozenset({"busy", "no-answer", "failed", "canceled"})  # nobody picked up
OVER = UNREACHED | {"completed"}
CUT_MS_MAX = 2_500  # a stream stops politely within this, or is cut off


class Course:
    """One call's way from ring to hang-up."""

    def __init__(
        self,
        card: Card,
        parameters: Fields,
        *,
        webhooks: Webhooks,
        timeline: Timeline,
        clock: Clock,
    ) -> None:
        self.status = "ringing"
        self.ended_by = ""
        self.till: Till | None = None  # while the caller keys in a card
        self._asking = Asking(card, webhooks, timeline, clock)
        self._card = card
        self._parameters = parameters
        self._webhooks = webhooks
        self._timeline = timeline
        self._clock = clock
        self._orders: list[Order] = []
        self._ordered = asyncio.Event()
        self._answered_ms = 0
        self._recording_ms = 0

    @property
    def is_over(self) -> bool:
        """Say whether the call has ended."""
        return self.status in OVER

    def order(self, order: Order) -> None:
        """Cut what is being done and do this; a later order replaces one that was not begun."""
        self._orders = [order]
        self._ordered.set()

    async def run(self, bridge: Bridge, *, is_doubled: bool = False) -> None:
        """Live the whole call; returns when it is over and its callback was told."""
        self._note(Kind.RANG, self._card.call_sid)
        answer = await self._until_order(self._begun(bridge, is_doubled=is_doubled), bridge)
        if answer is not None:
            self.status = "in-progress"
            self._answered_ms = self._clock.now_ms()
            self._note(Kind.ANSWERED)
        while answer is not None or self._orders:
            if self._orders:
                answer = await self._obey(self._orders.pop(), bridge)
            elif answer is not None:
                answer = await self._perform(answer, bridge)
        await self._complete(bridge)

    async def _begun(self, bridge: Bridge, *, is_doubled: bool) -> Answer | None:
        """Return the first document: at once of a call that came in, else when it is answered."""
        number, rung = self._card.number, self._card.rung
        if rung is None:
            return await self._ask(bridge, number.url(number.voice_path), is_doubled=is_doubled)
        ring_ms = self._card.terms.pace.ring_ms
        outcome = answering.dialled(
            rung.party, ring_ms=ring_ms, talk_ms=0, timeout_ms=rung.timeout_ms
        )
        await asyncio.sleep(outcome.ring_ms / 1_000)
        if outcome.status != answering.ANSWERED:
            self.status = self.ended_by = outcome.status
            return None
        self.status = "in-progress"
        return await self._ask(bridge, rung.url, rung.method)

    async def _complete(self, bridge: Bridge) -> None:
        await bridge.cut()
        self.status = self.status if self.status in UNREACHED else "completed"
        self.ended_by = self.ended_by or (
            self._asking.failure.text if self._asking.failure else "the document had no verb left"
        )
        self._note(Kind.HUNG_UP, self.ended_by)
        if self._card.status_url:
            ended = self._card.ended_fields(self._clock.now_ms(), self._answered_ms)
            told = [*self._fields(), *ended]
            status = await self._webhooks.tell(self._card.number, self._card.status_url, told)
            self._note(Kind.CALLBACK, self.status, status)
        await bridge.release()

    async def _obey(self, order: Order, bridge: Bridge) -> Answer | None:
        self._ordered.clear()
        self._asking.failure = None
        number = self._card.number
        match order:
            case Perform(document):
                return Answer(number.url(number.voice_path), document)
            case Fetch(url, method):
                return await self._until_order(self._ask(bridge, url, method), bridge)
            case HangUp(by):
                self.ended_by = by
                return None
            case _:
                assert_never(order)

    async def _perform(self, answer: Answer, bridge: Bridge) -> Answer | None:
        for warned in answer.document.warnings:
            self._note(Kind.WARNING, warned.text, warned.code)
        for verb in answer.document.verbs:
            if isinstance(verb, twiml.Hangup):
                self.ended_by = "the document hung up"
                return None
            following = await self._until_order(self._do(verb, answer.url, bridge), bridge)
            if self._orders:
                await self._ask_in_vain(verb, answer.url, bridge)
                return None
            if following is not None:
                return following
            if self._asking.failure is not None:
                return None
        return None

    async def _do(self, verb: twiml.Verb, url: str, bridge: Bridge) -> Answer | None:
        match verb:
            case twiml.Connect():
                return await self._connect(verb, url, bridge)
            case twiml.Start() | twiml.Stop():
                bridge.forks.perform(verb, url)
                return None
            case twiml.Redirect(target, method):
                return await self._ask(bridge, resolved(target, url), method)
            case twiml.Dial():
                return await self._dial(verb, url, bridge)
            case twiml.Record():
                return await self._record(verb, url, bridge)
            case twiml.Pay():
                return await self._pay(verb, url, bridge)
            case _:
                told = said(verb, self._card.terms.pace)
                if told.text:
                    self._note(told.kind, told.text)
                await asyncio.sleep(told.length_ms / 1_000)
                return None

    async def _pay(self, verb: twiml.Pay, url: str, bridge: Bridge) -> Answer | None:
        self._note(Kind.VERB, f"collects a card for {verb.connector}")
        self.till = till = Till(verb, self._card.terms, new_sid("tok_"))
        try:
            await till.run()
        finally:
            self.till = None
        self._note(Kind.PAID, till.result)
        told = till.told()
        return await self._ask(bridge, resolved(verb.action, url), extra=told) if told else None

    async def _dial(self, verb: twiml.Dial, url: str, bridge: Bridge) -> Answer | None:
        self._note(Kind.VERB, f"dials {verb.number}")
        terms = self._card.terms
        outcome = answering.dialled(
            terms.party,
            ring_ms=terms.pace.ring_ms,
            talk_ms=terms.pace.dial_ms,
            timeout_ms=verb.timeout_ms,
        )
        await asyncio.sleep((outcome.ring_ms + outcome.talk_ms) / 1_000)
        self._note(Kind.DIAL_ENDED, outcome.status, outcome.talk_ms)
        if not verb.action:
            return None
        told = outcome.fields(new_sid("CA"))
        return await self._ask(bridge, resolved(verb.action, url), verb.method, told)

    async def _record(self, verb: twiml.Record, url: str, bridge: Bridge) -> Answer | None:
        terms = self._card.terms
        self._note(Kind.VERB, answering.BEEPED)
        if not terms.message_ms:
            await asyncio.sleep(min(verb.silence_ms, terms.pace.silence_ms) / 1_000)
            return None  # An empty recording asks for nothing: the next verb runs.
        self._recording_ms = self._clock.now_ms()
        length_ms = min(terms.message_ms, verb.length_ms)
        await asyncio.sleep(length_ms / 1_000)
        self._recording_ms = 0
        key = verb.end_keys[-1:] if length_ms == terms.message_ms else ""
        told = self._recorded(length_ms, key)
        return await self._ask(bridge, resolved(verb.action, url), verb.method, told)

    def _recorded(self, length_ms: int, digits: str) -> Fields:
        account = self._card.account.account_sid
        place = f"{self._card.api_url}/2010-04-01/Accounts/{account}/Recordings"
        told = answering.recorded(place, new_sid("RE"), length_ms, digits)
        self._note(Kind.RECORDED, told[0][1], length_ms)
        return told

    async def _connect(self, verb: twiml.Connect, url: str, bridge: Bridge) -> Answer | None:
        ended: Ended = await bridge.connect(verb.stream, url)
        if not any(isinstance(order, HangUp) for order in self._orders):
            await asyncio.sleep(self._card.terms.pace.turn_ms / 1_000)
        if ended.error:
            after = self._card.terms.after_error
            if after is AfterError.NOTHING:
                await asyncio.sleep(LIMBO_MS_MAX / 1_000)
                self._asking.failure = Failure(
                    url, ended.error, "the stream failed and nobody took the call"
                )
            if after is not AfterError.ACTION:
                return None
        if self._orders or not verb.action:
            return None
        is_doubled = isinstance(ended.fault, faults.DoubleWebhook)
        action = resolved(verb.action, url)
        return await self._ask(bridge, action, verb.method, is_doubled=is_doubled)

    async def _ask_in_vain(self, verb: twiml.Verb, url: str, bridge: Bridge) -> None:
        # Twilio was seen asking a cut verb's action although the redirect wins (twilio.md, section 3.2).
        is_redirected = self._card.terms.action_on_cut and not isinstance(self._orders[-1], HangUp)
        if is_redirected and isinstance(verb, twiml.Connect) and verb.action:
            await self._ask(bridge, resolved(verb.action, url), verb.method)
        if self._recording_ms and isinstance(verb, twiml.Record):
            # Most messages end so: the caller hangs up, and the recording is told all the same.
            length_ms, self._recording_ms = self._clock.now_ms() - self._recording_ms, 0
            told = [*self._recorded(length_ms, answering.HUNG_UP), ("CallStatus", "completed")]
            await self._ask(bridge, resolved(verb.action, url), verb.method, told)

    async def _ask(
        self,
        bridge: Bridge,
        url: str,
        method: str = "POST",
        extra: Fields | None = None,
        *,
        is_doubled: bool = False,
    ) -> Answer | None:
        fields = list(dict([*self._fields(), *(extra or [])]).items())
        return await self._asking.ask(bridge, url, fields, method, is_doubled=is_doubled)

    async def _until_order(
        self, work: Coroutine[object, object, Answer | None], bridge: Bridge
    ) -> Answer | None:
        loop = asyncio.get_running_loop()
        task, order = loop.create_task(work), loop.create_task(self._ordered.wait())
        try:
            await asyncio.wait({task, order}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and await bridge.cut():
                await asyncio.wait({task}, timeout=CUT_MS_MAX / 1_000)
        finally:
            order.cancel()
            task.cancel()
            await asyncio.wait({task, order})
        return None if task.cancelled() else task.result()

    def _fields(self) -> Fields:
        return [*self._parameters, ("CallStatus", self.status)]

    def _note(self, kind: Kind, text: str = "", value: int = 0) -> None:
        self._timeline.note(self._clock.now_ms(), kind, text, value=value)
