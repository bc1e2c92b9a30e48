"""One direction of a link: bytes wait here for as long as the weather wants, and keep their order."""

import asyncio
import random
from collections import deque
from collections.abc import Callable

import msgspec

PIECES_MAX = 256  # of one write: tiny slices of a large write would cost more than they show
SLICE_GAP_S = 0.001
WAITING_MAX = 10_000  # no network holds more of one call: then all of it comes at once


class Weather(msgspec.Struct, frozen=True):
    """How a link carries: delays in milliseconds, pieces in bytes, 0 for none."""

    latency_ms: int = 0
    jitter_ms: int = 0
    slice_bytes: int = 0
    bytes_per_s: int = 0

    @property
    def name(self) -> str:
        """Return a word for it."""
        if self.bytes_per_s:
            return "narrow"
        if self.slice_bytes:
            return "sliced"
        return "slow" if self.latency_ms else "calm"


CALM = Weather()


class Lane:
    """Delivers to `write`, in order, each piece when it is due."""

    def __init__(
        self, write: Callable[[bytes], None], weather: Weather, chance: random.Random
    ) -> None:
        self._write = write
        self._weather = weather
        self._chance = chance
        self._bytes_per_s = weather.bytes_per_s
        self._waiting: deque[tuple[float, bytes | Callable[[], None]]] = deque()
        self._due = 0.0
        self._not_before = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def send(self, data: bytes) -> None:
        """Take bytes on their way; at once when the weather is calm and nothing waits."""
        for piece in self._pieces(data):
            self._add(piece, self._latency_s(), self._step_s(len(piece)))

    def then(self, act: Callable[[], None]) -> None:
        """Do this after all that is on the way."""
        self._add(act, 0.0, 0.0)

    def rest(self, time_s: float) -> None:
        """Deliver nothing for this long."""
        self._not_before = asyncio.get_running_loop().time() + time_s

    def slow_down(self, bytes_per_s: int) -> None:
        """Carry no more than this from now on."""
        self._bytes_per_s = bytes_per_s

    def _pieces(self, data: bytes) -> list[bytes]:
        size = self._weather.slice_bytes
        if not size:
            return [data]
        size = max(size, -(-len(data) // PIECES_MAX))
        return [data[at : at + size] for at in range(0, len(data), size)]

    def _latency_s(self) -> float:
        weather = self._weather
        jitter_ms = self._chance.randrange(weather.jitter_ms) if weather.jitter_ms else 0
        return (weather.latency_ms + jitter_ms) / 1_000

    def _step_s(self, length: int) -> float:
        gap_s = SLICE_GAP_S if self._weather.slice_bytes else 0.0
        return gap_s + (length / self._bytes_per_s if self._bytes_per_s else 0.0)

    def _add(self, piece: bytes | Callable[[], None], latency_s: float, step_s: float) -> None:
        now = asyncio.get_running_loop().time()
        due = max(now + latency_s + step_s, self._due + step_s, self._not_before)
        if len(self._waiting) >= WAITING_MAX:
            self._flow(self._due)
            due = now
        self._due = due
        if due <= now and not self._waiting:
            self._deliver(piece)
            return
        self._waiting.append((due, piece))
        if self._timer is None:
            self._wait(due)

    def _wait(self, due: float) -> None:
        self._timer = asyncio.get_running_loop().call_at(due, self._flow)

    def _flow(self, until: float = 0.0) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        until = until or asyncio.get_running_loop().time()
        while self._waiting and self._waiting[0][0] <= until:
            self._deliver(self._waiting.popleft()[1])
        if self._waiting:
            self._wait(self._waiting[0][0])

    def _deliver(self, piece: bytes | Callable[[], None]) -> None:
        if isinstance(piece, bytes):
            self._write(piece)
        else:
            piece()
