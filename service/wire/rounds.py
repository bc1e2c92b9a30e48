"""The rounds in which a busy process reads its callers: several frames of each at once.

    the loop has air     a frame came ──> read                              each in the moment it comes
    the loop is busy     every 40, 60 or 80 ms, one caller after the other ──> two, three or four frames

To look at a socket costs the kernel, the loop and the memory nearest to the processor as much as to hear a
frame, and a thousand callers whose frames came in the same moment are one long turn of the loop. In rounds a
twentieth of them has each turn, and with every frame the next one of that call is heard while all that belongs
to it is at hand. The price is time: what a caller says or keys, and a mark's echo, waits for its round.
"""

import asyncio
import logging
import os
from collections.abc import Callable

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from service import scope
from service.clock import spent_us

PERIODS_MS = (0, 40, 60, 80)  # between two looks at a caller; 0: as it comes
SLOTS = 20  # of a period; the callers of one are read in one turn of the loop
LOOK_S = 1.0  # between two looks at how busy the loop is; each moves the period by a step at most
BUSY, CALM = 0.6, 0.4  # of its thread's time; a step takes less off than what lies between
READ_BYTES = 16_384  # at once, 40 frames: what a network held back is soon read, a flood is seen

_log = logging.getLogger(__name__)


class Reader:
    """One connection among those that are read in rounds when it is time for that."""

    __slots__ = ("_connection", "_descriptor", "slot")

    def __init__(
        self, connection: WebSocketsSansIOProtocol, descriptor: int, slot: "list[Reader]"
    ) -> None:
        self._connection = connection
        self._descriptor = descriptor
        self.slot = slot

    def read(self) -> bool:
        """Read what came since the last round, and keep the loop from it. False when this is the loop's from now on.

        The loop learns the end of a connection by reading it once more. One that is closing has no descriptor
        any more: its number may be another's.
        """
        connection = self._connection
        transport = connection.transport
        if transport.is_closing():
            return False
        if connection.read_paused:
            return True  # the application takes nothing at present
        if transport.is_reading():
            transport.pause_reading()
        try:
            octets = os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return bool(octets) and self._hand_on(octets)

    def _hand_on(self, octets: bytes) -> bool:
        """Hand on what was read. Who can't take it is let go, False: one's fault, but the rounds are everybody's."""
        try:
            self._connection.data_received(octets)
        except Exception:  # noqa: BLE001 - see above
            _log.exception("! a connection failed", extra={"action": "connection_failed"})
            self._connection.transport.abort()
            return False
        return True

    def give_back(self) -> None:
        """Leave the connection to the loop."""
        transport = self._connection.transport
        if not (transport.is_closing() or self._connection.read_paused or transport.is_reading()):
            transport.resume_reading()


class Rounds:
    """The rounds of one loop. `spent` tells the processor's time that its thread took so far, in microseconds."""

    def __init__(self, spent: Callable[[], int] = spent_us) -> None:
        self._spent = spent
        self._slots: list[list[Reader]] = [[] for _ in range(SLOTS)]
        self._level = 0
        self._at = 0  # the slot whose turn is next
        self._due_s = 0.0
        self._looked_s, self._spent_us = 0.0, 0
        self._looking: asyncio.TimerHandle | None = None
        self._turning: asyncio.TimerHandle | None = None

    @property
    def period_ms(self) -> int:
        """How long what a caller sends may wait until it is read; 0 while it is read as it comes."""
        return PERIODS_MS[self._level]

    def join(self, connection: WebSocketsSansIOProtocol) -> Reader | None:
        """Have a connection read in rounds, whenever it is time for that. None where only the loop can read it, or nobody."""
        transport = connection.transport
        if transport.is_closing():
            return None  # Nobody would tell of its end any more.
        socket = transport.get_extra_info("socket")
        if os.name != "posix" or socket is None or transport.get_extra_info("sslcontext"):
            return None
        reader = Reader(connection, socket.fileno(), min(self._slots, key=len))
        reader.slot.append(reader)
        if self._looking is None:
            self._begin()
        return reader

    def leave(self, reader: Reader) -> None:
        """Leave a connection to the loop. Harmless a second time."""
        if reader in reader.slot:
            reader.slot.remove(reader)
            reader.give_back()

    def _begin(self) -> None:
        self._looked_s, self._spent_us = asyncio.get_running_loop().time(), self._spent()
        self._looking = scope.of_nobody().run(self._look_later)

    def _look_later(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        """See how busy the loop was since the last look, and move the period by one step; with nobody there, rest."""
        now_s, now_us = asyncio.get_running_loop().time(), self._spent()
        share = (now_us - self._spent_us) / 1e6 / max(now_s - self._looked_s, LOOK_S)
        self._looked_s, self._spent_us = now_s, now_us
        if share >= BUSY:
            self._level = min(self._level + 1, len(PERIODS_MS) - 1)
        elif share <= CALM:
            self._level = max(self._level - 1, 0)
        is_anybody_there = any(self._slots)
        if not (self._level and is_anybody_there):
            self._stop()
        elif self._turning is None:
            self._due_s = now_s
            self._turn()
        self._looking = self._look_later() if is_anybody_there else None

    def _stop(self) -> None:
        self._level = 0
        if self._turning is None:
            return
        self._turning.cancel()
        self._turning = None
        for slot in self._slots:
            for reader in slot:
                reader.give_back()

    def _turn(self) -> None:
        """Read the callers of one slot."""
        for reader in tuple(self._slots[self._at]):
            if not reader.read():
                self.leave(reader)
        loop = asyncio.get_running_loop()
        self._at = (self._at + 1) % SLOTS
        self._due_s = max(self._due_s + self.period_ms / 1_000 / SLOTS, loop.time())
        self._turning = loop.call_at(self._due_s, self._turn)
