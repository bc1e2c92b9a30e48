"""What a session asks of the carrier, after it wrote.

Everything here runs beside the session's one task and reports back as an input, so that a carrier
that takes seconds delays nothing, and outlives the stream.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

from service.call import inputs as i
from service.call.decisions import paying
from service.call.private_inputs import AskPay, PassOn, PayAsked
from service.call.state import Call
from service.errors import CallAway, CallGone, CarrierError, Undialable
from service.redaction import OwnWords, own_words
from service.session.inbox import Lost
from service.session.means import Means
from service.session.vault import Vault
from twiml.verbs import fits_rest_update

_log = logging.getLogger(__name__)

MOVE_MS_MAX = 6_000  # one attempt of the carrier's and a bit: this server goes down meanwhile

T = TypeVar("T")


class Acting:
    """The running work of one call."""

    def __init__(self, call_sid: str, means: Means, post: Callable[[i.Input | Lost], None]) -> None:
        self._call_sid = call_sid
        self._means = means
        self._post = post
        self._tasks: set[asyncio.Task[None]] = set()
        self._requests: set[str] = set()
        self.vault = Vault(call_sid, means.sink, post)
        self._asked_epoch = 0  # of the stream that the carrier is being asked about

    @property
    def running(self) -> tuple[str, ...]:
        """The requests whose REST call is under way."""
        return tuple(self._requests)

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way that should be waited for."""
        return bool(self._tasks)

    def is_asking_carrier(self, call: Call) -> bool:
        """Whether the carrier is asked about the stream that is away; a new one settles the question."""
        return self._asked_epoch == call.epoch > 0

    def act(self, effect: i.CarrierEffect | PassOn, call: Call) -> None:
        """Begin what `effect` asks for."""
        match effect:
            case PassOn():
                self._start(self.vault.pass_on(effect))
            case i.PlayDigits() | AskPay():
                self._restart(effect, call)
            case i.EndCall():
                self._start(self._end())
            case i.TransferCall():
                self._start(self._transfer(effect.to_number))
            case i.LastResort():
                calls_back = call.callback is not None
                twiml = self._means.documents.last_resort(calls_back=calls_back)
                self._start(self._run_ending(twiml))
            case i.MoveCall():
                self._start(self._move(call.epoch, is_alone=effect.is_alone))
            case i.AskCarrier():
                self._asked_epoch = call.epoch
                self._start(self._ask_carrier(call.epoch))

    def _restart(self, effect: i.PlayDigits | AskPay, call: Call) -> None:
        """Begin what ends the stream on purpose, under a name: who comes meanwhile is told of it."""
        if isinstance(effect, AskPay):
            self._requests.add(paying.name(effect.collection, effect.round))
            self._start(self._pay(effect, call.epoch))
        else:
            self._requests.add(effect.request)
            self._start(self._play_digits(effect, call))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._means.tasks.start(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _play_digits(self, effect: i.PlayDigits, call: Call) -> None:
        """Restart the stream with DTMF in between: inline when it fits, else by our own address."""
        documents, carrier = self._means.documents, self._means.carrier
        try:
            twiml = documents.play_digits(
                self._call_sid,
                call.parameters,
                effect.digits,
                now_ms=self._means.clock.now_ms(),
                epoch=call.epoch,
                opened_ms=call.opened_ms,
                tenant=call.tenant,
            )
            if fits_rest_update(twiml):
                await _answer(carrier.run_twiml(self._call_sid, twiml))
            else:
                url = documents.resume_url(effect.request)
                await _answer(carrier.redirect(self._call_sid, url))
            done = i.DigitsDone(effect.request, "sent")
        except CallGone as trouble:
            done = i.DigitsDone(effect.request, "call_gone", str(trouble))
        except (CarrierError, ValueError) as trouble:
            done = i.DigitsDone(effect.request, "failed", str(trouble))
        self._requests.discard(effect.request)
        self._tell("digits", own_words(done.outcome))
        self._post(done)

    async def _pay(self, effect: AskPay, epoch: int) -> None:
        """Have the carrier collect a number itself. Nobody listens meanwhile, on no stream."""
        name = paying.name(effect.collection, effect.round)
        self._means.forks.dismiss(self._call_sid)
        try:
            twiml = self._means.documents.pay(name, epoch=epoch)
            await _answer(self._means.carrier.run_twiml(self._call_sid, twiml))
            done = PayAsked(effect.collection, effect.round, "asked")
        except CallGone as trouble:
            done = PayAsked(effect.collection, effect.round, "call_gone", str(trouble))
        except CarrierError as trouble:
            done = PayAsked(effect.collection, effect.round, "failed", str(trouble))
        self._requests.discard(name)
        self._tell("pay", own_words(done.outcome))
        self._post(done)

    async def _end(self) -> None:
        """Hang up by REST first, so that the carrier sees no stream error."""
        try:
            await _answer(self._means.carrier.hang_up(self._call_sid))
            self._post(i.EndingDone(is_gone=False, detail="hung_up"))
        except CarrierError as trouble:
            self._tell("hang_up", trouble)
            # Closing the stream makes the carrier ask for TwiML, and that answer hangs up.
            self._post(i.EndingDone(is_gone=False, detail="stream_closed"))

    async def _transfer(self, to_number: str) -> None:
        """Have a human dialled. Where none can be, the caller is on the line all the same: voicemail."""
        documents = self._means.documents
        try:
            twiml = documents.transfer(to_number)
        except ValueError as trouble:
            self._tell("transfer", trouble)
            await self._run_ending(documents.voicemail(), "transfer_impossible")
        else:
            await self._run_ending(twiml, "voicemail" if twiml == documents.voicemail() else "")

    async def _run_ending(self, twiml: str, instead: str = "") -> None:
        """Have the carrier end our part with `twiml`; `instead` says why that is not what was asked for."""
        is_gone = bool(
            instead
        )  # Nobody was put through, so the call's end is not called a transfer.
        try:
            await _answer(self._means.carrier.run_twiml(self._call_sid, twiml))
            self._post(i.EndingDone(is_gone=is_gone, detail=instead))
        except CallGone as trouble:
            self._post(i.EndingDone(is_gone=True, detail=str(trouble)))
        except Undialable as trouble:
            self._tell("ending", trouble)
            self._post(i.EndingImpossible(str(trouble)))
        except CarrierError as trouble:
            self._tell("ending", trouble)
            # Closing the stream makes the carrier ask for TwiML, and that answer is the same document.
            self._post(i.EndingDone(is_gone=is_gone, detail=instead or "stream_closed"))

    async def _move(self, epoch: int, *, is_alone: bool) -> None:
        """Have the carrier cut the stream and come back to another server, or to the next one here."""
        documents, carrier = self._means.documents, self._means.carrier
        if is_alone:
            asked = carrier.run_twiml(self._call_sid, documents.wait(is_alone=True))
        else:
            asked = carrier.redirect(self._call_sid, documents.moved_url)
        told: OwnWords | Exception = own_words("asked")
        try:
            async with asyncio.timeout(MOVE_MS_MAX / 1000):
                await _answer(asked)
        except CallGone:
            told = own_words("gone_at_carrier")
            self._post(i.CarrierSays(is_over=True, outcome="gone_at_carrier"))
        except (CarrierError, TimeoutError) as trouble:
            told = trouble
            # Closing the stream makes the carrier ask for TwiML, and that leads elsewhere, too.
            self._post(Lost(epoch, "not_moved"))
        self._tell("move", told)

    async def _ask_carrier(self, epoch: int) -> None:
        """The carrier has not come back: see whether the call lives, and if so have it come."""
        trouble: CarrierError | None = None
        try:
            says = await self._pull_back()
        except CallAway:
            return  # Nobody can lead it back: the question stands until a stream comes.
        except CallGone as gone:
            says = i.CarrierSays(is_over=True, outcome=gone.reason)
        except CarrierError as failed:
            trouble = failed
            says = i.CarrierSays(is_over=False, outcome=str(failed)[:200])
        if self._asked_epoch == epoch:
            self._asked_epoch = 0
        self._tell("pull_back", trouble or own_words(says.outcome))
        self._post(says)

    async def _pull_back(self) -> i.CarrierSays:
        if not await _answer(self._means.carrier.is_live(self._call_sid)):
            return i.CarrierSays(is_over=True, outcome="gone_at_carrier")
        url = self._means.documents.resume_url()
        await _answer(self._means.carrier.redirect(self._call_sid, url))
        return i.CarrierSays(is_over=False, outcome="redirected")

    def _tell(self, what: str, outcome: OwnWords | Exception) -> None:
        _log.info(
            "> carrier, %s: %s",
            own_words(what),
            outcome,
            extra={"action": "carrier_asked", "call_sid": self._call_sid},
        )


async def _answer(asked: Awaitable[T]) -> T:
    """Return the carrier's answer. Whatever goes wrong is a CarrierError.

    An ending that failed otherwise would leave the caller in silence.
    """
    try:
        return await asked
    except CarrierError:
        raise
    except Exception as trouble:
        raise CarrierError(f"the carrier could not be asked: {type(trouble).__name__}") from trouble
