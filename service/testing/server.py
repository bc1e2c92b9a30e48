"""The real application on a real socket, in a thread of its own: one `stayline serve` inside the test.

    knocking ──> one listening socket, held by the test ──> the server that runs now
                                                            (killed or stopped: the next one)

The listening socket outlives its servers, so who knocks in between waits a moment and is let in by the
next: what a balancer does for the callers of a service that restarts.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable

from starlette.applications import Starlette
from typing_extensions import override

from service import serving
from service.errors import StoreUnavailable
from service.parts import Parts
from service.testing.thread import LoopThread

HOST = "127.0.0.1"  # a test is for this machine only
START_MS_MAX = 60_000  # real engines load in seconds; without them it is a tenth of one
STOP_S_MAX = 5  # an orderly end: every call writes where it stands

_UVICORN_LOG = logging.getLogger("uvicorn.error")
_WRITES = ("open", "claim", "append", "snapshot", "lease", "spend", "erase", "sweep")


def listening() -> socket.socket:
    """Return a socket that listens on a free port of this machine."""
    # With the protocol named, asyncio sets TCP_NODELAY; without it, every answer waits 40 ms for an ACK.
    ours = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    ours.bind((HOST, 0))
    ours.listen()
    return ours


class _Silence(logging.Filter):
    """Keeps out of the log what one thread says: the dead don't complain that they were killed."""

    def __init__(self) -> None:
        super().__init__()
        self.thread = 0

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self.thread


class _Uvicorn(serving.Server):
    """The server of `stayline serve`, which can fail to start without ending the program."""

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:  # It is meant for a program; a server in a test ends alone.
            raise RuntimeError("the service did not start; see the log") from None


class Server:
    """Serves the application that `make` returns, from the start until `stop` or `kill`."""

    def __init__(self, make: Callable[[], Starlette], door: socket.socket) -> None:
        """Start it. Raises what `make` raises."""
        self._make = make
        self._door = door.dup()  # uvicorn closes what it is given
        self._uvicorn: _Uvicorn | None = None
        self._silence = _Silence()
        self.thread = LoopThread("the server", self._fall)
        try:
            self.thread.do(self._start(), within_ms=START_MS_MAX)
        except BaseException:
            self.kill()
            raise

    async def _start(self) -> None:
        app = self._make()
        self.parts: Parts = app.state.parts
        self._uvicorn = _Uvicorn(serving.settings(app, stop_s=STOP_S_MAX))
        self._serving = asyncio.create_task(self._uvicorn.serve(sockets=[self._door]))
        ready = asyncio.create_task(self._uvicorn.serving.wait())
        await asyncio.wait({self._serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            await self._serving

    def stop(self) -> None:
        """End it as a deploy does: streams are closed with 1012, every call is written."""
        self.thread.do(self._stop())
        self.kill()

    async def _stop(self) -> None:
        assert self._uvicorn is not None, "it was started"
        self._uvicorn.end()
        await self._serving

    def kill(self) -> None:
        """End it between two steps, with nothing written and nobody told, as `kill -9` does.

        Harmless when it has ended before.
        """
        try:
            self.thread.halt()
        finally:
            _UVICORN_LOG.removeFilter(self._silence)

    def _fall(self) -> None:
        """Cut whatever leaves this server; the cleaning up that follows is done by a ghost."""
        self._silence.thread = threading.get_ident()
        _UVICORN_LOG.addFilter(self._silence)
        if self._uvicorn is not None:
            for name in _WRITES:
                setattr(self.parts.journal, name, _refuse)
                setattr(self.parts.journal.engine, name, _refuse)
            for server in getattr(self._uvicorn, "servers", ()):
                server.close()
            for connection in list(self._uvicorn.server_state.connections):
                if connection.transport is not None:
                    connection.transport.abort()
        self._door.close()  # Last: the loop must let go of it while it has a number.


async def _refuse(*_arguments: object, **_named: object) -> None:
    raise StoreUnavailable("this server was killed")
