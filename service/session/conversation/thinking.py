"""The agent at work: one turn at a time, within its time, and only sound answers.

    reply(call, turn) ──> Say, Ask ──────────> written and spoken at once: a checkpoint
                     └──> all other acts ────> held until the turn's end, then written together

The agent is the user's code. Whatever it does, the caller hears something and the call goes on: an
agent that raises, falls silent, or yields what is no act is answered for with an apology, and one that
does so again and again with a person. Its acts are checked before they are written, because what stands
in the journal is read again at each resume.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import get_args

import msgspec

from service.agent.agent import Agent
from service.agent.chat.question import ANY
from service.call import acts as a, inputs as i
from service.call.state import Call, Turn
from service.errors import BrainError
from service.session.means import Means

THINK_MS_MAX = 20_000  # without a further act; a caller who waits longer has hung up
ACTS_MAX = 64  # per turn; a form's whole answer is under ten
ACT_LETTERS_MAX = 10_000  # ten minutes of speech; a record of the journal holds far more
FAILURES_MAX = 2  # turns running that are apologised for; nobody says it all a fourth time
APOLOGY = "I'm sorry, something went wrong on my side. Could you say that again, please?"
GREETING = "Hello. I'm sorry, something went wrong on my side. What can I do for you?"
GONE_LINE = "I'm sorry, I can't go on right now. I will connect you with a colleague."

_KINDS: tuple[type, ...] = get_args(a.Act)

_log = logging.getLogger(__name__)


class Thinking:
    """The agent's thought about one call; a newer turn gives up the thought about an older one."""

    def __init__(
        self, call_sid: str, means: Means, agent: Agent, post: Callable[[i.Answered], None]
    ) -> None:
        self._call_sid = call_sid
        self._means = means
        self._agent = agent
        self._post = post
        self._thought: asyncio.Task[None] | None = None
        self._turn = 0
        self._failures = 0

    def think(self, call: Call) -> None:
        """Have the agent answer the open turn, unless it is at it; a turn that is gone is given up.

        While a person has its place it thinks of nothing, and is asked anew when they hand back.
        """
        turn = call.turn if call.taken_over is None else None
        if turn is not None and turn.number == self._turn:
            return
        self.stop()
        self._turn = 0 if turn is None else turn.number
        if turn is not None:
            self._thought = self._means.tasks.start(self._think(call, turn))

    def stop(self) -> None:
        """Give up the present thought; nobody will ask for it any more."""
        if self._thought is not None:
            self._thought.cancel()
            self._thought = None

    async def _think(self, call: Call, turn: Turn) -> None:
        thought = _Thought(turn, self._post)
        try:
            await self._follow(call, turn, thought)
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                thought.give_up()
                raise
            # Something inside the agent was cancelled, not the agent.
            self._apologise(call, thought, cancelled)
        except Exception as trouble:  # noqa: BLE001 - the agent is the user's code: whatever it raises, the call goes on
            self._apologise(call, thought, trouble)
        else:
            self._failures = 0
        thought.end()

    async def _follow(self, call: Call, turn: Turn, thought: "_Thought") -> None:
        loop = asyncio.get_running_loop()
        acts = 0
        async with asyncio.timeout(THINK_MS_MAX / 1000) as patience:
            replying = self._agent.reply(call, turn)
            try:
                async for act in replying:
                    thought.add(self._checked(act))
                    patience.reschedule(loop.time() + THINK_MS_MAX / 1000)
                    acts += 1
                    if acts == ACTS_MAX:
                        break
            finally:
                if isinstance(replying, AsyncGenerator):
                    await replying.aclose()  # An agent may hold a connection; it ends now.

    def _apologise(self, call: Call, thought: "_Thought", trouble: BaseException) -> None:
        is_told = isinstance(trouble, BrainError)  # Its words say it all: no trace.
        _log.error(
            "! the agent failed: %s",
            trouble,
            exc_info=None if is_told else trouble,
            extra={"action": "agent_failed", "call_sid": self._call_sid},
        )
        self._failures += 1
        thought.give_up()
        if self._failures > FAILURES_MAX:
            thought.add(a.Say(GONE_LINE))
            thought.add(a.Transfer(is_last_resort=True))
        elif call.is_greeted or thought.has_told:
            thought.add(a.Say(APOLOGY))
        else:  # There is nothing yet that the caller could say again.
            thought.add(a.Ask(GREETING, ANY))

    def _checked(self, act: a.Act) -> a.Act:
        """Return the act. Raises TypeError or ValueError when it is none, or can't be done."""
        if type(act) not in _KINDS:
            raise TypeError(f"the agent yielded {type(act).__name__}, which is no act")
        fields = msgspec.structs.asdict(act)
        msgspec.convert(fields, type(act), strict=True)
        if len(msgspec.json.encode(fields)) > ACT_LETTERS_MAX:  # Half a character can't be written.
            raise ValueError(f"an act of the agent has over {ACT_LETTERS_MAX} letters")
        if isinstance(act, a.Transfer):
            self._means.documents.transfer(act.to_number)
        if isinstance(act, a.UseTool):
            self._means.toolbox.check(act.tool, act.arguments)
        return act


class _Thought:
    """What came of one turn so far. What was written of it before is not said again."""

    def __init__(self, turn: Turn, post: Callable[[i.Answered], None]) -> None:
        self._number = turn.number
        self._post = post
        self._said = deque(turn.said)
        self._acts: list[a.Act] = []
        self._telling: asyncio.Handle | None = None
        self.has_told = False

    def add(self, act: a.Act) -> None:
        """Take the next act. Words are told soon, with those that come in the same breath."""
        if isinstance(act, a.Say | a.Ask):
            if self._was_said(act.text):
                return
            if self._telling is None:
                self._telling = asyncio.get_running_loop().call_soon(self._tell_words)
        self._acts.append(act)

    def _was_said(self, text: str) -> bool:
        """Whether this is the next of what was generated before; the first difference ends the likeness."""
        if self._said and self._said[0] == " ".join(text.split()):
            self._said.popleft()
            return True
        self._said.clear()
        return False

    def _tell_words(self) -> None:
        self._telling = None
        self.has_told = True
        words = tuple(act for act in self._acts if isinstance(act, a.Say | a.Ask))
        self._acts = [act for act in self._acts if not isinstance(act, a.Say | a.Ask)]
        self._post(i.Answered(self._number, words, is_last=False))

    def give_up(self) -> None:
        """Forget what was not told: the turn failed, or nobody asks for it any more."""
        self._acts.clear()
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None

    def end(self) -> None:
        """The turn is answered: tell what is left, in the order it came."""
        acts = tuple(self._acts)
        self.give_up()
        self._post(i.Answered(self._number, acts))
