"""One stream's way out: texts leave in order, at once where the socket takes them, else by waiting for it.

    put ──┬─ say: the socket takes it at once ────────────────────> the peer
          └─ it doesn't: one task sends it, and what follows ─────> the peer     ends when nothing is left

How long a peer may take nothing is for whoever steps us to look at: no message has a timer of its own.
"""

import asyncio
from collections.abc import Callable
from contextvars import copy_context

from service.clock import Clock
from service.session.means import Socket

SEND_MS_MAX = 2_000  # a peer that takes nothing for so long is gone


class Outflow:
    """Sends on one socket. What waits is bounded by who puts: while it `is_stalled` there is nothing to add.

    `on_room` hears that nothing waits any more, `on_lost` what sending raised.
    """

    def __init__(
        self,
        socket: Socket,
        clock: Clock,
        *,
        on_room: Callable[[], None],
        on_lost: Callable[[Exception], None],
    ) -> None:
        self._socket = socket
        self._clock = clock
        self._on_room = on_room
        self._on_lost = on_lost
        self._waiting: list[str] = []  # while the peer takes nothing; audio comes no more then
        self._sending: asyncio.Task[None] | None = None
        self._stood_ms: int | None = None  # since when the peer has taken nothing
        self._scope = copy_context()  # the call's, whoever puts

    @property
    def is_stalled(self) -> bool:
        """Whether something is on its way that the socket has not taken."""
        return self._sending is not None

    def now_ms(self) -> int:
        """The present; while the peer takes nothing the moment since when, and at the end that of the end.

        What was heard is told by it: nobody hears what is stuck here, however long ago it was put.
        """
        return self._clock.now_ms() if self._stood_ms is None else self._stood_ms

    @property
    def gone_at_ms(self) -> int:
        """When the peer counts as gone if it takes nothing before; of a stalled one."""
        return self.now_ms() + SEND_MS_MAX

    def put(self, *texts: str) -> None:
        """Send texts behind all others, in one go where the socket takes them."""
        if self._sending is None:
            if self._socket.say(*texts):
                return
            self._stood_ms = self._clock.now_ms()
            self._sending = asyncio.create_task(self._send(), context=self._scope)
        self._waiting.extend(texts)

    def drop(self) -> None:
        """Send nothing of what waits. Of a stalled one the text that is under way can't be taken back."""
        self._waiting.clear()

    def stop(self) -> asyncio.Task[None] | None:
        """Send nothing more. Returns what is still ending."""
        self._waiting.clear()
        self._stood_ms = self.now_ms()
        sending, self._sending = self._sending, None
        if sending is not None:
            sending.cancel()
        return sending

    async def _send(self) -> None:
        try:
            while self._waiting:
                self._stood_ms = self._clock.now_ms()
                await self._socket.send(self._waiting.pop(0))
        except Exception as trouble:  # noqa: BLE001 - whoever steps us tells a peer that is gone from a fault
            self._sending = None
            self._on_lost(trouble)
        else:
            self._sending = self._stood_ms = None
            self._on_room()
