"""The agent of a crowd: a greeting, a story if one is wanted, and an answer to every code.

Its words are few and the same in every call, so that they come from the cache. FLEET_STORY is how many
sentences the story has, each of four seconds; with FLEET_REMARK each code is also remarked on, in two
clauses of a second and a half, so that most drops meet it speaking. Where TOOLS are set, it books the codes that end in a
seven: a tool that isn't idempotent, for those who drop calls while it works.
"""

import os
from collections.abc import AsyncIterator, Iterator

from service.call.acts import Act, Say, UseTool
from service.call.state import Call, Turn

GREETING = "Welcome to the fleet."
NOTED = "Noted"  # and then the code
BOOKED = "Booked"  # and then the code
UNSURE = "Unsure"  # and then the code: whether it was booked, nobody knows
SENTENCE = "This is a sentence of a story that goes on and on, and it is number {}."
REMARK = "It is kept under {0} now. Ask for {0} at any time."
TOOL = "book"
BOOKED_END = "7"  # codes that end so are booked


class Talker:
    """Greets, tells, notes codes and books some."""

    def __init__(self) -> None:
        self._story = " ".join(
            SENTENCE.format(number) for number in range(int(os.environ.get("FLEET_STORY", "0")))
        )
        self._has_remark = bool(os.environ.get("FLEET_REMARK"))
        self._has_tool = bool(os.environ.get("TOOLS"))

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        """See service.agent.agent.Agent."""
        match turn.reason:
            case "opening":
                yield Say(GREETING)
                if self._story:
                    yield Say(self._story)
            case "keys":
                for act in self._noted(turn.text):
                    yield act
            case "operation":
                for one in call.operations:
                    if one.operation in turn.operations:
                        word = BOOKED if one.status == "succeeded" else UNSURE
                        yield Say(f"{word} {one.arguments.get('code', '')}.")
            case _:
                return

    def _noted(self, code: str) -> Iterator[Act]:
        yield Say(f"{NOTED} {code}.")
        if self._has_remark:
            yield Say(REMARK.format(code))
        if self._has_tool and code.endswith(BOOKED_END):
            yield UseTool(TOOL, {"code": code})
