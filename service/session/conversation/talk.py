"""The talk on one call: who has the floor, what we say, and what the agent thinks of it.

    caller's audio ──> Ear ──> inputs ──> (decided, written, folded) ──> follow(call) ──┬─> Line: say, hold, go on
                        └── the first sound: hold at once ───────────────────────────────┤
                                                                     Thinking <──────────┘

`follow` is level-triggered: it brings mouth and agent in line with the state, whatever led to it, so a
resumed call and an undisturbed one take the same path.
"""

from collections.abc import Callable

from service.agent.agent import Agent
from service.call.inputs import Input, Utterance
from service.call.state import Call
from service.session.conversation.ear import Ear
from service.session.conversation.thinking import Thinking
from service.session.line import Line
from service.session.means import Means


class Talk:
    """The talk with an agent of words: it hears by a recogniser, and speaks by a voice of ours."""

    def __init__(
        self,
        call_sid: str,
        means: Means,
        agent: Agent,
        line: Line,
        post: Callable[[Input], None],
        call: Callable[[], Call],
    ) -> None:
        self._line = line
        self._post = post
        self._untaken = 0
        self._ear = Ear(
            call_sid,
            means.speech,
            means.endpointer,
            self._overheard,
            call=call,
            on_onset=line.hold,
            on_false_alarm=line.release,
        )
        self.hear = self._ear.hear  # of every frame: no call of its own
        self._thinking = Thinking(call_sid, means, agent, post)

    def _overheard(self, happened: Input) -> None:
        """Pass on what the ear made out. Until its words are taken the caller keeps the floor."""
        self._untaken += isinstance(happened, Utterance)
        self._post(happened)

    def taken(self) -> None:
        """The words of one utterance are being decided on."""
        self._untaken -= 1

    async def run(self) -> None:
        """Listen until cancelled."""
        await self._ear.run()

    def attach(self) -> None:
        """A new stream begins."""
        self._ear.attach()

    def go_on(self) -> None:
        """A new stream begins, and nothing of the caller was missed."""
        self._ear.go_on()

    def detach(self) -> None:
        """The stream is gone; what was half said is kept."""
        self._ear.detach()

    def follow(self, call: Call) -> None:
        """Say what the state holds, unless the caller has the floor, and have the open turn answered."""
        self._line.want(call.prompts)
        if self._ear.has_floor or self._untaken:
            self._line.hold()
        else:
            self._line.release()
        self._thinking.think(call)

    async def close(self) -> None:
        """Nobody needs the agent's thought any more."""
        self._thinking.stop()
