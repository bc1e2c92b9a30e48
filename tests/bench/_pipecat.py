"""A server to compare with, in a process of its own: pipecat with its Twilio serializer, an echo, no voice activity.

    python -m tests.bench._pipecat PORT          needs `pip install pipecat-ai`, on which nothing here depends

What comes goes through a pipeline of its input, one processor and its output, in messages of 200 ms.
"""

import json
import sys
from typing import Any

import uvicorn
from loguru import logger
from pipecat.frames.frames import InputAudioRawFrame, OutputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from typing_extensions import override

from service.audio import SAMPLE_RATE_HZ
from tests.bench._sample import OUT_SAMPLES, SETTINGS, _now

PIECE_SAMPLES = SAMPLE_RATE_HZ // 100  # pipecat counts what it sends in pieces of 10 ms
RATES = PipelineParams(audio_in_sample_rate=SAMPLE_RATE_HZ, audio_out_sample_rate=SAMPLE_RATE_HZ)


class Echo(FrameProcessor):  # type: ignore[misc] # it may not be installed
    """Says what it hears."""

    @override
    async def process_frame(self, frame: Any, direction: Any) -> None:
        """See pipecat."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            frame = OutputAudioRawFrame(frame.audio, frame.sample_rate, frame.num_channels)
        await self.push_frame(frame, direction)


async def media(socket: WebSocket) -> None:
    """Echo, through a pipeline."""
    await socket.accept()
    await socket.receive_text()  # connected
    stream_sid = json.loads(await socket.receive_text())["streamSid"]
    manner = TwilioFrameSerializer.InputParams(auto_hang_up=False)
    settings = FastAPIWebsocketParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        audio_out_10ms_chunks=OUT_SAMPLES // PIECE_SAMPLES,
        serializer=TwilioFrameSerializer(stream_sid, params=manner),
    )
    transport = FastAPIWebsocketTransport(socket, settings)
    pipeline = Pipeline([transport.input(), Echo(), transport.output()])
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(PipelineWorker(pipeline, params=RATES, idle_timeout_secs=None))
    await runner.run()


def main() -> None:
    """Serve until killed."""
    logger.remove()
    routes = [WebSocketRoute("/media", media), Route("/bench/now", _now)]
    uvicorn.run(Starlette(routes=routes), port=int(sys.argv[1]), **SETTINGS)


if __name__ == "__main__":
    main()
