"""The caller's audio on its way to a person who talks: never late, whatever their network does.

    caller ──> queue (the oldest goes) ──> media, and a mark each 500 ms ──> the page ──> marks echoed
                                             └── too many marks not echoed: nothing is sent until one is

What a socket has taken may still lie in buffers that nobody sees. The marks tell: who has not played what
was sent a while ago gets nothing more until they have, and then hears the present, not the past.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from service.audio import samples
from service.protocol import messages
from service.web.stream.socket import MediaSocket

WAITING_MAX = 25  # half a second of the carrier's frames: older sound is no conversation
MARK_EVERY = samples(500)
MARKS_OUT_MAX = 4  # two seconds on their way: no network that one can talk over has more
SEND_MS_MAX = 5_000  # a socket that takes nothing for so long is gone


@dataclass(frozen=True)
class Farewell:
    """Why the person has no business here any more."""

    code: int
    why: str


class WebEarpiece:
    """One person's socket, as a call uses it. See Earpiece."""

    def __init__(self, socket: MediaSocket, stream_sid: str) -> None:
        self._socket = socket
        self._stream_sid = stream_sid
        self._waiting: deque[bytes] = deque(maxlen=WAITING_MAX)
        self._news = asyncio.Event()
        self._out: deque[str] = deque()
        self._unmarked = 0
        self._marks = 0
        self._farewell: Farewell | None = None

    def hear(self, ulaw: bytes) -> None:
        """See Earpiece.hear."""
        if len(self._out) < MARKS_OUT_MAX:
            self._waiting.append(ulaw)
            self._news.set()

    def end(self, code: int, why: str) -> None:
        """See Earpiece.end."""
        self._farewell = self._farewell or Farewell(code, why)
        self._news.set()

    def echoed(self, mark: str) -> None:
        """Take a mark that came back, and with it those before it."""
        if mark in self._out:
            while self._out.popleft() != mark:
                pass

    async def run(self) -> Farewell:
        """Send until they have no business here any more. Raises ConnectionError, TimeoutError."""
        while self._farewell is None:
            await self._news.wait()
            self._news.clear()
            while self._waiting and self._farewell is None:
                await self._give(self._waiting.popleft())
        return self._farewell

    async def _give(self, ulaw: bytes) -> None:
        await self._send(messages.media(self._stream_sid, ulaw))
        self._unmarked += len(ulaw)
        if self._unmarked >= MARK_EVERY:
            self._unmarked = 0
            self._marks += 1
            name = f"t{self._marks}"
            self._out.append(name)
            await self._send(messages.mark(self._stream_sid, name))

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(SEND_MS_MAX / 1000):
            await self._socket.send(text)
