"""What a session does after it wrote: think with the agent, and ask the carrier.

Everything here runs beside the session's one task and reports back as an input, so that an agent or
a carrier that takes seconds delays nothing, and outlives the stream.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine

from service.call import acts as a, inputs as i
from service.call.state import Call, Turn
from service.documents import REST_TWIML_CHARACTERS_MAX
from service.errors import CallGone, CarrierError
from service.session.means import Means

THINK_MS_MAX = 20_000  # a caller who waits longer has hung up
ACTS_MAX = 64  # per turn; a form's whole answer is under ten
APOLOGY = "I'm sorry, something went wrong on my side. Could you say that again, please?"

_log = logging.getLogger(__name__)


class Acting:
    """The running work of one call."""

    def __init__(self, call_sid: str, means: Means, post: Callable[[i.Input], None]) -> None:
        self._call_sid = call_sid
        self._means = means
        self._post = post
        self._thinking: asyncio.Task[None] | None = None
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._requests: set[str] = set()
        self.is_asking_carrier = False

    @property
    def running(self) -> tuple[str, ...]:
        """The requests whose REST call is under way."""
        return tuple(self._requests)

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way that should be waited for."""
        return bool(self._tasks)

    def think(self, call: Call) -> None:
        """Have the agent answer the open turn; a newer turn cancels the thought of an older one."""
        turn = call.turn
        if turn is None or turn.number == self._turn:
            return
        if self._thinking is not None:
            self._thinking.cancel()
        self._turn = turn.number
        self._thinking = self._means.tasks.start(self._think(call, turn))

    async def _think(self, call: Call, turn: Turn) -> None:
        acts: list[a.Act] = []
        try:
            async with asyncio.timeout(THINK_MS_MAX / 1000):
                async for act in self._means.agent.reply(call, turn):
                    acts.append(act)
                    if len(acts) == ACTS_MAX:
                        break
        except Exception:  # noqa: BLE001 - the agent is the user's code: whatever it raises, the call goes on
            _log.exception(
                "! the agent failed", extra={"action": "agent_failed", "call_sid": self._call_sid}
            )
            acts = [a.Say(APOLOGY)]
        self._post(i.Answered(turn.number, tuple(acts)))

    def act(self, effect: i.Effect, call: Call) -> None:
        """Begin what `effect` asks for."""
        match effect:
            case i.PlayDigits():
                self._requests.add(effect.request)
                self._start(self._play_digits(effect, call))
            case i.EndCall():
                self._start(self._end())
            case i.TransferCall():
                self._start(self._run_ending(self._means.documents.transfer(effect.to_number)))
            case i.LastResort():
                self._start(self._run_ending(self._means.documents.last_resort()))
            case i.AskCarrier():
                self.is_asking_carrier = True
                self._start(self._ask_carrier())

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._means.tasks.start(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _play_digits(self, effect: i.PlayDigits, call: Call) -> None:
        """Restart the stream with DTMF in between: inline when it fits, else by our own address."""
        documents, carrier = self._means.documents, self._means.carrier
        try:
            twiml = documents.play_digits(
                self._call_sid, call.parameters, effect.digits, now_ms=self._means.clock.now_ms()
            )
            if len(twiml) <= REST_TWIML_CHARACTERS_MAX:
                await carrier.run_twiml(self._call_sid, twiml)
            else:
                await carrier.redirect(self._call_sid, documents.resume_url(effect.request))
            done = i.DigitsDone(effect.request, "sent")
        except CallGone as trouble:
            done = i.DigitsDone(effect.request, "call_gone", str(trouble))
        except (CarrierError, ValueError) as trouble:
            done = i.DigitsDone(effect.request, "failed", str(trouble))
        self._requests.discard(effect.request)
        self._tell("digits", done.outcome)
        self._post(done)

    async def _end(self) -> None:
        """Hang up by REST first, so that the carrier sees no stream error."""
        try:
            await self._means.carrier.hang_up(self._call_sid)
            self._post(i.EndingDone(is_gone=False, detail="hung_up"))
        except CarrierError as trouble:
            self._tell("hang_up", str(trouble))
            # Closing the stream makes the carrier ask for TwiML, and that answer hangs up.
            self._post(i.EndingDone(is_gone=False, detail="stream_closed"))

    async def _run_ending(self, twiml: str) -> None:
        try:
            await self._means.carrier.run_twiml(self._call_sid, twiml)
            self._post(i.EndingDone(is_gone=False))
        except CallGone as trouble:
            self._post(i.EndingDone(is_gone=True, detail=str(trouble)))
        except CarrierError as trouble:
            self._tell("ending", str(trouble))
            self._post(i.EndingDone(is_gone=False, detail="stream_closed"))

    async def _ask_carrier(self) -> None:
        """The carrier has not come back: see whether the call lives, and if so have it come."""
        try:
            if await self._means.carrier.is_live(self._call_sid):
                await self._means.carrier.redirect(
                    self._call_sid, self._means.documents.resume_url()
                )
                says = i.CarrierSays(is_over=False, outcome="redirected")
            else:
                says = i.CarrierSays(is_over=True, outcome="gone_at_carrier")
        except CallGone:
            says = i.CarrierSays(is_over=True, outcome="gone_at_carrier")
        except CarrierError as trouble:
            says = i.CarrierSays(is_over=False, outcome=str(trouble)[:200])
        self._tell("pull_back", says.outcome)
        self._post(says)
        self.is_asking_carrier = False

    def _tell(self, what: str, outcome: str) -> None:
        _log.info(
            "> carrier, %s: %s",
            what,
            outcome,
            extra={"action": "carrier_asked", "call_sid": self._call_sid},
        )
