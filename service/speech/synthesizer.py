"""Text to speech: the promise every synthesiser keeps, and where to get one.

A synthesiser is given one clause and answers with telephone audio that can be played at once: trimmed,
loud enough, never clipped. It is heavy and blocking, so it is called in the pool, never on the loop.
"""

from functools import cache
from typing import Protocol

from service.errors import ConfigError
from service.speech.engines.hibari import Hibari

DEFAULT = "hibari"
NAMES = (DEFAULT,)


class Synthesizer(Protocol):
    """Something that speaks. Safe to call from several threads at once."""

    @property
    def name(self) -> str:
        """The engine's name, as in the settings."""
        ...

    @property
    def voice(self) -> str:
        """The voice's name, unique within the engine."""
        ...

    @property
    def seed(self) -> int:
        """What fixes the engine's chance: the same text with the same seed is the same audio."""
        ...

    def render(self, text: str) -> bytes:
        """Return the text spoken, as mu-law at 8 kHz.

        The text is spoken as `spoken.speakable` would have it. Raises SynthesisFailed when it is empty,
        too long, or nothing in it can be spoken.
        """
        ...


@cache
def synthesizer(name: str = DEFAULT) -> Synthesizer:
    """Return the synthesiser of this name, loaded (under a second) and shared by all calls.

    Raises ConfigError for a name that is no synthesiser's, EngineMissing when its package is not here.
    """
    if name not in NAMES:
        raise ConfigError(f"There is no synthesiser named {name!r}; there is: {', '.join(NAMES)}.")
    return Hibari()
