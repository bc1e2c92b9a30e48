"""Speech for an installation without engines: it starts, says so, and leaves talking to the user's agent."""

from service.errors import EngineMissing
from service.speech.transcript import Transcript


class AbsentSpeech:
    """Stands where the engines would, and says at each use which one is missing."""

    def __init__(self, missing: EngineMissing) -> None:
        self._missing = missing

    async def render(self, text: str, *, call: str = "", within_ms: int = 0) -> bytes:
        """Raise EngineMissing."""
        del text, call, within_ms
        raise self._missing

    async def transcribe(
        self, ulaw: bytes, within_ms: int = 0, *, call: str = "", is_guess: bool = False
    ) -> Transcript:
        """Raise EngineMissing."""
        del ulaw, within_ms, call, is_guess
        raise self._missing

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""
