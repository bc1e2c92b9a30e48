"""`stayline serve` with the fleet's own agent and speech, so that 200 calls need no core for engines.

    python -m tests.fleet.served          the settings come from the environment, as ever

Everything else is the real one: signals, drain, sockets, journal. `/fleet/tasks` tells how many tasks the
loop has. With FLEET_PROFILE=FILE the process is profiled, and the profile is written at its end.
"""

import asyncio
import cProfile
import os
import signal
import sys
from itertools import accumulate

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from typing_extensions import override

from service.__main__ import serve
from service.app import create_app
from service.audio import FRAME_SAMPLES, samples
from service.config import Config
from service.parts import Own
from service.speech.pool import SpeechPool
from service.speech.timing import Timed
from service.testing.quick_ear import quick_ear
from service.testing.textspeech import TextRecognizer, TextSynthesizer
from tests.fleet.talker import Talker

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
    """Return the application."""
    own = Own(
        agent=Talker(),
        speech=SpeechPool(UnhurriedSynthesizer(), TextRecognizer()),
        endpointer=quick_ear,
    )
    app = create_app(config, own=own)
    app.router.routes.append(Route("/fleet/tasks", _tasks))
    return app


async def _tasks(_request: Request) -> Response:
    return PlainTextResponse(str(len(asyncio.all_tasks())))


def main() -> None:
    """Serve until told to stop."""
    path = os.environ.get("FLEET_PROFILE", "")
    if not path:
        sys.exit(serve(make=made))
    # uvicorn raises the signal once more at its end, and the profile is still to be written.
    signal.signal(signal.SIGTERM, lambda *_: None)
    profile = cProfile.Profile()
    code = profile.runcall(serve, make=made)
    profile.dump_stats(f"{path}.{os.getpid()}")
    sys.exit(code)


if __name__ == "__main__":
    main()
