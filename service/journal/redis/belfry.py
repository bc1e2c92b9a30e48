"""The belfry: rings this process's bells for what any process wrote to Redis.

    append.lua ── PUBLISH stayline:{CA…} ──> one connection for all tails ──> Bells.ring("CA…", head)

1.  A bell that is hung rings once more when its subscription is confirmed: what was written between the
    tail's first page and that moment is found then.
2.  When the connection fails, all bells ring, once it is back: what was published meanwhile is lost, what
    was written is not.
3.  A connection that says nothing, not even to a PING, is taken for dead.
"""

import asyncio
from typing import Protocol

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from service.journal.redis.scripts import CALL_KEY
from service.journal.redis.server import Line
from service.journal.tailing import Bells

PING_MS = 5_000  # how often a quiet connection is asked whether it lives
SILENCE_MAX_MS = 12_000  # without a word, not even a PONG to two PINGs
PAUSE_FIRST_MS = 50  # before the first new connection
PAUSE_MAX_MS = 2_000  # before any later one


class Tower(Protocol):
    """What gives connections to a server that hears of every PUBLISH."""

    async def connect(self) -> Line:
        """Open a connection. Raises RedisError, OSError or TimeoutError."""
        ...

    async def hang_up(self, connection: AbstractConnection) -> None:
        """Close a connection that this gave."""
        ...


class Belfry:
    """Keeps subscriptions on `server` for as long as bells of `bells` hang."""

    def __init__(self, server: Tower, bells: Bells) -> None:
        self._server = server
        self._bells = bells
        self._pause_ms = PAUSE_FIRST_MS
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start listening. Starting twice is starting once."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve())

    async def close(self) -> None:
        """Hear no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _serve(self) -> None:
        while True:
            await self._bells.changed(frozenset())
            try:
                async with asyncio.TaskGroup() as one:
                    one.create_task(self._keep_subscribed())
            except* (RedisError, OSError, TimeoutError):
                # Not logged: whoever writes hears of the same failure, and says it better.
                self._pause_ms = min(2 * self._pause_ms, PAUSE_MAX_MS)
            await asyncio.sleep(self._pause_ms / 1_000)
            self._bells.ring_all()

    async def _keep_subscribed(self) -> None:
        """Listen until the connection fails."""
        connection = (await self._server.connect()).connection
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._listen(connection))
                both.create_task(self._subscribe(connection))
        finally:
            await self._server.hang_up(connection)

    async def _listen(self, connection: AbstractConnection) -> None:
        while True:
            word = await connection.read_response(timeout=SILENCE_MAX_MS / 1_000)
            self._pause_ms = PAUSE_FIRST_MS
            match word:
                case None:
                    raise TimeoutError("Redis says nothing any more.")
                case [b"message", bytes() as channel, bytes() as head]:
                    self._bells.ring(_call_of(channel), int(head) if head.isdigit() else None)
                case [b"subscribe", bytes() as channel, *_]:
                    self._bells.ring(_call_of(channel))
                case _:
                    continue

    async def _subscribe(self, connection: AbstractConnection) -> None:
        """Follow the bells: subscribe to what is hung, leave what is not."""
        subscribed: frozenset[str] = frozenset()
        while True:
            wanted = frozenset(self._bells.calls())
            if new := wanted - subscribed:
                await connection.send_command("SUBSCRIBE", *map(_channel_of, new))
            if old := subscribed - wanted:
                await connection.send_command("UNSUBSCRIBE", *map(_channel_of, old))
            subscribed = wanted
            try:
                async with asyncio.timeout(PING_MS / 1_000):
                    await self._bells.changed(subscribed)
            except TimeoutError:
                await connection.send_command("PING")


def _channel_of(call_sid: str) -> str:
    return CALL_KEY % call_sid


def _call_of(channel: bytes) -> str:
    return channel.decode(errors="replace").removeprefix("stayline:{").removesuffix("}")
