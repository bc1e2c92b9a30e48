"""Asking for one call's documents: the webhook, its fallback, and the one time too many.

ask ──> Answer
 └────> Failure ──> the fallback ──> Answer
                         └─────────> `failure`: the call ends
"""

import asyncio

from service.clock import Clock
from service.simulator.card import Card
from service.simulator.streams.bridge import Bridge
from service.simulator.timeline import Kind, Timeline
from service.simulator.twiml import verbs as twiml
from service.simulator.webhook import REFUSED, Answer, Failure, Fields, Webhooks

DOCUMENTS_MAX = 500  # a call that asks for more is redirected in circles


class Asking:
    """The requests of one call. `failure` says why the last one gave no document."""

    def __init__(self, card: Card, webhooks: Webhooks, timeline: Timeline, clock: Clock) -> None:
        self.failure: Failure | None = None
        self._card = card
        self._webhooks = webhooks
        self._timeline = timeline
        self._clock = clock
        self._documents = 0

    async def ask(
        self,
        bridge: Bridge,
        url: str,
        fields: Fields,
        method: str = "POST",
        *,
        is_doubled: bool = False,
    ) -> Answer | None:
        """Return the document, None when neither the URL nor the fallback gave one."""
        self._documents += 1
        number = self._card.number
        if self._documents > DOCUMENTS_MAX:
            self.failure = Failure(url, REFUSED, "the call is redirected in circles")
            return None
        if is_doubled:
            first, outcome = await asyncio.gather(
                self._webhooks.ask(number, url, fields, method),
                self._webhooks.ask(number, url, fields, method),
            )
            await self._beside(first, bridge)
        else:
            outcome = await self._webhooks.ask(number, url, fields, method)
        fallback = number.url(number.fallback_path)
        if isinstance(outcome, Failure) and fallback:
            self._failed(outcome)
            told = [("ErrorCode", str(outcome.code)), ("ErrorUrl", outcome.url)]
            outcome = await self._webhooks.ask(number, fallback, [*fields, *told])
        if isinstance(outcome, Failure):
            self._failed(outcome)
            self.failure = outcome
            return None
        self._note(Kind.ASKED, outcome.url, outcome.took_ms)
        return outcome

    async def _beside(self, first: Answer | Failure, bridge: Bridge) -> None:
        verbs = first.document.verbs if isinstance(first, Answer) else ()
        stream = next((verb.stream for verb in verbs if isinstance(verb, twiml.Connect)), None)
        if isinstance(first, Answer) and stream is not None:
            self._note(Kind.ASKED, first.url, first.took_ms)
            await bridge.add(stream, first.url)

    def _failed(self, failure: Failure) -> None:
        self._note(Kind.ASK_FAILED, f"{failure.url}: {failure.text}", failure.code)

    def _note(self, kind: Kind, text: str, value: int) -> None:
        self._timeline.note(self._clock.now_ms(), kind, text, value=value)
