"""What the endpointer asks whether somebody speaks."""

from collections.abc import Callable
from typing import Protocol


class Voice(Protocol):
    """Whatever tells voice from silence; see `vad.VoiceActivity`."""

    def feed(self, ulaw: bytes) -> tuple[bool, ...]:
        """Take mu-law of any length; return the verdicts known by now, in order, one for each 20 ms."""
        ...

    def when_decided(self, tell: Callable[[], None] | None) -> None:
        """Have `tell` called whenever verdicts came late. A voice that is never late has no need of it."""
        del tell
