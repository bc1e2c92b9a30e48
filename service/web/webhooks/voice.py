"""The carrier's webhooks: what a call should do next.

Every answer is TwiML with both ways back. Asking twice changes nothing: Twilio retries webhooks, asks
the action of a verb that a redirect just cut, and sometimes posts the same thing twice at once.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.call import events as e
from service.call.decisions import last_resort
from service.call.decisions.moving import is_moving
from service.call.decisions.paying import is_beginning, named
from service.call.policy import Policy
from service.call.state import Call
from service.clock import Clock
from service.directory import Directories
from service.documents import RESUME, Documents
from service.errors import SealBroken, StoreError
from service.journal.journal import Journal
from service.journal.values import Missing, Reading
from service.meter import Meter
from service.redaction import own_words
from service.session.kept.records import as_it_stands
from service.switchboard.allotment import Allotment
from service.switchboard.switchboard import Switchboard
from service.trust.tenants import Tenants
from service.web.door.form import SignedForm
from service.web.stream.returns import Returns
from service.web.webhooks.handover import Handover, parsed
from service.web.webhooks.outside import Outside, refuse_unless_sure, requested_digits
from service.web.webhooks.paid import Paid
from service.web.webhooks.reopening import Reopening
from service.web.webhooks.returning import Returning
from twiml import webhook

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Voice:
    """The webhooks of one application."""

    form: SignedForm
    journal: Journal
    is_final: Callable[[str, int], bool | None]  # see Bridge
    directories: Directories
    tenants: Tenants
    allotment: Allotment
    documents: Documents
    switchboard: Switchboard
    clock: Clock
    meter: Meter
    policy: Policy
    returns: Returns
    returning: Returning
    reopening: Reopening

    def routes(self) -> list[Route]:
        """Return the webhooks' routes."""
        answers = {"voice": self.voice, "resume": self.resume, "fallback": self.fallback}
        methods = self.form.methods
        own = [Route(f"/twiml/{name}", one, methods=methods) for name, one in answers.items()]
        paid = Paid(self.form, self.outside, self.switchboard, self.meter, self._back)
        return [*own, *self.handover.routes(), *paid.routes()]

    @property
    def outside(self) -> Outside:
        """The journals of calls that nobody here holds."""
        return Outside(self.journal, self.clock)

    @property
    def handover(self) -> Handover:
        """The webhooks of what follows the conversation."""
        return Handover(
            form=self.form,
            journal=self.journal,
            documents=self.documents,
            clock=self.clock,
            meter=self.meter,
        )

    async def voice(self, request: Request) -> Response:
        """The phone rings: open the call's journal and answer with the media stream."""
        asked = parsed(webhook.parse, await self.form.read(request))
        callback_of = request.query_params.get("callback", "")
        if self.switchboard.is_draining:
            return self._elsewhere("voice", callback_of)
        try:
            told = await self._answer(asked, door="voice", callback_of=callback_of)
            return self.form.answer(told)
        except SealBroken as broken:
            return await self._unreadable(asked, broken)
        except StoreError as trouble:
            return self._without_store(asked.call_sid, trouble, failed="voice", request=callback_of)

    async def resume(self, request: Request) -> Response:
        """The stream ended and the call goes on: the same parameters, a fresh token."""
        return await self._back(request, parsed(webhook.parse, await self.form.read(request)))

    async def _back(self, request: Request, asked: webhook.VoiceWebhook) -> Response:
        try:
            if asked.dial_status:  # the action of a dial that a server of the version before began
                return self.form.answer(await self.handover.after_dial(asked))
            if asked.is_over:
                await self.outside.end(asked.call_sid, asked.call_status)
                return self.form.answer(self.documents.hang_up())
            if self.switchboard.is_draining:
                return self._elsewhere(RESUME, request.query_params.get("play", ""))
            reading = await self.journal.read(asked.call_sid)
            if isinstance(reading, Missing):
                return self.form.answer(await self._answer(asked, door="resume"))
            refuse_unless_sure(reading, is_final=self.is_final(asked.call_sid, 0))
            query = request.query_params
            return self.form.answer(
                await self._next(reading, query.get("play", ""), is_moved="moved" in query)
            )
        except SealBroken as broken:
            return await self._unreadable(asked, broken)
        except StoreError as trouble:
            return self._without_store(asked.call_sid, trouble)

    async def fallback(self, request: Request) -> Response:
        """Our own webhook failed: a word to the caller, and the way back."""
        asked = parsed(webhook.parse, await self.form.read(request))
        _log.error(
            "! the carrier fell back, its error %s",
            asked.error_code or own_words("unknown"),
            extra={"action": "webhook_fallback", "call_sid": asked.call_sid},
        )
        return self.form.answer(self.documents.fallback_for(asked.error_url))

    async def _answer(
        self, asked: webhook.VoiceWebhook, *, door: str, callback_of: str = ""
    ) -> str:
        """Open the call if it is not there, and return the way to its media stream."""
        opened = await self._opened(asked)
        if door == "resume":
            # A call that resumes is not a new one, even when its journal is gone: its token says so.
            return self._connect(opened, door)
        if not callback_of and await self._is_refused(opened):
            return self.documents.busy()
        opening = await self.returning.opening(
            opened, callback_of=callback_of, stir_verstat=asked.stir_verstat
        )
        headline = await self.journal.open(
            asked.call_sid, tuple(map(e.encode, opening)), now_ms=self.clock.now_ms()
        )
        if headline.head == len(opening):
            self.meter.calls_opened.inc()
        call = await self.outside.call(asked.call_sid) or Call(parameters=opened.parameters)
        if call.phase == "ended":
            return self.documents.hang_up()
        return self._connect_known(asked.call_sid, call, door)

    async def _is_refused(self, opened: e.CallOpened) -> bool:
        """Whether its tenant has no place for a new call; one that is known here or elsewhere is none."""
        call_sid = opened.call_sid
        if self.allotment.admits(opened.tenant, call_sid) or await self.outside.call(call_sid):
            return False
        self.allotment.tell(call_sid)
        return True

    async def _opened(self, asked: webhook.VoiceWebhook) -> e.CallOpened:
        is_ours = asked.direction.startswith("outbound")
        ours, theirs = asked.to_number, asked.from_number
        if is_ours:
            ours, theirs = theirs, ours
        tenant = self.tenants.of_number(ours)
        return e.CallOpened(
            call_sid=asked.call_sid,
            from_number=asked.from_number,
            to_number=asked.to_number,
            direction=asked.direction or "inbound",
            account_sid=asked.account_sid,
            tenant=tenant,
            parameters=await self.directories.of(tenant).lookup(theirs),
        )

    def _connect_known(self, call_sid: str, call: Call, door: str) -> str:
        return self.documents.connect(
            call_sid,
            call.parameters,
            door=door,
            is_known=call.is_known(),
            now_ms=self.clock.now_ms(),
            epoch=call.epoch,
            opened_ms=call.opened_ms,
            tenant=call.tenant,
        )

    def _connect(self, opened: e.CallOpened, door: str) -> str:
        """The way to the stream of a call that was known, though its journal is gone."""
        return self.documents.connect(
            opened.call_sid,
            opened.parameters,
            door=door,
            is_known=True,
            now_ms=self.clock.now_ms(),
            tenant=opened.tenant,
        )

    async def _next(self, reading: Reading, play: str, *, is_moved: bool) -> str:
        """What a known call should do now. No side effect but that a conversation given up is over."""
        call, now_ms = await as_it_stands(reading), self.clock.now_ms()
        if document := await self._after_conversation(call):
            return document
        if call.phase == "ended" or call.is_ending_started:
            return self.documents.hang_up()
        if document := self._under_way(
            call, requested_digits(reading, play), now_ms, is_moved=is_moved
        ):
            return document
        drops = call.drops_since(now_ms - self.policy.window_ms)
        is_circling = self.returns.is_circling(call.call_sid, now_ms)
        if is_circling or drops > self.policy.drops_max:
            # Our part is over, so that nobody pulls the caller back from whom they speak to next.
            facts = last_resort.reached(call, drops, self.policy)
            over = e.CallEnded(reason="drop_limit")
            key = f"drop-limit:{len(call.streams)}"
            if await self.outside.is_first(call.call_sid, key, *facts, over):
                self.meter.incidents.labels(kind="drop_limit").inc()
            _log.error(
                "! %d drops%s: the last resort",
                drops,
                own_words(", and it asks again and again" if is_circling else ""),
                extra={"action": "drop_limit", "call_sid": call.call_sid},
            )
            if calls_back := len(facts) > 1:
                await self.returning.calling_back.arrange(call.call_sid)
            return self.documents.last_resort(calls_back=calls_back)
        return self._connect_known(call.call_sid, call, RESUME)

    def _under_way(self, call: Call, digits: str, now_ms: int, *, is_moved: bool) -> str:
        """What a call should do that is just being restarted on purpose, "" if it is not."""
        one = call.privacy.collection
        if digits:
            return self.documents.play_digits(
                call.call_sid,
                call.parameters,
                digits,
                now_ms=now_ms,
                epoch=call.epoch,
                opened_ms=call.opened_ms,
                tenant=call.tenant,
            )
        # What follows may be the action of the verb that our own order just cut. The order wins, or this answer:
        # so it is the same document, or one that waits for the order.
        if one is not None and is_beginning(call, now_ms):
            return self.documents.pay(named(one), epoch=call.epoch)
        return self.documents.wait() if is_moving(call, now_ms) and not is_moved else ""

    async def _after_conversation(self, call: Call) -> str:
        """What a call should do that was given to a human or to the voicemail, "" if it was not."""
        if call.afterwards.is_over:
            return self.documents.hang_up()
        if call.afterwards.dial_outcome:
            return self.documents.voicemail()
        if call.ending == "transfer" and call.is_ending_started:
            document = self.handover.transfer(call)
            is_voicemail = document == self.documents.voicemail()
            await self.outside.end(call.call_sid, "voicemail" if is_voicemail else "transferred")
            return document
        if call.phase == "ended" and call.is_drop_limited:
            return self.documents.last_resort(calls_back=call.callback is not None)
        return ""

    def _elsewhere(self, webhook: str, request: str = "") -> Response:
        """This server goes down: have the carrier ask again, until another one answers."""
        is_alone = self.switchboard.is_alone
        return self.form.answer(self.documents.wait(webhook, request, is_alone=is_alone))

    async def _unreadable(self, asked: webhook.VoiceWebhook, broken: SealBroken) -> Response:
        """Nothing of the call can be opened, and the caller is there: it goes on, and says so."""
        opened = await self._opened(asked)
        try:
            await self.reopening.begin(opened, broken)
        except StoreError as trouble:
            return self._without_store(asked.call_sid, trouble)
        return self.form.answer(self._connect(opened, RESUME))

    def _without_store(
        self, call_sid: str, trouble: StoreError, *, failed: str = RESUME, request: str = ""
    ) -> Response:
        """Keep the caller on the line for a moment; the way back asks again."""
        self.meter.store.errors.inc()
        _log.error(
            "! the store failed: %s",
            trouble,
            extra={"action": "store_failed", "call_sid": call_sid},
        )
        return self.form.answer(self.documents.fallback(failed, request))
