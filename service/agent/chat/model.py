"""What a model is to us: asked once, it answers in pieces as they come, and may fail in the middle."""

from typing import Any, Protocol

import msgspec

from service.agent.chat.history import Message
from service.errors import BrainError


class Words(msgspec.Struct, frozen=True):
    """Some letters of the answer. Empty ones tell that the model is at work."""

    text: str


class Wish(msgspec.Struct, frozen=True):
    """A whole call of a function: its arguments are the model's own JSON, sound or not."""

    name: str
    arguments: str


class Finished(msgspec.Struct, frozen=True):
    """The answer is complete; `reason` is the model's word for it."""

    reason: str


Piece = Words | Wish | Finished


class Unanswered(BrainError):
    """The model gave no answer, or broke off. The message holds nobody's words and no key.

    `may_retry` says that asking again could help, not before `retry_after_ms`.
    """

    def __init__(self, message: str, *, may_retry: bool, retry_after_ms: int = 0) -> None:
        super().__init__(message)
        self.may_retry = may_retry
        self.retry_after_ms = retry_after_ms


class Reading(Protocol):
    """One answer as it comes."""

    async def next(self, until_s: float) -> Piece | None:
        """Return the next piece, or None when there is none by then, on the clock of the loop.

        Raises Unanswered when there will be none. After Finished nothing comes.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection. One that isn't read to its end is cut at once."""
        ...


class Model(Protocol):
    """A language model behind a network."""

    def ask(self, messages: list[Message], functions: list[dict[str, Any]]) -> Reading:
        """Begin to ask; nothing is waited for."""
        ...

    async def close(self) -> None:
        """End every connection."""
        ...
