"""The agent at work: one turn at a time, within its time, and only sound answers.

The agent is the user's code. Whatever it does, the caller hears something and the call goes on: an
agent that raises, never answers, or yields what is no act is answered for with an apology. Its acts
are checked before they are written, because what stands in the journal is read again at each resume.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import get_args

import msgspec

from service.call import acts as a, inputs as i
from service.call.state import Call, Turn
from service.session.means import Means

THINK_MS_MAX = 20_000  # a caller who waits longer has hung up
ACTS_MAX = 64  # per turn; a form's whole answer is under ten
ACT_LETTERS_MAX = 10_000  # ten minutes of speech; a record of the journal holds far more
APOLOGY = "I'm sorry, something went wrong on my side. Could you say that again, please?"

_KINDS: tuple[type, ...] = get_args(a.Act)

_log = logging.getLogger(__name__)


class Thinking:
    """The agent's thought about one call; a newer turn gives up the thought about an older one."""

    def __init__(self, call_sid: str, means: Means, post: Callable[[i.Answered], None]) -> None:
        self._call_sid = call_sid
        self._means = means
        self._post = post
        self._thought: asyncio.Task[None] | None = None
        self._turn = 0

    def think(self, call: Call) -> None:
        """Have the agent answer the open turn, unless it is at it already."""
        turn = call.turn
        if turn is None or turn.number == self._turn:
            return
        self.stop()
        self._turn = turn.number
        self._thought = self._means.tasks.start(self._think(call, turn))

    def stop(self) -> None:
        """Give up the present thought; nobody will ask for it any more."""
        if self._thought is not None:
            self._thought.cancel()

    async def _think(self, call: Call, turn: Turn) -> None:
        try:
            acts = await self._acts(call, turn)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            acts = self._apologise()  # Something inside the agent was cancelled, not the agent.
        except Exception:  # noqa: BLE001 - the agent is the user's code: whatever it raises, the call goes on
            acts = self._apologise()
        self._post(i.Answered(turn.number, acts))

    async def _acts(self, call: Call, turn: Turn) -> tuple[a.Act, ...]:
        acts: list[a.Act] = []
        async with asyncio.timeout(THINK_MS_MAX / 1000):
            async for act in self._means.agent.reply(call, turn):
                acts.append(self._checked(act))
                if len(acts) == ACTS_MAX:
                    break
        return tuple(acts)

    def _apologise(self) -> tuple[a.Act, ...]:
        _log.exception(
            "! the agent failed", extra={"action": "agent_failed", "call_sid": self._call_sid}
        )
        return (a.Say(APOLOGY),)

    def _checked(self, act: a.Act) -> a.Act:
        """Return the act. Raises TypeError or ValueError when it is none, or can't be done."""
        if type(act) not in _KINDS:
            raise TypeError(f"the agent yielded {type(act).__name__}, which is no act")
        fields = msgspec.structs.asdict(act)
        msgspec.convert(fields, type(act), strict=True)
        if sum(len(text) for text in fields.values()) > ACT_LETTERS_MAX:
            raise ValueError(f"an act of the agent has over {ACT_LETTERS_MAX} letters")
        for text in fields.values():
            text.encode()  # Half a character can't be written.
        if isinstance(act, a.Transfer):
            self._means.documents.transfer(act.to_number)
        return act
