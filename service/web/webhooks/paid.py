"""How a number came out that the carrier collected itself: written from outside, once, then the way back.

    /twiml/paid?pay=c1.1    success + token ──> taken      star, too many attempts ──> given up
                            the card was rejected ──> refused       anything else, or no word ──> failed
                                      └──> what /twiml/resume would answer: the stream, a fresh token

What the carrier tells of the card (its masked number, date, codes) is not read. The token is told this once:
while the store is away its answer waits, and what still can't be written then is asked for again.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.call import events as e
from service.call.decisions import paying
from service.call.decisions.collecting import CALLER_STOPPED
from service.call.privacy import Collection, Outcome
from service.call.state import Call
from service.documents import PAY
from service.errors import SealBroken, StoreError, StoreUnavailable
from service.meter import Meter
from service.redaction import own_words
from service.session.vault import REFERENCE_CHARS_MAX, is_card
from service.switchboard.switchboard import Switchboard
from service.web.door.form import SignedForm
from service.web.webhooks.handover import parsed
from service.web.webhooks.outside import Outside
from twiml import webhook

ATTEMPTS, WAIT_MS = 16, 500  # eight seconds: the carrier waits for fifteen
SUCCESS, HUNG_UP = "success", "caller-hung-up"
GIVEN_UP = {
    "caller-interrupted-with-star": CALLER_STOPPED,
    "too-many-failed-attempts": "the carrier's attempts went wrong",
}
REJECTED = (64010, 64012)  # PayErrorCode: no token is made of this card, the card is rejected
UNNAMED = "the carrier gave no token that may be kept"
NO_WORD = "the carrier went on without a word of it"

_ROUND = re.compile(r"c[0-9]{1,6}\.[0-9]{1,3}")
_CARDS = re.compile(
    r"(?<![0-9A-Za-z])[2-6](?:[ -]?[0-9]){11,18}(?![0-9A-Za-z])"
)  # the card schemes' numbers begin so
_PLAIN = str.maketrans("", "", " -")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Paid:
    """The webhook after a `<Pay>`. `answer` says what the call should do next."""

    form: SignedForm
    outside: Outside
    switchboard: Switchboard
    meter: Meter
    answer: Callable[[Request, webhook.VoiceWebhook], Awaitable[Response]]

    def routes(self) -> list[Route]:
        """Return the webhook's route."""
        return [Route("/twiml/paid", self.paid, methods=["POST"])]

    async def paid(self, request: Request) -> Response:
        """The carrier has collected a number, or has not."""
        pairs = await self.form.read(request)
        payment, asked = parsed(webhook.parse_payment, pairs), parsed(webhook.parse, pairs)
        for _ in range(ATTEMPTS):
            try:
                await self._keep(payment, request.query_params.get(PAY, ""))
                break
            except SealBroken:
                break  # What can't be opened is begun anew by the way back.
            except StoreError:
                self.meter.store.errors.inc()
                self._tell(payment.call_sid, "the store failed")
                await asyncio.sleep(WAIT_MS / 1_000)
        return await self.answer(request, asked)

    async def _keep(self, payment: webhook.Payment, name: str) -> None:
        """Write how the round of this name ended, unless that is known, or nothing to write of.

        Of an earlier round only the token is news: the caller keyed their card for it.
        """
        call = await self._call(payment.call_sid)
        one = call.privacy.collection if call is not None else None
        if one is None or one.sink != "pay" or not _ROUND.fullmatch(name):
            return
        if name.partition(".")[0] != one.collection:
            return
        ended = _ended(one, payment)
        is_present = one.is_passed and name == paying.named(one)
        if payment.result == HUNG_UP or not (is_present or ended.outcome == "taken"):
            return
        self._tell(payment.call_sid, ended.outcome)
        await self.outside.add(payment.call_sid, f"paid:{name}", ended)

    async def _call(self, call_sid: str) -> Call | None:
        """Return the call as it stands; while the store is away as whoever holds it here knows it."""
        try:
            return await self.outside.call(call_sid)
        except StoreUnavailable:
            session = self.switchboard.find(call_sid)
            if session is None:
                raise
            return session.call

    def _tell(self, call_sid: str, what: str) -> None:
        _log.info("< pay: %s", own_words(what), extra={"action": "collected", "call_sid": call_sid})


def _ended(one: Collection, payment: webhook.Payment) -> e.CollectionEnded:
    outcome, detail = _outcome(payment)
    if payment.error_code:
        detail = f"{detail}, code {payment.error_code}"
    reference = payment.token if outcome == "taken" else ""
    return e.CollectionEnded(
        collection=one.collection, outcome=outcome, reference=reference, detail=detail
    )


def _outcome(payment: webhook.Payment) -> tuple[Outcome, str]:
    if payment.result == SUCCESS:
        return ("taken", "") if _may_be_kept(payment.token) else ("failed", UNNAMED)
    if payment.result in GIVEN_UP:
        return "given_up", GIVEN_UP[payment.result]
    if payment.error_code in REJECTED:
        return "refused", "the card was rejected"
    return "failed", "the carrier could not take it" if payment.result else NO_WORD


def _may_be_kept(token: str) -> bool:
    """Whether it is a name for a card, and not a card's number itself."""
    is_short = 0 < len(token) <= REFERENCE_CHARS_MAX and token.isprintable()
    numbers = (found.translate(_PLAIN) for found in _CARDS.findall(token))
    return is_short and not any(map(is_card, numbers))
