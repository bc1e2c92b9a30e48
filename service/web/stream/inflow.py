"""What a stream brings, message by message, until it ends or falls silent."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass

from service.call.inputs import IDLE
from service.clock import Clock
from service.errors import RemoteProtocolError
from service.loop_turn import LATE_MS
from service.meter import Meter
from service.protocol import events as s
from service.protocol.stream import Stream
from service.web.stream.socket import MediaSocket

Take = Callable[[s.StreamEvent, int], None]  # an event, and when it came

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Inflow:
    """Reads streams. One that brings nothing for `idle_ms` has ended; 0 waits for ever."""

    clock: Clock
    meter: Meter
    idle_ms: int

    async def next(self, socket: MediaSocket, wire: Stream) -> Sequence[s.StreamEvent]:
        """Return what the next message says, nothing for one outside the protocol."""
        try:
            return wire.receive(await socket.receive(), self.clock.now_ms())
        except RemoteProtocolError as trouble:
            self.dropped(trouble)
            return ()

    def dropped(self, trouble: RemoteProtocolError) -> None:
        """Count a message that is outside the protocol."""
        self.meter.dropped_messages.inc()
        _log.debug("< dropped: %s", trouble, extra={"action": "message_dropped"})

    async def pass_on(self, socket: MediaSocket, wire: Stream, take: Take) -> str:
        """Pass on what the stream brings, until it ends or falls silent; return how it did.

        `take` is called from within the reading of the socket: it waits for nothing.
        """
        passage = _Passage(self, wire, take)
        following = asyncio.create_task(passage.follow(socket))
        try:
            return await passage.over
        finally:
            passage.close()
            following.cancel()


class _Passage:
    """One stream's way from its socket to whoever takes it.

    Fifty messages come in a second, so none of them costs a task's turn or moves a timer.
    """

    __slots__ = (
        "_came_ms",
        "_clock",
        "_inflow",
        "_is_over",
        "_looking",
        "_scope",
        "_take",
        "_wire",
        "over",
    )

    def __init__(self, inflow: Inflow, wire: Stream, take: Take) -> None:
        self._inflow = inflow
        self._wire = wire
        self._take = take
        self._clock = inflow.clock
        self._is_over = False
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._came_ms = self._clock.now_ms()
        self._looking: asyncio.TimerHandle | None = None
        self._scope = copy_context()  # the call's; what reads the socket has none
        if inflow.idle_ms:
            self._look_at(self._came_ms + inflow.idle_ms)

    async def follow(self, socket: MediaSocket) -> None:
        """Take what comes until the socket ends."""
        while not self._is_over:
            try:
                await socket.follow(self._receive)
            except RemoteProtocolError as trouble:
                self._inflow.dropped(trouble)
            except ConnectionError as trouble:
                self._end(str(trouble))

    def close(self) -> None:
        """Nothing is taken any more."""
        self._is_over = True
        self.over.cancel()
        if self._looking is not None:
            self._looking.cancel()

    def _receive(self, text: str | bytes) -> None:
        if self._is_over:
            return
        self._came_ms = now_ms = self._clock.now_ms()
        try:
            for event in self._wire.receive(text, now_ms):
                self._take(event, now_ms)
                if type(event) is s.Stopped:
                    self._end("stop")
        except RemoteProtocolError as trouble:
            self._scope.run(self._inflow.dropped, trouble)
        except Exception as fault:  # noqa: BLE001 - whoever reads the socket is not to blame, who passes it on is told
            if not self.over.done():
                self._is_over = True
                self.over.set_exception(fault)

    def _look_at(self, due_ms: int) -> None:
        wait_s = (due_ms - self._clock.now_ms()) / 1000
        self._looking = asyncio.get_running_loop().call_later(wait_s, self._look, due_ms)

    def _look(self, due_ms: int) -> None:
        now_ms, idle_ms = self._clock.now_ms(), self._inflow.idle_ms
        if now_ms - due_ms >= LATE_MS:
            # Late ourselves, we have not read yet what came meanwhile: the peer is not to blame.
            self._came_ms = now_ms
        if now_ms >= self._came_ms + idle_ms:
            self._inflow.meter.waiting.idle.inc()
            self._end(IDLE)
        else:
            self._look_at(self._came_ms + idle_ms)

    def _end(self, reason: str) -> None:
        self._is_over = True
        if not self.over.done():
            self.over.set_result(reason)
