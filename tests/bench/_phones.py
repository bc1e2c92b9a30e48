"""Callers of a count: they share the process and the loop of the server that is counted, and time is theirs.

In each turn of the loop one of them sends one frame of 20 ms, masked as a carrier's is, and now and then reads
what came, and sends back the marks that have played.
"""

import asyncio
import ctypes
from collections import deque
from collections.abc import Callable, Iterator
from select import select

from websockets.utils import apply_mask

from service.audio import SAMPLES_PER_MS
from tests.bench._lines import DECODER

ROUND_NS = 20_000_000
READ_EVERY = 10  # rounds: the carrier's end reads five times a second
BEGIN_NS = 1_800_000_000 * 10**9  # far ahead of the machine's own clock: so no lock's time runs out
THREADS_S = (
    0.003  # of the machine's own time, each round: for the store, whose threads have no other
)
KEY = b"\x9a\x37\x5c\xe1"  # none of the easy ones


class Counter:
    """The shim that stands before the C library: the process' clock, and what it counts between."""

    def __init__(self, path: str) -> None:
        self._shim = ctypes.CDLL(path)
        self._now = ctypes.c_longlong.in_dll(self._shim, "now_ns")
        self._now.value = BEGIN_NS
        self._shim.listen_to.argtypes = (ctypes.c_char_p, ctypes.c_long)

    @property
    def now_ms(self) -> int:
        """The moment it is."""
        return self._now.value // 1_000_000

    def elapse(self, ns: int) -> None:
        """Let time pass."""
        self._now.value += ns

    def begin(self) -> None:
        """Count from here."""
        self._shim.begin()

    def end(self, name: str) -> None:
        """Write what was counted, under this name."""
        self._shim.end(name.encode())

    def listen_in_c(self, octets: bytes) -> None:
        """Take frames as the floor does."""
        self._shim.listen_to(octets, len(octets))


class Phone:
    """A caller's line at the carrier's end."""

    def __init__(self, send: Callable[[bytes], object], receive: Callable[[], bytes]) -> None:
        self._send, self._receive = send, receive
        self._frames: Iterator[bytes] = iter(())
        self._marks: deque[tuple[int, bytes]] = deque()
        self._plays_until_ms = self._ticks = 0
        self._buffer = b""
        self.messages = 0

    def takes(self, frames: list[bytes]) -> None:
        """Have these ready to be sent."""
        self._frames, self._ticks, self.messages = iter(frames), 0, 0

    def tick(self, now_ms: int) -> None:
        """Send the next frame and the marks that have played; read, when it is time."""
        self._send(next(self._frames))
        self._ticks += 1
        if not self._ticks % READ_EVERY:
            self._read(now_ms)
        while self._marks and self._marks[0][0] <= now_ms:
            self._send(self._marks.popleft()[1])

    def _read(self, now_ms: int) -> None:
        octets = self._buffer + self._receive()
        at = 0
        while len(octets) >= at + 4:
            begin, length = at + 2, octets[at + 1]
            if length == 126:
                begin, length = at + 4, int.from_bytes(octets[at + 2 : at + 4], "big")
            if len(octets) < begin + length:
                break
            self._take(octets[at] & 15, octets[begin : begin + length], now_ms)
            at = begin + length
        self._buffer = octets[at:]

    def _take(self, opcode: int, body: bytes, now_ms: int) -> None:
        if opcode == 9:
            self._send(masked(body, 10))
        if opcode != 1:
            return
        self.messages += 1
        message = DECODER.decode(body)
        if message.media is not None:
            length_ms = len(message.media.payload) // SAMPLES_PER_MS
            self._plays_until_ms = max(now_ms, self._plays_until_ms) + length_ms
        elif message.mark is not None:
            echo = _echo(self._ticks, message.mark.name, message.stream_sid)
            self._marks.append((self._plays_until_ms, masked(echo)))
        else:  # "clear"
            self._plays_until_ms = now_ms
            self._marks = deque((now_ms, echo) for _, echo in self._marks)


def masked(text: bytes, opcode: int = 1) -> bytes:
    """Return a frame as a client sends it, with a key that is none of the easy ones."""
    size = len(text)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((0x80 | opcode,)) + length + KEY + apply_mask(text, KEY)


def _echo(number: int, name: str, stream_sid: str) -> bytes:
    return b'{"event":"mark","sequenceNumber":"%d","mark":{"name":"%b"},"streamSid":"%b"}' % (
        number,
        name.encode(),
        stream_sid.encode(),
    )


def media(first: int, payloads: list[bytes], stream_sid: str) -> list[bytes]:
    """Return masked frames of media, numbered from `first` on."""
    return [
        masked(
            b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d","payload":"%b"},"streamSid":"%b"}'
            % (number + 2, number + 1, number * 20, payload, stream_sid.encode())
        )
        for number, payload in enumerate(payloads, first)
    ]


async def drive(phones: list[Phone], counter: Counter, rounds: int) -> None:
    """Have every phone tick once a round: one in each turn of the loop, and all of them evenly spread."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    turns = iter(phones * rounds)
    step_ns = ROUND_NS // len(phones)

    def step() -> None:
        phone = next(turns, None)
        if phone is None:
            done.set_result(None)
            return
        if phone is phones[0]:
            select((), (), (), THREADS_S)
        counter.elapse(step_ns)
        phone.tick(counter.now_ms)
        loop.call_soon(step)

    step()
    await done


def rehearse(phones: list[Phone], counter: Counter, rounds: int) -> None:
    """Have the phones do all they do in `drive`, without a loop."""
    step_ns = ROUND_NS // len(phones)
    for phone in phones * rounds:
        counter.elapse(step_ns)
        phone.tick(counter.now_ms)
