"""A stream that asks a session for its call."""

import asyncio
from collections.abc import Sequence

import msgspec

from service.call import inputs as i
from service.session.means import Socket

AGAIN = 0  # this session is ending; another one may take the stream
REFUSED = -1  # the call is over, a newer stream took it at once, or it can't be written


class Arrival(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """An authenticated stream that asks for the call. `done` gets its epoch, AGAIN or REFUSED."""

    socket: Socket
    stream_sid: str
    door: i.Door
    opening: Sequence[bytes]
    parameters: dict[str, str]
    is_known: bool
    echoes: bool = False  # the peer is known to send marks back
    is_fresh: bool = True  # it came so soon after its document that nobody can have had the call
    started_us: int
    done: asyncio.Future[int]

    def answer(self, epoch: int) -> bool:
        """Say who got the call, once. False when it was said before, or nobody waits any more."""
        if self.done.done():
            return False
        self.done.set_result(epoch)
        return True
