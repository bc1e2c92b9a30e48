"""A server of the bench: the whole service, with an agent that always answers and speech that costs nothing.

    python -m tests.bench._talking          the settings come from the environment, as ever

Recogniser and synthesiser answer at once, so that what is left is the service's own work: sockets, voice
activity, journal, marks, pointers, outbound audio. `/bench/now` tells what this process used so far.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.app import create_app
from service.call.acts import Act, Say
from service.call.state import Call, Turn
from service.chaos.servers.served import UnhurriedSynthesizer
from service.commands.serve import serve
from service.config import Config
from service.parts import Own
from service.speech.ear.endpoint import Endpointer
from service.speech.ear.silero import SileroScorer
from service.speech.ear.vad import WEBRTC_MODE, VoiceActivity, batch
from service.speech.engine import require
from service.speech.pool import SpeechPool
from service.speech.transcript import Transcript
from tests.bench._echoing import Echo
from tests.bench._used import Lag, used

ANSWER = "This is an answer of some length, as people give it when they were asked for something on the telephone."


class Answerer:
    """Answers every utterance alike; with BENCH_MUTE it says nothing at all."""

    def __init__(self) -> None:
        self.is_mute = bool(os.environ.get("BENCH_MUTE"))

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        """See service.agent.agent.Agent."""
        del call, turn
        if not self.is_mute:
            yield Say(ANSWER)


class _Understanding:
    """Takes everything for the same words."""

    name = "bench"

    def transcribe(self, ulaw: bytes) -> Transcript:
        """See recognizer.Recognizer.transcribe."""
        del ulaw
        return Transcript("I should like to know what became of it", 950)


def ears() -> Callable[[], Endpointer]:
    """Return what makes ears: webrtcvad alone, or Silero behind it, `alone` for each call or `together`."""
    manner = os.environ.get("BENCH_SILERO")
    shared = batch() if manner == "together" else None

    def ear() -> Endpointer:
        scorer = SileroScorer() if manner else None
        return Endpointer(VoiceActivity(require("webrtcvad").Vad(WEBRTC_MODE), scorer, shared))

    return ear


def made(config: Config, agent: Answerer | Echo | None = None) -> Starlette:
    """Return the application, with this agent in the place of the settings', or an echo with BENCH_ECHO."""
    agent = Echo() if os.environ.get("BENCH_ECHO") else agent
    speech = SpeechPool(UnhurriedSynthesizer(), _Understanding())
    own = Own(agent=agent, speech=speech, endpointer=ears())
    app = create_app(config, own=own)
    lag = Lag()

    async def now(_request: Request) -> Response:
        lag.begin()
        told = used() | {"lag_us": lag.told(), "tasks": len(asyncio.all_tasks())}
        return Response(msgspec.json.encode(told), media_type="application/json")

    app.router.routes.append(Route("/bench/now", now))
    return app


if __name__ == "__main__":
    sys.exit(serve(make=made))
