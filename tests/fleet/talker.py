"""The agent of the crowd: a greeting, a story if one is wanted, and an answer to every code.

Its words are few and the same in every call, so that they come from the cache. FLEET_STORY is how many
sentences the story has, each of four seconds.
"""

import os
from collections.abc import AsyncIterator

from service.call.acts import Act, Say
from service.call.state import Call, Turn

GREETING = "Welcome to the fleet."
NOTED = "Noted"  # and then the code
SENTENCE = "This is a sentence of a story that goes on and on, and it is number {}."


class Talker:
    """Greets, tells, and notes codes."""

    def __init__(self) -> None:
        self._story = " ".join(
            SENTENCE.format(number) for number in range(int(os.environ.get("FLEET_STORY", "0")))
        )

    async def reply(self, _call: Call, turn: Turn) -> AsyncIterator[Act]:
        """See service.agent.agent.Agent."""
        match turn.reason:
            case "opening":
                yield Say(GREETING)
                if self._story:
                    yield Say(self._story)
            case "keys":
                yield Say(f"{NOTED} {turn.text}.")
            case _:
                return
