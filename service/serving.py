"""How the application is served: one place for uvicorn, whoever starts it.

    SIGTERM ──> drain: every call is moved, the server goes on answering ──> shutdown ──> the end
    SIGTERM again, or SIGINT ─────────────────────────────────────────────┘ now

uvicorn by itself would close every media stream at the first signal, with 1012, within a tenth of a
second. Whatever hangs, the process is gone EXIT_S_MAX after the first signal.
"""

import asyncio
import errno
import faulthandler
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from typing_extensions import override

from service.errors import ConfigError
from service.protocol.messages import MESSAGE_BYTES_MAX
from service.wire.address import Proxies
from service.wire.crowd import Crowd
from service.wire.request import HttpWire
from service.wire.rounds import Rounds
from service.wire.turnstile import Turnstile
from service.wire.websocket import Wire

EXIT_S_MAX = 27.5  # platforms kill 30 s after they asked; what hangs then leaves its trace behind
NOW_S_MAX = 6.0  # the same for whoever asked twice: every call is still written
TICK_S = 1.0  # the Date header of the answers
# Both together: a peer that is gone is found in 5.5 s, whatever we send. Twilio answers pings at once.
PING_S, PONG_S = 2.5, 3.0
WAITING_MAX = 2_048  # connections that nobody accepted yet: a herd, all at once
UNACKNOWLEDGED_MS_MAX = 5_000  # then the kernel gives a connection up, also one that takes nothing

LOCAL_PROXIES = ("127.0.0.1", "::1")

SAME_S_MAX = 0.5  # some platforms tell every process, and a parent passes it on: that is one signal

_NO_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)

_log = logging.getLogger(__name__)


def settings(
    app: Starlette,
    *,
    stop_s: int,
    proxies: Sequence[str] = LOCAL_PROXIES,
    turnstile: Turnstile | None = None,
    rounds: Rounds | None = None,
    told: Callable[[str], None] = lambda _limit: None,
    **more: Any,
) -> uvicorn.Config:
    """Return uvicorn's settings for `app`; `stop_s` is its patience with open sockets at the end.

    `proxies` are the addresses and networks whose word is believed on who asks (X-Forwarded-For). Requests
    and streams wait at the `turnstile`, and streams are read in `rounds` while the process is busy; `told` hears of each
    connection that was cut by which limit.
    """
    paced: dict[str, Any] = {
        "turnstile": Turnstile() if turnstile is None else turnstile,
        "told": told,
    }
    chosen: dict[str, Any] = {
        "http": partial(HttpWire, crowd=Crowd(Proxies(proxies)), **paced),
        "forwarded_allow_ips": list(proxies),
        "ws": partial(Wire, rounds=Rounds() if rounds is None else rounds, **paced),
        "ws_max_size": MESSAGE_BYTES_MAX,
        "ws_per_message_deflate": False,
        "ws_ping_interval": PING_S,
        "ws_ping_timeout": PONG_S,
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": stop_s,
    }
    return uvicorn.Config(app, **{**chosen, **more})


def listening(host: str, port: int) -> list[socket.socket]:
    """Return sockets bound to every address of `host`; port 0 takes a free one.

    What they accept gives a peer up that acknowledges nothing, where the platform can. Raises
    ConfigError.
    """
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as trouble:
        raise ConfigError(f"HOST: {host} is no address: {trouble}") from trouble
    ours: list[socket.socket] = []
    for family, _, _, _, address in dict.fromkeys(found):
        try:
            ours.append(_listening(family, address))
        except OSError as trouble:
            if trouble.errno in _NO_FAMILY and len(found) > 1:
                continue  # "localhost" is two addresses, and not every machine has both families
            for one in ours:
                one.close()
            raise ConfigError(
                f"PORT: can't listen on {host}:{port}: {trouble.strerror}"
            ) from trouble
    if not ours:
        raise ConfigError(f"HOST: this machine has no address of {host}")
    return ours


def _listening(family: int, address: Any) -> socket.socket:
    # With the protocol named asyncio sets TCP_NODELAY; without, every answer waits 40 ms for an ACK.
    one = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS_MAX)
        one.bind(address)
        one.listen(WAITING_MAX)  # Who knocks while the models load waits, and is not turned away.
    except OSError:
        one.close()
        raise
    return one


class Server(uvicorn.Server):
    """uvicorn's server, which tells when it serves and is told when to end.

    With `drain`, a signal ends it, and `drain` is what it does first. Without, signals belong to the
    program around it.
    """

    def __init__(
        self, config: uvicorn.Config, drain: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        super().__init__(config)
        self.serving = asyncio.Event()
        self._drain = drain
        self._draining: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told_s = self._gone_s = 0.0  # by the loop's clock; 0 while nobody told us to end

    def end(self) -> None:
        """End now, in order: sockets are closed, then the application."""
        self.should_exit = True
        self._ending.set()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server.startup."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self.serving.set()

    @override
    async def main_loop(self) -> None:
        """See uvicorn.Server.main_loop: that one looks ten times a second whether it should end."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._ending.wait()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server.shutdown."""
        if self._draining is not None:
            self._draining.cancel()
        await super().shutdown(sockets)

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See uvicorn.Server.capture_signals."""
        if self._drain is None:
            yield
            return
        with super().capture_signals():
            yield

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal; it is not raised again at the end, because to end was what it asked for."""
        if self._loop is None:
            self.should_exit = True  # Before there is anything to move.
        else:
            may_wait = sig == signal.SIGTERM
            self._loop.call_soon_threadsafe(self._take, may_wait, self._loop.time())

    def _take(self, may_wait: bool, at_s: float) -> None:  # noqa: FBT001 - called by position
        if may_wait and self._draining is None and self.started and self._drain is not None:
            self._told_s = at_s
            self._gone_within(EXIT_S_MAX)
            self._draining = asyncio.get_running_loop().create_task(self._leave(self._drain))
        elif not may_wait or at_s - self._told_s > SAME_S_MAX:
            self._gone_within(NOW_S_MAX)
            self.end()

    async def _leave(self, drain: Callable[[], Awaitable[None]]) -> None:
        try:
            await drain()
        except Exception:  # noqa: BLE001 - whatever failed, we are to end
            _log.exception("! the drain failed", extra={"action": "drain_failed"})
        self.end()

    def _gone_within(self, most_s: float) -> None:
        """Bound the rest of this process's life; a later bound changes nothing."""
        now_s = asyncio.get_running_loop().time()
        self._gone_s = min(self._gone_s or now_s + most_s, now_s + most_s)
        self.exit_after(self._gone_s - now_s)

    def exit_after(self, left_s: float) -> None:
        """Have this process gone in so many seconds, with a trace of what hung and exit code 1."""
        faulthandler.dump_traceback_later(max(left_s, 0.1), exit=True)
