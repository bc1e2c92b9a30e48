"""This process's hold on one call: feed, decide, write, act.

    stream, talk (ear, mouth, agent), tools, carrier, others' records
        │ inputs
        v
    inbox ──> scribe: decide (pure) ──> facts + effects ──> write ──> fold ──> effects
                                                              │
                                                              └─ fenced: the session ends, silently

Rules kept here:

1. One task takes one input after the other; nothing else changes the state.
2. Effects follow the write. What is to be said and which turn is owed an answer are read off the
   folded state after every step, so a resumed call and an undisturbed one take the same path.
3. The end of a stream is an input. The session outlives it for `LINGER_MS`, with its ear, its agent,
   its tools and what it is asking of the carrier.
4. A newer stream takes the session over; the older socket is closed and its end ends nothing.
5. While the caller has the floor nothing is sent. What was playing goes on when it was no interruption.
"""

import asyncio

from msgspec.structs import replace

from service.agent.agent import Agent
from service.agent.duplex import SpeechAgent
from service.call import inputs as i
from service.call.decisions.decide import deadline_ms
from service.call.decisions.moving import is_pausing
from service.call.state import Call
from service.errors import StoreError
from service.session.acting import Acting
from service.session.arrival import REFUSED, Arrival
from service.session.conversation.talk import Talk
from service.session.duplex.duplex import Duplex
from service.session.inbox import Finish, Inbox, Letter, Lost, News, Taken
from service.session.kept.ledger import Ledger
from service.session.line import CLOSE_OVER, CLOSE_REPLACED, Line
from service.session.means import Means
from service.session.mooring import Mooring
from service.session.remembrance import Remembrance
from service.session.scribe import Scribe
from service.session.telling import tell_attached, tell_detached, tell_fenced, tell_store_failed
from service.session.watch import Watch
from service.session.working import Working

SETTLE_MAX = 50  # things that follow from one input; more means a decision that never settles
LINGER_MS = 60_000  # the longest redial window of a carrier; later resumes read the journal
LINGER_AGAIN_MS = 1_000  # how often a session that should go looks whether its work is done
OVER_MS = 5_000  # after the call's end the carrier closes the stream itself within this
SHUTDOWN = "shutdown"  # why a stream is lost when this process goes down


