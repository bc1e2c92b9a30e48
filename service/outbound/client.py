"""The client for requests of our own: it connects to what it has checked, and to nothing else.

    request ──> rules for its URL ──> pool ──> look the host up ──> rules for its addresses ──> connect there

The name is looked up once for a connection, and the connection goes to the address that was judged: a
name that is answered otherwise a moment later leads nowhere else. TLS is still spoken with the name. No
redirect is followed, no proxy of the environment is asked, and no answer is read beyond its limit.
"""

import asyncio
import functools
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore2
import httpx2
from typing_extensions import override

from service.outbound.rules import Rules
from service.redaction import own_words

ADDRESSES_MAX = 4  # of one host that are tried; each may take the whole timeout to connect
LOOK_UP_S_MAX = (
    5.0  # the system's resolver tries for much longer, in a thread that nobody waits for
)

_log = logging.getLogger(__name__)


def open_client(
    rules: Rules, *, bytes_max: int, timeout: httpx2.Timeout, limits: httpx2.Limits | None = None
) -> httpx2.AsyncClient:
    """Return a client that keeps `rules`, and raises ReadError for an answer of more than `bytes_max`."""
    return httpx2.AsyncClient(
        transport=GuardedTransport(rules, bytes_max, limits or httpx2.Limits()),
        timeout=timeout,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # one call's are no other's
        follow_redirects=False,
    )


async def permitted(rules: Rules, host: str, port: int) -> list[str]:
    """Look a host up and return the addresses to connect to. Raises httpcore2.ConnectError."""
    loop = asyncio.get_running_loop()
    reason = rules.against_host(host)
    try:
        async with asyncio.timeout(LOOK_UP_S_MAX):
            found = () if reason else await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as trouble:
        raise httpcore2.ConnectError(f"{host} can't be looked up") from trouble
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    reason = reason or rules.against_addresses(host, addresses)
    if reason:
        _tell(reason)
        raise httpcore2.ConnectError(reason)
    return addresses[:ADDRESSES_MAX]


class GuardedTransport(httpx2.AsyncHTTPTransport):
    """httpx2's transport, over connections that keep the rules."""

    def __init__(self, rules: Rules, bytes_max: int, limits: httpx2.Limits) -> None:
        super().__init__(verify=_trust())
        self._rules = rules
        self._bytes_max = bytes_max
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_trust(),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Pinned(rules),
        )

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See AsyncBaseTransport."""
        url = request.url
        reason = self._rules.against_url(url.scheme, url.host, has_user=bool(url.userinfo))
        if reason:
            _tell(reason)
            raise httpx2.ConnectError(reason, request=request)
        answer = await super().handle_async_request(request)
        assert isinstance(answer.stream, httpx2.AsyncByteStream)
        answer.stream = _Bounded(answer.stream, self._bytes_max)
        return answer


class _Pinned(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were judged."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._network = httpcore2.AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """See AsyncNetworkBackend."""
        trouble = httpcore2.ConnectError(f"{host} has no address")
        for address in await permitted(self._rules, host, port):
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore2.ConnectError as error:
                trouble = error
        raise trouble

    @override
    async def sleep(self, seconds: float) -> None:
        """See AsyncNetworkBackend."""
        await self._network.sleep(seconds)


class _Bounded(httpx2.AsyncByteStream):
    """An answer's body, up to a limit."""

    def __init__(self, stream: httpx2.AsyncByteStream, bytes_max: int) -> None:
        self._stream = stream
        self._left = bytes_max

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._left -= len(piece)
            if self._left < 0:
                raise httpx2.ReadError("the answer is longer than it may be")
            yield piece

    @override
    async def aclose(self) -> None:
        """See AsyncByteStream."""
        await self._stream.aclose()


def _tell(reason: str) -> None:
    """Say which host was refused, and by which setting: it stands in a setting itself."""
    said = own_words(reason)
    _log.error("! a request is refused: %s", said, extra={"action": "outbound_refused"})


@functools.cache
def _trust() -> ssl.SSLContext:
    """The certificates to trust; reading them takes 25 ms of the loop, so once."""
    return httpx2.create_ssl_context()
