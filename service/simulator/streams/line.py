"""One media stream over one real socket, at Twilio's side.

    opened ── run: frames 50 a second, echoes, our ear ── ended

`Leg` (carrier.py) knows the protocol; this file moves its texts and keeps time. Frames are addressed by
time, so a late tick or a stall is made up by a burst and never drifts. The ways to end a line are
the ways a network has: see faults.py. A line ends once; what happens to the socket after that (a late
`stop`, a half-open socket going away) is ordered by its bridge.
"""

import asyncio
import contextlib
import enum
import socket
import struct

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from service.audio import FRAME_SAMPLES, milliseconds
from service.clock import Clock
from service.errors import RemoteProtocolError
from service.protocol import messages
from service.simulator.caller import Ear, Mouth, Stretch
from service.simulator.streams.carrier import BUFFER_MAX, Leg
from service.simulator.timeline import Kind, Timeline

FRAME_MS = milliseconds(FRAME_SAMPLES)
BURST_FRAMES_MAX = 3_000  # a minute: a longer backlog is a machine that slept, not a network
SEND_MS_MAX = 5_000  # a reader this slow has stopped reading; Twilio discards audio (31930)
CLOSE_MS_MAX = 1_000  # nobody waits longer for a polite end
STALE_MS = 1_000  # the service may need this long to see that another stream took over

BROKEN_PIPE, SERVER_CLOSED, PROTOCOL_ERROR = 31_903, 31_921, 31_924


class Cause(enum.Enum):
    """Who or what ended a line."""

    SERVER = "the service closed the socket"
    STOP = "the carrier stopped the stream"
    FAULT = "the network failed"


class Ending(msgspec.Struct, frozen=True):
    """How a line ended; `error` is Twilio's code, 0 for a good end."""

    cause: Cause
    error: int = 0
    code: int = 1006


