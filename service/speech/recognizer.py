"""Speech to text: the promise every recogniser keeps, and where to get one.

A recogniser is given one utterance that an endpointer closed, and answers with what it heard. It never
raises for sound it can't make sense of: silence, noise and music are an empty text. It is heavy and
blocking, so it is called in the pool (`pool.SpeechPool`), never on the event loop.
"""

from functools import cache
from typing import Protocol

from service.errors import ConfigError
from service.speech.engines.moonshine import Moonshine
from service.speech.transcript import Transcript

DEFAULT = "moonshine"
NAMES = (DEFAULT,)


class Recognizer(Protocol):
    """Something that understands speech. Safe to call from several threads at once."""

    @property
    def name(self) -> str:
        """The engine's name, as in the settings."""
        ...

    def transcribe(self, ulaw: bytes) -> Transcript:
        """Return what is said in one utterance of mu-law audio; an empty text when nothing is."""
        ...


@cache
def recognizer(name: str = DEFAULT) -> Recognizer:
    """Return the recogniser of this name, loaded (about half a second) and shared by all calls.

    Raises ConfigError for a name that is no recogniser's, EngineMissing when its package is not here.
    """
    if name not in NAMES:
        raise ConfigError(f"There is no recogniser named {name!r}; there is: {', '.join(NAMES)}.")
    return Moonshine()
