"""`stayline serve` with speech in text, so that hundreds of calls need no core for engines.

    AGENT=service.testing.talker:Talker python -m service.chaos.servers.served

The settings come from the environment, as ever. Everything but the speech is the real one: signals,
drain, sockets, journal.
"""

import sys
from collections.abc import Callable
from itertools import accumulate

from starlette.applications import Starlette
from typing_extensions import override

from service import config as settings, serving
from service.app import create_app
from service.audio import FRAME_SAMPLES, samples
from service.config import Config
from service.errors import StaylineError
from service.parts import Own
from service.speech.pool import SpeechPool
from service.speech.timing import Timed
from service.testing.quick_ear import quick_ear
from service.testing.textspeech import TextRecognizer, TextSynthesizer
from service.workers import worker

LETTER_MS = 60  # about 150 words a minute, as people speak
_HUM = b"\xa0"  # as loud as a voice, and no word


class UnhurriedSynthesizer(TextSynthesizer):
    """Takes as long for a text as a person would: a hum before each word."""

    @override
    def render(self, text: str) -> Timed:
        """See synthesizer.Synthesizer.render."""
        brief = super().render(text)
        missing = max(0, samples(LETTER_MS * len(text)) - len(brief)) // max(1, len(brief.ends))
        hum = _HUM * (missing - missing % FRAME_SAMPLES)
        begins = (0, *brief.ends)
        slow = [hum + brief[at:end] for at, end in zip(begins, brief.ends, strict=False)]
        return Timed(b"".join(slow), tuple(accumulate(map(len, slow))))


def made(config: Config) -> Starlette:
    """Return the application: the settings' agent, speech in text."""
    own = Own(
        speech=SpeechPool(UnhurriedSynthesizer(), TextRecognizer()),
        endpointer=quick_ear,
    )
    return create_app(config, own=own)


def serve(make: Callable[[Config], Starlette] = made) -> int:
    """Serve what `make` returns until told to stop. Returns the exit code, as `stayline serve` has it."""
    try:
        config = settings.load()
        sockets = serving.listening(config.host, config.port)
    except StaylineError as trouble:
        sys.stderr.write(f"stayline: {trouble}\n")
        return worker.WRONG_SETTING
    return worker.work(make, config, sockets)


if __name__ == "__main__":
    sys.exit(serve())
