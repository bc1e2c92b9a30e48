"""The boundary of the brains that hear and speak by themselves: audio in, audio and events out.

    agent.open(call, resume, history) ──> session
        send_audio ──>                ──> CallerBegan · CallerSaid · AudioOut · WordsOut · ToolCalled …
        respond · note · tool_result · truncate · heard · close

A session is one connection to a model. It dies with its socket, or with its limit of time; the
conversation doesn't, because it stands in the `Call`. There are two ways back, and one boundary for both:

1. By history: a new session is told what was said and what of it was *heard*. Items of an older session
   mean nothing in it. History begins with a turn of the caller's, as some models demand.
2. By the model's own handle: an opaque `ResumeToken`, kept in the journal whenever a new one comes. A
   session that is opened with it knows the conversation already. A refused token is `ResumeRefused`, and
   the opener tries once more, with history.

Audio that the model may not have taken in is kept by whoever sends it, and sent again to the next
session. `Took` trims it: everything up to that sample is in the model's memory. Where a model counts
messages (a "last consumed index"), its session translates them into samples.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

from service.agent.functions import Functions
from service.call.state import Call
from service.errors import BrainError


class Entry(msgspec.Struct, frozen=True):
    """One thing of the past. `who` is "note" for what is told to the model, and was said by nobody.

    `said` is what was meant to be said, `heard` what of it reached the caller's ear, and `heard_ms` for
    how long; for all but our own words they are the same.
    """

    who: Literal["caller", "agent", "note"]
    said: str
    heard: str
    heard_ms: int = 0


class ToolUse(msgspec.Struct, frozen=True):
    """A tool that was called. `result` is JSON, or empty while it is still at work."""

    call_id: str
    name: str
    arguments: Mapping[str, Any]
    result: str = ""


Past = Entry | ToolUse


class CallerBegan(msgspec.Struct, frozen=True):
    """The model hears the caller speak; whatever it was saying itself is over."""


class CallerEnded(msgspec.Struct, frozen=True):
    """The caller has finished, after so much speech; the model is about to answer."""

    duration_ms: int = 0


class CallerSaid(msgspec.Struct, frozen=True):
    """The words of one utterance, as the model's side wrote them down; empty when it could not.

    They come some time after `CallerEnded`, maybe when the answer is well under way.
    """

    text: str


class Took(msgspec.Struct, frozen=True):
    """All audio up to this sample, counted from the session's first, is in the model's memory."""

    samples: int


class AudioOut(msgspec.Struct, frozen=True):
    """The next mu-law audio of an item; usually faster than it can be played."""

    item: str
    ulaw: bytes


class WordsOut(msgspec.Struct, frozen=True):
    """All words of an item that are known so far. After `is_last` neither words nor audio follow."""

    item: str
    text: str
    is_last: bool = False


class ToolCalled(msgspec.Struct, frozen=True):
    """The model calls a function. `arguments` is the JSON text that it wrote, unchecked."""

    call_id: str
    name: str
    arguments: str


class Finished(msgspec.Struct, frozen=True):
    """The model has answered, or given up: then `trouble` says why, in words for the log."""

    trouble: str = ""


class ResumeToken(msgspec.Struct, frozen=True):
    """A newer handle by which the model's memory can be taken up again. Opaque; keep the newest."""

    token: bytes


class GoAway(msgspec.Struct, frozen=True):
    """The session ends by itself in so many milliseconds: open the next one before."""

    left_ms: int


class Failed(msgspec.Struct, frozen=True):
    """The session is dead; nothing follows. `detail` is for the log and holds no personal data."""

    detail: str


SpeechEvent = (
    CallerBegan | CallerEnded | CallerSaid | Took | AudioOut | WordsOut | ToolCalled | Finished
    | ResumeToken | GoAway | Failed
)  # fmt: skip


class ResumeRefused(BrainError):
    """The model does not know this handle any more. Open again, with history."""


class SpeechSession(Protocol):
    """One connection to a model. All methods but `events` raise BrainError when it is dead."""

    def events(self) -> AsyncIterator[SpeechEvent]:
        """Yield what happens, in order. The last one is `Failed`, unless `close` was called."""
        ...

    async def send_audio(self, ulaw: bytes) -> None:
        """Let the model hear the caller's next audio."""
        ...

    async def note(self, entry: Past) -> None:
        """Add to the model's memory without asking for an answer: a person's line, a key, a note."""
        ...

    async def respond(self, hint: str = "") -> None:
        """Ask for an answer now. `hint` holds for this answer alone."""
        ...

    async def heard(self, item: str, ms: int) -> None:
        """Tell how much of an item was played, for models that want to know."""
        ...

    async def truncate(self, item: str, heard_ms: int) -> None:
        """Cut an item of this session, in the model's memory, to what was heard, and stop it."""
        ...

    async def tool_result(self, call_id: str, result: str) -> None:
        """Give the result of a function that was called: JSON text. It asks for no answer."""
        ...

    async def close(self) -> None:
        """End the session. Never raises."""
        ...


@runtime_checkable
class SpeechAgent(Protocol):
    """A brain that hears and speaks."""

    @property
    def functions(self) -> Functions:
        """What the model may call, and the acts that its calls become."""
        ...

    async def open(
        self, call: Call, resume: bytes | None, history: tuple[Past, ...]
    ) -> SpeechSession:
        """Return a session that knows `history`, or what `resume` stands for.

        Raises ResumeRefused for a token that can't be used, and BrainError when there is no session.
        """
        ...
