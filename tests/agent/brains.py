"""Agents of other people, for tests: good ones and bad ones."""

from collections.abc import AsyncIterator

from service.call.acts import Act, Say
from service.call.state import Call, Turn


class Echo:
    """Says what it hears."""

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        """Answer a turn."""
        yield Say(f"{call.call_sid}: {turn.text}")


class Demanding:
    """Can't be made without an argument."""

    def __init__(self, must: str) -> None:
        self.must = must


class Failing:
    """Raises while it is made."""

    def __init__(self) -> None:
        raise OSError("no key")


class Mute:
    """Has no reply."""
