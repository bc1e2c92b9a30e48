"""Tools at work for one call: each attempt in a task of its own, reported back as an input.

A tool works on while no stream is attached, and after this process lost the call: whoever holds it
then reads the result in the journal.
"""

import asyncio
import logging

import msgspec

from service.call import inputs as i
from service.call.decisions.operation import told_afterwards
from service.errors import StoreError
from service.redaction import own_words
from service.session.inbox import Inbox
from service.session.kept.ledger import Ledger
from service.session.means import Means
from service.tools.terms import Outcome

FINAL_LOOK_MS = 50  # how often a dispatch that waits for the store looks whether that has it
NOT_BEGUN = "the store was away, so it was not begun"
ANSWER_GRACE_MS = (
    200  # an answer that comes at the last moment is still written before the deadline
)

HOLD_MS_MAX = 28_000  # a process that was told to end is gone by then

_log = logging.getLogger(__name__)


class Working:
    """The tools that this process has at work for a call."""

    def __init__(self, call_sid: str, means: Means, inbox: Inbox, ledger: Ledger) -> None:
        self._call_sid = call_sid
        self._means = means
        self._inbox = inbox
        self._ledger = ledger
        self._running: dict[str, asyncio.Task[None]] = {}
        self._answers: list[i.OperationDone] = []  # put in the row, and perhaps not written yet

    @property
    def running(self) -> tuple[str, ...]:
        """The operations that are under way here, or whose answer waits in the row."""
        asked = {
            (one.operation, one.attempts) for one in self._ledger.call.pending() if one.is_running
        }
        answered = [done for done in self._answers if (done.operation, done.attempt) in asked]
        return (*self._running, *(done.operation for done in answered))

    def act(self, effect: i.Operate) -> None:
        """Have the tool work."""
        before = self._means.tasks.find(effect.key)
        task = self._means.tasks.start(self._operate(effect, before), name=effect.key)
        self._running[effect.operation] = task
        task.add_done_callback(lambda done: self._forget(effect.operation, done))

    def _forget(self, operation: str, task: asyncio.Task[None]) -> None:
        if self._running.get(operation) is task:
            del self._running[operation]

    async def _operate(self, effect: i.Operate, before: asyncio.Task[None] | None) -> None:
        if before is not None and await self._was_answered(effect, before):
            return
        may_begin = await self._may_begin(effect)
        if may_begin is None:
            return
        never = Outcome("failed", detail=NOT_BEGUN)
        outcome = await self._outcome(effect) if may_begin else never
        _log.info(
            "> tool %s, attempt %d: %s",
            own_words(effect.tool),
            effect.attempt,
            own_words(outcome.status),
            extra={"action": "tool_answered", "call_sid": self._call_sid},
        )
        await self._report(
            i.OperationDone(
                effect.operation,
                effect.attempt,
                outcome.status,
                outcome.result,
                outcome.detail,
                may_retry=outcome.may_retry,
                retry_after_ms=outcome.retry_after_ms,
            )
        )

    async def _may_begin(self, effect: i.Operate) -> bool | None:
        """Wait until a dispatch stands in the store itself; False at its deadline, None when it never will.

        While it stands here alone, whoever takes the call without us knows nothing of it, and has the
        tool work, too. One that may be called again does no harm by that, and waits for nothing.
        """
        if effect.is_idempotent:
            return True
        epoch = self._ledger.epoch
        while not (is_final := self._means.is_final(self._call_sid, epoch)):
            if is_final is None:
                return None
            if self._means.clock.now_ms() >= effect.deadline_ms - ANSWER_GRACE_MS:
                return False
            await asyncio.sleep(FINAL_LOOK_MS / 1000)
        return True

    async def _was_answered(self, effect: i.Operate, before: asyncio.Task[None]) -> bool:
        """Wait for an attempt that an earlier hold on the call began here: two at once are never right.

        What it brought may stand in the journal by then; whoever follows that needs no other answer.
        """
        within_ms = max(0, effect.deadline_ms - self._means.clock.now_ms())
        await asyncio.wait({before}, timeout=within_ms / 1000)
        try:
            call = await self._ledger.peek()
        except StoreError:
            return False
        return effect.operation not in [one.operation for one in call.pending()]

    async def hold(self) -> None:
        """Have whoever takes the call next wait for what is at work here, while this process lasts.

        Otherwise it would have an idempotent tool work a second time, beside ours.
        """
        running = self.running
        due_ms = [
            one.deadline_ms for one in self._ledger.call.pending() if one.operation in running
        ]
        if not due_ms:
            return
        now_ms = self._means.clock.now_ms()
        self._ledger.hold_until_ms = min(max(due_ms), now_ms + HOLD_MS_MAX)
        try:
            await self._ledger.renew(now_ms)
        except StoreError:
            self._means.meter.store.errors.inc()

    async def leave(self) -> None:
        """The call is no longer held here: what tools had answered, and will, goes to the journal."""
        self._inbox.close()
        for done in self._answers:
            await self._report(done)

    async def _report(self, done: i.OperationDone) -> None:
        if not self._inbox.is_closed:
            pending = [one.operation for one in self._ledger.call.pending()]
            self._answers = [one for one in self._answers if one.operation in pending]
            self._answers.append(done)
            self._inbox.post(done)
            return
        facts = told_afterwards(self._ledger.call, done)
        if not facts:
            return
        key = f"{self._call_sid}:{done.operation}:{done.attempt}"
        try:
            await self._ledger.tell(facts, key, self._means.clock.now_ms())
        except StoreError as trouble:
            self._means.meter.store.errors.inc()
            _log.error(
                "! a tool's answer was lost: %s",
                trouble,
                extra={"action": "store_failed", "call_sid": self._call_sid},
            )

    async def _outcome(self, effect: i.Operate) -> Outcome:
        within_ms = effect.deadline_ms - self._means.clock.now_ms() - ANSWER_GRACE_MS
        try:
            async with asyncio.timeout(max(0, within_ms) / 1000):
                outcome = await self._means.toolbox.call(
                    effect.tool,
                    effect.arguments,
                    key=effect.key,
                    within_ms=within_ms,
                    call_sid=self._call_sid,
                )
            msgspec.json.decode(outcome.result or "null")
        except TimeoutError:
            return Outcome("unanswered", detail="no answer in time")
        except Exception as trouble:  # noqa: BLE001 - a tool is the user's code: the call goes on
            _log.error(
                "! a tool failed: %s",
                type(trouble),
                extra={"action": "tool_failed", "call_sid": self._call_sid},
            )
            return Outcome("unanswered", detail=type(trouble).__name__)
        return outcome
