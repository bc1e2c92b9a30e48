"""The streams of calls from pages that this process holds, and what can be done to them from outside.

A page does of its own accord what a carrier has to be asked for: it comes back when its stream is
closed with a code that says so. So to end a call, or to have it come back, is to close its stream.
"""

import asyncio
from typing import Protocol

ENDED = 4000  # the call is over; a page that sees it does not come back
COME_BACK = 1012  # RFC 6455, section 11.7: the service restarts; a page comes back at once


class Closable(Protocol):
    """A page's media socket."""

    async def close(self, code: int, reason: str) -> None:
        """Close it. Never raises, never hangs."""
        ...


class Lines:
    """Which page's socket belongs to which call, in this process."""

    def __init__(self) -> None:
        self._calls: dict[Closable, str] = {}

    def join(self, call_sid: str, socket: Closable) -> None:
        """A socket has proved that it belongs to a call."""
        self._calls[socket] = call_sid

    def part(self, socket: Closable) -> None:
        """A socket is gone; one that never joined is none of ours."""
        self._calls.pop(socket, None)

    async def end(self, call_sid: str) -> None:
        """Close what the call has here: it is over."""
        await self._close(call_sid, ENDED, "ended")

    async def call_back(self, call_sid: str) -> None:
        """Close what the call has here, so that its page comes back."""
        await self._close(call_sid, COME_BACK, "come back")

    async def _close(self, call_sid: str, code: int, reason: str) -> None:
        own = [socket for socket, name in self._calls.items() if name == call_sid]
        await asyncio.gather(*(socket.close(code, reason) for socket in own))
