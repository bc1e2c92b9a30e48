"""A link that notes what it is told to order, and a model's session that notes what it is asked."""

from collections.abc import Awaitable, Callable

from typing_extensions import override

from service.agent.duplex import Past, SpeechSession
from service.session.duplex.link import Link


class Notes:
    """What a session was asked, in words."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def send_audio(self, ulaw: bytes) -> None:
        self.asked.append(f"audio {len(ulaw)}")

    async def note(self, entry: Past) -> None:
        self.asked.append(f"note {getattr(entry, 'heard', entry)}")

    async def respond(self, hint: str = "") -> None:
        self.asked.append(f"respond {hint}".strip())

    async def heard(self, item: str, ms: int) -> None:
        self.asked.append(f"heard {item} {ms}")

    async def truncate(self, item: str, heard_ms: int) -> None:
        self.asked.append(f"truncate {item} {heard_ms}")

    async def tool_result(self, call_id: str, result: str) -> None:
        self.asked.append(f"result {call_id} {result}")


class NotingLink(Link):
    """Does every order at once; whether the model owes an answer is kept."""

    def __init__(self) -> None:
        self.notes = Notes()
        self.is_expected = False

    @property
    @override
    def is_expecting(self) -> bool:
        return self.is_expected

    @property
    @override
    def is_open(self) -> bool:
        return True

    @override
    def order(self, order: Callable[[SpeechSession], Awaitable[None]]) -> None:
        try:
            order(self.notes).__await__().send(None)  # type: ignore[arg-type] # it waits for nothing
        except StopIteration:
            return

    @override
    def expect(self) -> None:
        self.is_expected = True

    @override
    def answered(self) -> None:
        self.is_expected = False

    def asked(self) -> list[str]:
        """Return what was asked since the last time."""
        asked, self.notes.asked = self.notes.asked, []
        return asked
