"""What a stream brings, message by message, until it ends or falls silent."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.call.inputs import IDLE
from service.clock import Clock
from service.errors import RemoteProtocolError
from service.meter import Meter
from service.protocol import stream as s
from service.web.stream.socket import MediaSocket

IDLE_LOOK_MS = 250  # fifty messages come in a second, and not each moves the deadline
LATE_MS = (
    100  # a loop that is this late with a deadline has stood still: it was stopped, or swamped
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Inflow:
    """Reads streams. One that brings nothing for `idle_ms` has ended; 0 waits for ever."""

    clock: Clock
    meter: Meter
    idle_ms: int

    async def next(self, socket: MediaSocket, wire: s.Stream) -> Sequence[s.StreamEvent]:
        """Return what the next message says, nothing for one outside the protocol."""
        try:
            return wire.receive(await socket.receive(), self.clock.now_ms())
        except RemoteProtocolError as trouble:
            self.meter.dropped_messages.inc()
            _log.debug("< dropped: %s", trouble, extra={"action": "message_dropped"})
            return ()

    async def pass_on(
        self, socket: MediaSocket, wire: s.Stream, take: Callable[[s.StreamEvent], None]
    ) -> str:
        """Pass on what the stream brings, until it ends or falls silent; return how it did."""
        loop = asyncio.get_running_loop()
        patience = asyncio.timeout(None)
        while True:
            try:
                patience = asyncio.timeout(self.idle_ms / 1000 or None)
                async with patience:
                    return await self._follow(socket, wire, take, patience)
            except ConnectionError as trouble:
                return str(trouble)
            except TimeoutError:
                # Late ourselves, we have not read yet what came meanwhile: the peer is not to blame.
                if loop.time() - (patience.when() or 0) < LATE_MS / 1000:
                    self.meter.idle_streams.inc()
                    return IDLE

    async def _follow(
        self,
        socket: MediaSocket,
        wire: s.Stream,
        take: Callable[[s.StreamEvent], None],
        patience: asyncio.Timeout,
    ) -> str:
        """Pass on what the stream brings, and put the end of the patience off as long as anything comes."""
        loop = asyncio.get_running_loop()
        looked_s = loop.time()
        while True:
            events = await self.next(socket, wire)
            if self.idle_ms and loop.time() - looked_s > IDLE_LOOK_MS / 1000:
                looked_s = loop.time()
                patience.reschedule(looked_s + self.idle_ms / 1000)
            for event in events:
                take(event)
                if isinstance(event, s.Stopped):
                    return "stop"
