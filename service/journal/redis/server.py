"""A Redis or Valkey server: how it is reached, whose data it holds, how safe its writes are.

Each new connection asks the server who it is before anything is written through it. Its `run_id` is
the *life* of its data: a server that restarted, or another one in its place, may have lost records,
and the scripts then give a call a new incarnation at its next write.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, ReadOnlyError, RedisError, ResponseError

from service.errors import ConfigError, StoreUnavailable
from service.journal.values import Durability

CONNECT_TIMEOUT_S = 1  # a handshake in one region takes milliseconds

_OPTIONS: Final = {
    "socket_timeout": None,  # each caller bounds its whole exchange instead
    "socket_connect_timeout": CONNECT_TIMEOUT_S,
    "socket_keepalive": True,
    "protocol": 2,
    "decode_responses": False,
    # A command that was sent is never sent again unasked: it may have been run.
    "retry": Retry(NoBackoff(), 0),
}

Answer = Any  # what hiredis made of a reply: bytes, an integer, None, or a list of these


class Line(NamedTuple):
    """A connection, and the life of the data that it leads to."""

    connection: AbstractConnection
    life: str


class RedisServer:
    """The server at `url`. Raises ConfigError for a URL that means none."""

    def __init__(self, url: str) -> None:
        try:
            options: dict[str, Any] = {**parse_url(url), **_OPTIONS}
            kind: type[AbstractConnection] = options.pop("connection_class", Connection)
            self._connection: Callable[[], AbstractConnection] = partial(kind, **options)
            self._connection()
        except (ValueError, TypeError) as error:
            raise ConfigError("STORE_URL: this redis:// address can't be read.") from error
        self.place = f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"
        self.durability = Durability.MEMORY

    async def connect(self) -> Line:
        """Open a connection and ask whose it is. Raises RedisError, OSError or TimeoutError."""
        connection = self._connection()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await connection.connect()  # type: ignore[no-untyped-call]
                return Line(connection, await self._meet(connection))
        except BaseException:
            await hang_up(connection)
            raise

    def unavailable(self, error: BaseException) -> StoreUnavailable:
        """Return what to say of `error`."""
        match error:
            case AuthenticationError():
                advice = "it refuses the password in STORE_URL"
            case ReadOnlyError():
                advice = "it is a replica and takes no writes"
            case ResponseError():
                advice = f"it answers: {str(error)[:200].rstrip('.')}"
            case _:
                advice = str(error)[:200].rstrip(".") or type(error).__name__
        return StoreUnavailable(f"Redis at {self.place} can't be used: {advice}.")

    async def _meet(self, connection: AbstractConnection) -> str:
        facts = _facts(await _ask(connection, "INFO", "server"))
        facts |= _facts(await _ask(connection, "INFO", "persistence"))
        policy = await _ask(connection, "CONFIG", "GET", "appendfsync")
        self.durability = durability_of(
            keeps_a_log=facts.get("aof_enabled") == "1",
            syncs_each=bool(policy) and policy[-1] == b"always",
        )
        return facts.get("run_id", "")


def durability_of(*, keeps_a_log: bool, syncs_each: bool) -> Durability:
    """Say what an acknowledgement of one Redis server, without replicas, is worth."""
    if not keeps_a_log:
        return Durability.MEMORY
    return Durability.LOCAL if syncs_each else Durability.BUFFERED


async def hang_up(connection: AbstractConnection) -> None:
    """Close a connection, whatever state it is in."""
    with suppress(RedisError, OSError):
        await connection.disconnect(nowait=True)


async def _ask(connection: AbstractConnection, *command: str) -> Answer:
    """Ask something that a server may refuse to tell: then the answer is None."""
    await connection.send_command(*command)
    with suppress(ResponseError):
        return await connection.read_response()
    return None


def _facts(info: bytes | None) -> dict[str, str]:
    lines = (info or b"").decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
