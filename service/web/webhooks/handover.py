"""What follows the conversation: how the dialling of a human ended, and the message left if nobody came.

    /twiml/dialled      answered ──> the end      anything else ──> voicemail
    /twiml/voicemail    thanks ──> the end

The conversation is over by then, so nobody holds the call: the facts are written from outside, once per
dial and once per message, however often the carrier repeats itself. The answer is read off the form
alone, so that the caller hears the right thing even while the store is away.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.call import events as e
from service.call.afterwards import Afterwards, told
from service.call.state import Call
from service.clock import Clock
from service.documents import Documents
from service.errors import Refused, StoreError
from service.journal.journal import Journal
from service.journal.values import Appended, Missing, Reading
from service.meter import Meter
from service.redaction import own_words
from service.web.door.form import SignedForm
from service.web.webhooks.outside import digest
from twiml import webhook

OUTCOME_LETTERS_MAX = 40  # the carrier's longest word for it has nine

_WEB_URL = re.compile(r"https?://[^\s\"'<>]+")

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Handover:
    """The webhooks after a `<Dial>` and after a `<Record>`."""

    form: SignedForm
    journal: Journal
    documents: Documents
    clock: Clock
    meter: Meter

    def routes(self) -> list[Route]:
        """Return the webhooks' routes."""
        return [
            Route("/twiml/dialled", self.dialled, methods=["POST"]),
            Route("/twiml/voicemail", self.voicemail, methods=["POST"]),
        ]

    async def dialled(self, request: Request) -> Response:
        """The human hung up, or nobody answered."""
        return self.form.answer(
            await self.after_dial(parsed(webhook.parse, await self.form.read(request)))
        )

    async def voicemail(self, request: Request) -> Response:
        """The caller left a message; by now they may have hung up, too."""
        asked = parsed(webhook.parse, await self.form.read(request))
        url = asked.recording_url
        has_message = bool(_WEB_URL.fullmatch(url))
        if has_message:
            duration_ms = 1000 * (asked.recording_duration_s or 0)
            left = e.VoicemailLeft(url=url, duration_ms=duration_ms)
            await self._keep(asked.call_sid, left, f"voicemail:{digest(url)}")
        else:
            self._tell(asked.call_sid, "a voicemail came without the address of its recording")
        return self.form.answer(self.documents.thanks(has_message=has_message))

    async def after_dial(self, asked: webhook.VoiceWebhook) -> str:
        """Return the document that follows a dial, having written how it ended."""
        outcome = asked.dial_status[:OUTCOME_LETTERS_MAX]
        if not outcome:
            # The carrier went on to the verb after the dial: look whether it told us more before.
            self._tell(asked.call_sid, "a dial ended without a word how")
            is_over = (await self._known(asked.call_sid)).is_over
        else:
            key = f"dialled:{digest(asked.dial_call_sid, outcome)}"
            await self._keep(asked.call_sid, e.DialEnded(outcome=outcome), key)
            is_over = asked.is_dial_answered
        if is_over or asked.is_over:
            return self.documents.hang_up()
        return self.documents.voicemail()

    def transfer(self, call: Call) -> str:
        """Return the document that puts a caller through, who is left to the voicemail where it can't be done."""
        try:
            return self.documents.transfer(call.ending_to)
        except ValueError as trouble:
            _log.error(
                "! a transfer is impossible: %s",
                trouble,
                extra={"action": "transfer_impossible", "call_sid": call.call_sid},
            )
            return self.documents.voicemail()

    async def _known(self, call_sid: str) -> Afterwards:
        try:
            reading = await self.journal.read(call_sid)
        except StoreError as trouble:
            self._failed(call_sid, trouble)
            return Afterwards()
        return Afterwards() if isinstance(reading, Missing) else afterwards(reading)

    async def _keep(self, call_sid: str, fact: e.Known, key: str) -> None:
        """Write the fact. That it can't be written is told here, and no reason to keep the caller."""
        try:
            outcome = await self.journal.append(
                call_sid,
                (e.encode(fact),),
                epoch=None,
                after=None,
                key=key,
                now_ms=self.clock.now_ms(),
            )
        except StoreError as trouble:
            self._failed(call_sid, trouble)
            return
        if not isinstance(outcome, Appended):
            kind = type(fact).__name__
            self._tell(call_sid, f"{kind} can't be kept: {type(outcome).__name__}")

    def _failed(self, call_sid: str, trouble: StoreError) -> None:
        self.meter.store.errors.inc()
        _log.error(
            "! the store failed: %s",
            trouble,
            extra={"action": "store_failed", "call_sid": call_sid},
        )

    def _tell(self, call_sid: str, what: str) -> None:
        _log.warning("! %s", own_words(what), extra={"action": "handover", "call_sid": call_sid})


def afterwards(reading: Reading) -> Afterwards:
    """Return what the records say of dials and messages."""
    known = Afterwards()
    for record in reading.records:
        if record.epoch == 0:  # all of these are written from outside
            fact = e.decode(record.body)
            known = told(known, fact, position=record.position, at_ms=record.at_ms)
    return known


def parsed(parse: Callable[[list[tuple[str, str]]], T], pairs: list[tuple[str, str]]) -> T:
    """Return the form as a typed value. Raises Refused 400 with one sentence."""
    try:
        return parse(pairs)
    except webhook.BadWebhook as trouble:
        raise Refused(400, "Bad request", str(trouble)) from trouble
