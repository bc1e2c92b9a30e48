"""One connection through the proxy, and the harms that can come to it.

reset · fin                 both ends at once, by RST or by FIN
mid_frame                   half of the carrier's next bytes pass, then RST
blackhole(hold)             nothing passes and nobody is told; RST for both after the hold
half_open(hold)             the carrier gets RST; the service is told nothing until the hold is over
late(hold)                  the same, but the carrier's last bytes arrive when the hold is over
slow_close(hold)            the carrier gets FIN; its last bytes trickle to the service, then FIN
stall(time)                 no end: nothing passes for a while, then all of it
"""

import asyncio
import random
import socket
import struct
from collections.abc import Callable
from typing import Any

from typing_extensions import override

from service.chaos.network.incoming import Incoming
from service.chaos.network.lane import Lane, Weather

MEDIA = b'"media"'
TRICKLE_BYTES_PER_S = 400
TAIL_S = 1.0  # what came too late is read by the service before its connection ends
HELD_BYTES_MAX = 1_048_576  # a minute of one call's audio


class Side(Incoming):
    """One end of a link."""

    def __init__(self, link: "Link") -> None:
        self.peer: tuple[str, int] = ("", 0)
        self.is_lost = False
        self._link = link
        self._transport: Any = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        host, port = transport.get_extra_info("peername")[:2]
        self.peer = (host, port)
        self._link.made(self)

    @override
    def received(self, piece: bytes) -> None:
        self._link.carry(self, piece)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self._link.lost(self, is_reset=exc is not None)

    @override
    def pause_writing(self) -> None:
        self._link.opposite(self).read(goes_on=False)

    @override
    def resume_writing(self) -> None:
        self._link.opposite(self).read(goes_on=True)

    def write(self, data: bytes) -> None:
        """Send, unless the connection is gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """End with FIN, when all is sent."""
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """End with RST."""
        if self._transport is None:
            return
        ours = self._transport.get_extra_info("socket")
        if ours is not None and ours.fileno() >= 0:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def read(self, *, goes_on: bool) -> None:
        """Go on reading what comes, or stop."""
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.resume_reading if goes_on else self._transport.pause_reading)()


class Link:
    """Two ends and what lies between them."""

    def __init__(
        self,
        weather: Weather,
        chance: random.Random,
        *,
        opened: Callable[["Link"], None],
        now_ms: Callable[[], int],
    ) -> None:
        self.weather = weather
        self.near, self.far = Side(self), Side(self)
        self.port = 0  # of the server that it leads to
        self.harm = ""  # what was done to it, "" for nothing
        self.media_after: list[int] = []  # when the service still sent audio after the harm
        self._opened = opened
        self._now_ms = now_ms
        self._up = Lane(self.far.write, weather, chance)
        self._down = Lane(self.near.write, weather, chance)
        self._is_joined = False
        self._early: list[bytes] = []
        self._is_cut = False
        self._is_deaf = False
        self._held: bytearray | None = None

    def opposite(self, side: Side) -> Side:
        """Return the other end."""
        return self.far if side is self.near else self.near

    def made(self, side: Side) -> None:
        """Hear that an end is connected."""
        if side is self.near:
            self._opened(self)

    def join(self) -> None:
        """Carry from now on, what came before included."""
        self._is_joined = True
        for piece in self._early:
            self._up.send(piece)
        self._early.clear()
        if self.near.is_lost:
            self.far.reset()

    def carry(self, side: Side, data: bytes) -> None:
        """Take what came from an end."""
        if side is self.far:
            self._note(data)
            if not self._is_deaf:
                self._down.send(data)
        elif not self._is_joined:
            self._early.append(data)
        elif self._is_cut:
            self.far.write(data[: len(data) // 2])
            self.near.reset()
            # The half must leave before the reset that takes what is unsent with it.
            asyncio.get_running_loop().call_soon(self.far.reset)
        elif self._held is not None:
            self._held += data[: max(0, HELD_BYTES_MAX - len(self._held))]
        elif not self._is_deaf:
            self._up.send(data)

    def lost(self, side: Side, *, is_reset: bool) -> None:
        """Hear that an end is gone: the other one learns it after what is on the way."""
        if self._is_deaf or self._held is not None:
            return
        other, lane = (self.far, self._up) if side is self.near else (self.near, self._down)
        lane.then(other.reset if is_reset else other.close)

    def reset(self) -> None:
        """Reset both ends."""
        self.near.reset()
        self.far.reset()

    def fin(self) -> None:
        """Close both ends, without a close frame."""
        self.near.close()
        self.far.close()

    def mid_frame(self) -> None:
        """Let half of what comes next pass, and reset both ends."""
        self._is_cut = True

    def blackhole(self, hold_s: float) -> None:
        """Carry nothing any more; both ends are reset after the hold."""
        self._is_deaf = True
        self.near.read(goes_on=False)
        self.far.read(goes_on=False)
        asyncio.get_running_loop().call_later(hold_s, self.reset)

    def half_open(self, hold_s: float) -> None:
        """Reset the carrier's end alone; the service's after the hold."""
        self._is_deaf = True
        self.near.reset()
        asyncio.get_running_loop().call_later(hold_s, self.far.reset)

    def late(self, hold_s: float) -> None:
        """Hold what the carrier sends from now on, until `part` resets its end; then let it arrive late."""
        self._held = bytearray()
        asyncio.get_running_loop().call_later(hold_s, self._arrive)

    def part(self) -> None:
        """Reset the carrier's end of a late link."""
        self.near.reset()

    def _arrive(self) -> None:
        self.far.write(bytes(self._held or b""))
        asyncio.get_running_loop().call_later(TAIL_S, self.far.close)

    def slow_close(self, hold_s: float) -> None:
        """Close the carrier's end; its last bytes trickle on, and the service's end closes after the hold."""
        self._up.slow_down(TRICKLE_BYTES_PER_S)
        self._held = bytearray()  # what still comes is lost
        self.near.close()
        asyncio.get_running_loop().call_later(hold_s, self.far.close)

    def stall(self, time_s: float) -> None:
        """Carry nothing for a while, then all of it."""
        self._up.rest(time_s)
        self._down.rest(time_s)

    def _note(self, data: bytes) -> None:
        if self.harm and MEDIA in data:
            self.media_after.append(self._now_ms())
