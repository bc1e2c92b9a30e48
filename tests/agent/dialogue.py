"""A caller, the intake agent, and tools that answer as the test says, over as many streams as it takes."""

from typing import Literal

from service.agent.intake.intake import Intake
from service.call import acts as a, inputs as i
from service.call.policy import Policy, ToolTerms
from service.call.state import Call, Operation, Turn
from tests.call.story import Story

Outcome = Literal["succeeded", "failed", "unanswered"]

TOOLS = frozenset({"ticket_lookup", "ticket_note", "callback_request"})
TERMS = {
    "ticket_lookup": ToolTerms(is_idempotent=True, attempts_max=1, timeout_ms=4_000),
    "ticket_note": ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=4_000),
    "callback_request": ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=4_000),
}


class Dialogue:
    """A conversation; every line of ours is heard to its end before the next thing happens."""

    def __init__(self, tools: frozenset[str] = frozenset(), /, **parameters: str) -> None:
        self.intake = Intake(tools)
        self.story = Story(Policy(tools={name: TERMS[name] for name in tools}))
        self.story.opened(**parameters)
        self.streams = 0

    @property
    def call(self) -> Call:
        return self.story.call

    @property
    def said(self) -> str:
        """Our last line."""
        return self.lines[-1]

    @property
    def lines(self) -> list[str]:
        """All that we said."""
        return [line.text for line in self.call.transcript if line.who == "agent"]

    @property
    def pending(self) -> Operation:
        """The tool that is at work."""
        return next(one for one in self.call.operations if one.status == "pending")

    def values(self) -> dict[str, str]:
        return {name: field.value for name, field in self.call.fields.items()}

    async def begin(self) -> None:
        """The first stream attaches, and the greeting is heard."""
        await self.come_back()

    async def come_back(self, *, gap_ms: int = 500, lost: str = "") -> None:
        """A stream attaches; what is to be said is heard."""
        self.streams += 1
        self.story.attach(f"MZ{self.streams}", gap_ms=gap_ms, lost=lost)
        await self.answer()

    async def say(self, *texts: str) -> None:
        """The caller says something and hears the answer, as often as there are texts."""
        for text in texts:
            self.story.happen(i.SpeechBegan())
            self.story.happen(i.Utterance(text, duration_ms=1_000))
            await self.answer()

    async def key(self, keys: str) -> None:
        """The caller presses keys and hears the answer."""
        for key in keys:
            self.story.happen(i.Key(key))
        await self.answer()

    async def be_silent(self) -> None:
        """Nobody answers the question for a while."""
        self.story.now_ms += 8_000
        self.story.happen(i.Woke())
        await self.answer()

    def half_say(self, text: str) -> None:
        """The line goes in the middle of what the caller says."""
        self.story.happen(i.SpeechBegan())
        self.story.happen(i.Utterance(text, duration_ms=1_000, is_partial=True))
        self.story.drop()

    async def tool_answers(
        self, result: str = "null", outcome: Outcome = "succeeded", detail: str = ""
    ) -> None:
        """The tool that is at work comes to an end."""
        self.story.happen(i.OperationDone(self.pending.operation, 1, outcome, result, detail))
        await self.answer()

    async def tool_is_late(self) -> None:
        """The deadline of the tool that is at work comes."""
        self.story.now_ms = self.pending.deadline_ms
        self.story.happen(i.Woke())
        await self.answer()

    async def answer(self) -> None:
        """We answer what there is to answer, and the caller hears it."""
        while (turn := self.call.turn) is not None:
            acts = await reply(self.call, turn, self.intake)
            self.story.happen(i.Answered(turn.number, tuple(acts)))
        self.story.hear_out()


async def reply(call: Call, turn: Turn, intake: Intake | None = None) -> list[a.Act]:
    """One answer; asked twice it is the same."""
    brain = intake or Intake()
    acts = [act async for act in brain.reply(call, turn)]
    assert acts == [act async for act in brain.reply(call, turn)]
    return acts
