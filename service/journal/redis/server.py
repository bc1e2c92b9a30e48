"""A Redis or Valkey server: how it is reached, whose data it holds, how safe its writes are.

Each new connection asks the server who it is before anything is written through it. Its `run_id` is
the *life* of its data: a server that restarted, or another one in its place, may have lost records,
and the scripts then give a call a new incarnation at its next write.

How many replicas must confirm a write is settled when the server is first met: as the setting says,
else one where a replica is attached. See pump.py for what becomes of the writes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    AuthenticationError,
    ConnectionError as Broken,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from service.errors import StoreUnavailable
from service.journal.redis.address import CONNECT_TIMEOUT_S, Address, Spot
from service.journal.values import Durability

# Among several servers another takes over within seconds, so that a silent one is soon given up.
SEVERAL_CONNECT_TIMEOUT_S = 0.5
SEVERAL_ANSWER_TIMEOUT_S = 1.0
SEVERAL_SILENCE_MAX_MS = 200
ANSWER_TIMEOUT_S = 2.0  # a whole pipeline; as long as the SQLite journal waits for a lock
SILENCE_MAX_MS = 2_000  # so that a server that is back is noticed soon

Answer = Any  # what hiredis made of a reply: bytes, an integer, None, or a list of these
Find = Callable[[], Awaitable[Spot]]


class Line(NamedTuple):
    """A connection, the life of the data it leads to, and how many replicas confirm its writes."""

    connection: AbstractConnection
    life: str
    replicas: int


class RedisServer:
    """The server that `find` names, at each new connection anew; without it the one of the URL."""

    def __init__(
        self, address: Address, *, replicas: int | None = None, find: Find | None = None
    ) -> None:
        self._address = address
        self._find = find
        self._replicas = replicas
        if replicas is None and address.kind != "single":
            self._replicas = 1
        self._open: dict[AbstractConnection, Spot] = {}
        is_one = address.kind == "single"
        self.place = str(address.spots[0])
        self.durability = Durability.MEMORY
        self.connect_timeout_s = CONNECT_TIMEOUT_S if is_one else SEVERAL_CONNECT_TIMEOUT_S
        self.answer_timeout_s = ANSWER_TIMEOUT_S if is_one else SEVERAL_ANSWER_TIMEOUT_S
        self.silence_max_ms = SILENCE_MAX_MS if is_one else SEVERAL_SILENCE_MAX_MS

    async def connect(self) -> Line:
        """Open a connection and ask whose it is. Raises RedisError, OSError or TimeoutError."""
        spot = self._address.spots[0] if self._find is None else await self._find()
        self.place = str(spot)
        connection = self._address.line_to(spot, redis_connect_func=partial(_greet_once, []))
        self._open[connection] = spot
        try:
            async with asyncio.timeout(self.connect_timeout_s):
                await connection.connect()  # type: ignore[no-untyped-call]
                return await self._meet(connection)
        except BaseException:
            await self.hang_up(connection)
            raise

    async def hang_up(self, connection: AbstractConnection) -> None:
        """Close a connection, whatever state it is in."""
        self._open.pop(connection, None)
        await hang_up(connection)

    async def leave(self, *, keep: Spot | None = None) -> None:
        """Hang up every connection but those to `keep`; who waits for an answer hears of it at once."""
        for connection, spot in list(self._open.items()):
            if spot != keep:
                await self.hang_up(connection)

    def unavailable(self, error: BaseException) -> StoreUnavailable:
        """Return what to say of `error`, which is its cause."""
        match error:
            case StoreUnavailable():
                return error
            case AuthenticationError():
                advice = "it refuses the password in STORE_URL"
            case ReadOnlyError():
                advice = "it is a replica and takes no writes"
            case ResponseError():
                advice = f"it answers: {str(error)[:200].rstrip('.')}"
            case _:
                advice = str(error)[:200].rstrip(".") or type(error).__name__
        failure = StoreUnavailable(f"Redis at {self.place} can't be used: {advice}.")
        failure.__cause__ = error
        return failure

    async def _meet(self, connection: AbstractConnection) -> Line:
        facts = _facts(await _ask(connection, "INFO", "server"))
        facts |= _facts(await _ask(connection, "INFO", "persistence"))
        facts |= _facts(await _ask(connection, "INFO", "replication"))
        policy = await _ask(connection, "CONFIG", "GET", "appendfsync")
        if self._address.kind == "sentinel" and facts.get("role", "master") != "master":
            raise ReadOnlyError("It is not the primary any more.")
        if self._replicas is None:
            self._replicas = min(int(facts.get("connected_slaves", 0)), 1)
        self.durability = durability_of(
            keeps_a_log=facts.get("aof_enabled") == "1",
            syncs_each=bool(policy) and policy[-1] == b"always",
            replicas=self._replicas,
        )
        return Line(connection, facts.get("run_id", ""), self._replicas)


def durability_of(*, keeps_a_log: bool, syncs_each: bool, replicas: int = 0) -> Durability:
    """Say what an acknowledgement is worth that `replicas` replicas confirm, perhaps none."""
    if replicas:
        return Durability.REPLICA
    if not keeps_a_log:
        return Durability.MEMORY
    return Durability.LOCAL if syncs_each else Durability.BUFFERED


async def hang_up(connection: AbstractConnection) -> None:
    """Close a connection, whatever state it is in."""
    with suppress(RedisError, OSError):
        await connection.disconnect(nowait=True)


async def _greet_once(greeted: list[AbstractConnection], connection: AbstractConnection) -> None:
    # redis-py opens a closed connection again by itself, and would then write to whoever is there now.
    if greeted:
        raise Broken("Hung up.")
    greeted.append(connection)
    await connection.on_connect()


async def _ask(connection: AbstractConnection, *command: str) -> Answer:
    """Ask something that a server may refuse to tell: then the answer is None."""
    await connection.send_command(*command)
    with suppress(ResponseError):
        return await connection.read_response()
    return None


def _facts(info: bytes | None) -> dict[str, str]:
    lines = (info or b"").decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