class Session:
    """One call, as long as this process holds it."""

    def __init__(self, call_sid: str, means: Means) -> None:
        self.call_sid, self._means = call_sid, means
        self._ledger = Ledger(call_sid, means.journal, means.owner, next(means.holds))
        self.inbox = Inbox(call_sid)
        self._line = Line(call_sid, means)
        self._talk = self._talk_with(means.agent)
        self._acting = Acting(call_sid, means, self.post)
        self._working = Working(call_sid, means, self.inbox, self._ledger)
        self._scribe = Scribe(means, self._ledger, self._act, self._let_go)
        self._mooring = Mooring(
            means, self._ledger, self._line, self._talk, self._scribe, self.post
        )
        self.heard_audio = self._mooring.hear  # of every frame: no call of its own
        self.person = self._mooring.person
        self._remembrance = Remembrance(call_sid, means, self.post)
        self._watch = Watch(means, self._ledger, self.post)
        self._is_over = self._is_seen_off = self._is_leaving = False
        self._close_code = CLOSE_OVER

    def _talk_with(self, agent: Agent | SpeechAgent) -> Talk | Duplex:
        sid, means, line = self.call_sid, self._means, self._line
        if isinstance(agent, SpeechAgent):
            return Duplex(sid, means, agent, line, line.voice, self.post, lambda: self._ledger.call)
        return Talk(sid, means, agent, line, self.post, lambda: self._ledger.call)

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

    def post(self, letter: Letter) -> None:
        """Put an input in the row."""
        self.inbox.post(letter)

    # What the socket calls. An older stream's audio, keys, echoes and end mean nothing here.

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
        self.post(Lost(epoch, reason))

    @property
    def may_part(self) -> bool:
        """Whether it is a good moment for `leave`: a gap now would cut nobody short."""
        return not self._line.is_live or (is_pausing(self.call) and not self._line.is_busy)

    def leave(self, *, is_alone: bool) -> None:
        """Have the call moved to another server, and end as soon as its stream has gone.

        `is_alone`: there is no other server, so the carrier is to wait until this one is back.
        """
        self.post(i.Move(is_alone))

    def finish(self) -> None:
        """Write where the call stands and let go of it; another process will take it up."""
        self.post(Finish())

    async def run(self) -> None:
        """Hold the call until it ends, is lost, or lingers too long."""
        beside = [asyncio.create_task(work) for work in (self._talk.run(), self._watch.run())]
        try:
            while not self._is_over:
                await self._take(await self._next())
                if not self._line.is_live and self._has_lingered():
                    self._is_over = True
        except StoreError as trouble:
            tell_store_failed(self.call_sid, self._means.meter, trouble)
        finally:
            await self._leave(beside)

    async def _leave(self, beside: list[asyncio.Task[None]]) -> None:
        self._is_over = True
        self._mooring.close()
        await self._talk.close()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        grace_ms = OVER_MS if self.call.phase == "ended" else 0
        await self._line.unplug("over", self._close_code, grace_ms=grace_ms)
        await self._working.leave()
        await self._watch.leave()

    async def _next(self) -> Letter:
        due_ms = self._due_ms()
        wait_ms = None if due_ms is None else max(0, due_ms - self._means.clock.now_ms())
        return await self.inbox.take(wait_ms)

    async def _take(self, letter: Letter) -> None:
        match letter:
            case Arrival():
                await self._arrive(letter)
            case Lost():
                await self._detach(letter)
            case News():
                await self._catch_up()
            case Taken():
                if letter.epoch == self.epoch:
                    self._let_go()
            case i.Move():
                self._is_leaving = True
                await self._working.hold()
                await self._step(letter)
            case Finish():
                await self._detach(Lost(self.epoch, SHUTDOWN))
                self._is_over = True
            case _:
                await self._hear_of(letter)

    async def _hear_of(self, happened: i.Input) -> None:
        if isinstance(happened, i.Utterance):
            self._talk.taken()
        if isinstance(happened, i.Utterance | i.BargedIn):
            happened = replace(happened, played=self._line.played())
        happened = self._acting.vault.sealed(self.call, happened)
        await (self._settle() if isinstance(happened, i.Settle) else self._step(happened))

    def _due_ms(self) -> int | None:
        is_asking = self._acting.is_asking_carrier(self.call)
        due_ms = deadline_ms(self.call, self._means.policy, is_asking_carrier=is_asking)
        if self._line.is_live:
            return due_ms
        over_ms = self._linger_over_ms
        if self._is_busy:
            over_ms = max(over_ms, self._means.clock.now_ms() + LINGER_AGAIN_MS)
        return over_ms if due_ms is None else min(due_ms, over_ms)

    @property
    def _is_busy(self) -> bool:
        """Whether something is under way that should be waited for.

        A call that is moved does not wait for its tools: what they answer goes to the journal.
        """
        waits_for_tools = self.epoch > 0 and not self._is_leaving
        return self._acting.is_busy or bool(self.call.pending() and waits_for_tools)

    @property
    def _linger_over_ms(self) -> int:
        return self._line.detached_ms + (0 if self._is_leaving else LINGER_MS)

    def _has_lingered(self) -> bool:
        return self._means.clock.now_ms() >= self._linger_over_ms and not self._is_busy

    async def _catch_up(self) -> None:
        """Others wrote: an owner that is newer than we are, or somebody who asks for something."""
        before = self.call
        if await self._watch.catch_up() is False:
            self._let_go()
        elif self.call is not before:
            await self._settle()

    def _let_go(self) -> None:
        """The call is no longer ours: end here, silently, and free the socket."""
        tell_fenced(self.call_sid, self._means.meter)
        self._close_code = CLOSE_REPLACED
        self._is_over = True

    async def _step(self, happened: i.Input) -> None:
        position = self.call.position
        await self._scribe.take(happened)
        if self.call.position > position and not self._is_over:  # We or others wrote.
            await self._settle()

    def _act(self, effect: i.Effect) -> None:
        if isinstance(effect, i.Operate):
            self._working.act(effect)
        else:
            self._acting.act(effect, self.call)

    async def _settle(self) -> None:
        """Do what follows from the state, then bring mouth and agent in line with it."""
        for _ in range(SETTLE_MAX):
            played = self._line.played() if self.call.taken_over is not None else ()
            if not await self._scribe.take(i.Settle(played)):
                break
        if self._is_over:
            return
        if self._line.is_live and self.call.is_broken():
            await self._detach(Lost(self.epoch, "error"))
            return
        self._acting.vault.follow(self.call)
        self._talk.follow(self.call)
        self.person.follow(self.call)
        self._remembrance.follow(self.call)
        await self._ledger.keep_snapshot()
        if self.call.phase == "ended":
            await self._see_off()

    async def _see_off(self) -> None:
        """The call is over: free the line, and stay only for tools that are still at work."""
        if not self._is_seen_off:
            self._is_seen_off = True
            self._means.forks.dismiss(self.call_sid)
            self._means.sight.ended(self.call)
        if self._line.is_live:
            await self._line.unplug("over", CLOSE_OVER, grace_ms=OVER_MS)
        self._is_over = not self._is_busy

    async def _arrive(self, arrival: Arrival) -> None:
        """Give a stream the call. Whoever brought it is told, whatever happens."""
        try:
            running = (*self._acting.running, *self._working.running)
            gap_ms = await self._mooring.take_over(arrival, running)
            self._is_over = gap_ms is None
            if gap_ms is not None:
                self._close_code = CLOSE_OVER  # Ours again, whoever had it meanwhile.
                self._watch.begin()
                await self._settle()
                means, took_us = self._means, self._means.clock.now_us() - arrival.started_us
                tell_attached(self.call, means.meter, means.owner, gap_ms=gap_ms, took_us=took_us)
        finally:
            arrival.answer(REFUSED)

    async def _detach(self, lost: Lost) -> None:
        """Note that the stream is gone; one that was replaced meanwhile is of no interest."""
        if lost.epoch != self.epoch or not self._line.is_live:
            return
        await self._mooring.let_go(lost.reason)
        await self._settle()
        tell_detached(self.call_sid, self.stream_sid, lost.reason)