class Line:
    """A stream that has its socket. `number` counts the call's streams from 1."""

    def __init__(
        self,
        leg: Leg,
        connection: ClientConnection,
        *,
        mouth: Mouth,
        ear: Ear,
        timeline: Timeline,
        clock: Clock,
        number: int,
    ) -> None:
        self.leg = leg
        self.number = number
        self.started_ms = 0
        self.ended_ms = 0
        self.replaced_ms = 0
        self._connection = connection
        self._mouth = mouth
        self._ear = ear
        self._timeline = timeline
        self._clock = clock
        self._ended = asyncio.Event()
        self._ending: Ending | None = None
        self._reader: asyncio.Task[None] | None = None
        self._frames = 0
        self._listened = 0
        self._stalled_until_ms = 0
        self._unheard = bytearray()
        self._has_audio = False
        self._warned = 0

    @property
    def is_live(self) -> bool:
        """Say whether the line has started and not ended."""
        return bool(self.started_ms) and self._ending is None

    async def open(self, before_ms: int = 0) -> None:
        """Send `connected` and `start`, and begin to listen; the stream before ended at `before_ms`."""
        self.started_ms = self._clock.now_ms()
        await self._send(self.leg.connected())
        await self._send(self.leg.start())
        gap_ms = self.started_ms - before_ms if before_ms else 0
        self._note(Kind.STREAM_OPENED, self.leg.stream_sid, gap_ms)
        self._reader = asyncio.get_running_loop().create_task(self._listen())

    async def run(self) -> Ending:
        """Carry audio both ways until the line ends."""
        while self._ending is None:
            now_ms = self._clock.now_ms()
            passed = (now_ms - self.started_ms) // FRAME_MS
            await self._tick(now_ms, passed)
            due_ms = self.started_ms + (passed + 1) * FRAME_MS - self._clock.now_ms()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(due_ms, 1) / 1_000):
                    await self._ended.wait()
        return self._ending

    async def press(self, digit: str) -> None:
        """Send one key of the caller."""
        await self._send(self.leg.dtmf(digit))
        self._note(Kind.KEY, digit)

    async def stop(self) -> None:
        """End the stream as Twilio does: `stop`, then close."""
        await self._send(self.leg.stop())
        self._end(Ending(Cause.STOP, code=1000))
        await self._close(1000)

    async def close(self, code: int) -> None:
        """Close the socket with a code and no `stop`."""
        self._end(Ending(Cause.FAULT, PROTOCOL_ERROR, code))
        await self._close(code)

    def end(self) -> None:
        """End the TCP connection without a close frame."""
        self._end(Ending(Cause.FAULT, PROTOCOL_ERROR))
        self._connection.transport.abort()

    def reset(self) -> None:
        """Reset the TCP connection: the other side gets RST, not FIN."""
        self._end(Ending(Cause.FAULT, BROKEN_PIPE))
        ours = self._connection.transport.get_extra_info("socket")
        if ours is not None and ours.fileno() >= 0:
            with contextlib.suppress(OSError):
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.transport.abort()

    def freeze(self) -> None:
        """Read and write nothing any more, and leave the socket open: half-open."""
        self._end(Ending(Cause.FAULT, PROTOCOL_ERROR))
        if self._reader is not None:
            self._reader.cancel()
        if not self._connection.transport.is_closing():
            self._connection.transport.pause_reading()

    def leave(self) -> None:
        """Send nothing any more, and go on reading: `stop` comes later, by `dispose`."""
        self._end(Ending(Cause.FAULT, PROTOCOL_ERROR))

    def stall(self, duration_ms: int) -> None:
        """Send nothing for a while, and then all that is due."""
        self._stalled_until_ms = self._clock.now_ms() + duration_ms

    async def start_again(self) -> None:
        """Send `start` a second time."""
        await self._send(self.leg.start())

    async def dispose(self, *, with_stop: bool = False) -> None:
        """Let go of the socket, after a last `stop` when asked; returns within a second or so."""
        if with_stop:
            await self._send(self.leg.stop())
            await self._close(1000)
        self._end(Ending(Cause.STOP, code=1000))
        if self._reader is not None:
            self._reader.cancel()
        if not self._connection.transport.is_closing():
            self._connection.transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_MS_MAX / 1_000):
                await self._connection.wait_closed()

    async def _tick(self, now_ms: int, passed: int) -> None:
        self._hear(now_ms, min(passed - self._listened, BURST_FRAMES_MAX))
        self._listened = passed
        if now_ms < self._stalled_until_ms:
            return
        for _ in range(min(passed - self._frames, BURST_FRAMES_MAX)):
            at_ms = self.started_ms + self._frames * FRAME_MS
            self._frames += 1
            await self._send(self.leg.media(self._mouth.audio(at_ms)))
        self._frames = passed
        await self._echo(now_ms)

    async def _echo(self, now_ms: int) -> None:
        for text in self.leg.poll(now_ms):
            await self._send(text)

    def _hear(self, now_ms: int, frames: int) -> None:
        # First the silence: a stretch that a gap between two streams cut does not go on after it.
        self._notice(self._ear.rest(now_ms))
        for _ in range(frames):
            frame = bytes(self._unheard[:FRAME_SAMPLES])
            del self._unheard[:FRAME_SAMPLES]
            if frame:
                self._notice(self._ear.hear(frame, now_ms))

    def _notice(self, change: Stretch | None) -> None:
        if change is not None and change.end_ms:
            self._note(Kind.AGENT_STOPPED, "", change.end_ms - change.start_ms)
        elif change is not None:
            self._note(Kind.AGENT_BEGAN)

    async def _listen(self) -> None:
        try:
            async for text in self._connection:
                now_ms = self._clock.now_ms()
                self._receive(text, now_ms)
                if self.is_live and now_ms >= self._stalled_until_ms:
                    await self._echo(now_ms)
        except ConnectionClosed:
            pass
        received = self._connection.protocol.close_rcvd
        error = SERVER_CLOSED if received is not None else BROKEN_PIPE
        self._end(Ending(Cause.SERVER, error, received.code if received is not None else 1006))

    def _receive(self, text: str | bytes, now_ms: int) -> None:
        self.leg.receive(text if isinstance(text, str) else "\x00", now_ms)
        for warning in self.leg.warnings[self._warned :]:
            self._note(Kind.WARNING, warning.text, warning.code)
        self._warned = len(self.leg.warnings)
        try:
            message = messages.decode_outbound(text if isinstance(text, str) else "")
        except RemoteProtocolError:
            return
        match message:
            case messages.Media(media=body):
                if self.is_live and len(self._unheard) < BUFFER_MAX:
                    self._unheard += body.payload
                self._judge(now_ms)
            case messages.Mark(mark=body):
                self._note(Kind.MARK, body.name)
            case messages.Clear():
                self._unheard.clear()
                self._note(Kind.CLEAR)

    def _judge(self, now_ms: int) -> None:
        if not self._has_audio:
            self._has_audio = True
            self._note(Kind.FIRST_AUDIO, "", now_ms - self.started_ms)
        if self.replaced_ms and now_ms - self.replaced_ms > STALE_MS:
            self._note(Kind.STALE_AUDIO)

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(SEND_MS_MAX / 1_000):
                await self._connection.send(text)
        except ConnectionClosed:
            pass  # The reader sees the same end, and knows its code.
        except TimeoutError:
            self._note(Kind.WARNING, "the service reads too slowly", 31_930)
            self._end(Ending(Cause.FAULT, BROKEN_PIPE))

    async def _close(self, code: int) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_MS_MAX / 1_000):
                await self._connection.close(code)

    def _end(self, ending: Ending) -> None:
        if self._ending is None:
            self._ending = ending
            self.ended_ms = self._clock.now_ms()
            self._ended.set()

    def _note(self, kind: Kind, text: str = "", value: int = 0) -> None:
        self._timeline.note(self._clock.now_ms(), kind, text, stream=self.number, value=value)
