"""A pump: one connection to Redis, one queue, everything that waits at a moment in one pipeline.

    run(commands) ──> queue ──> [ pipeline, WAIT ] ──> Redis ──> the waiting callers

1.  Commands of one order stand together and in order. Orders are answered in the order they came.
2.  A caller that is cancelled leaves the connection alone: its order is sent and answered all the same.
3.  Nothing is sent twice unasked. The one exception is a script that the server did not know, since
    then it was certainly not run.
4.  Where replicas count, a pipeline that writes ends with WAIT: what stands before it is acknowledged
    only when enough of them have it. Otherwise they are asked again, for a while, over the same
    connection, which covers all that was written through it; and then it is `Unreplicated`.
5.  After a failure the pump is silent for a while, longer each time: everybody gets StoreUnavailable
    at once instead of a queue in front of a dead server.
"""

import asyncio
import logging
from collections import deque
from random import Random
from typing import NamedTuple, Protocol

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    ExecAbortError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from service import scope
from service.errors import StoreUnavailable
from service.journal.redis.scripts import LIFE, SCRIPTS, Command
from service.journal.redis.server import Answer, Line, RedisServer

QUEUE_MAX = 4_096  # orders that wait: 2 s of 2,000 writes/s, as long as an answer is waited for
PIPELINE_MAX = (
    128  # orders in one pipeline: about 2 ms of client work, so none waits long for others
)
SILENCE_FIRST_MS = 50  # a server that restarts is back within this at best
WAIT_MS = 200  # for replicas; a thousand times what one in the same region takes
WAITS_MAX = 4  # of them: a replica that was busy for a moment fails nobody

logger = logging.getLogger(__name__)


class Unreplicated(StoreUnavailable):
    """The commands were run and gave `answers`, but too few replicas have what they wrote."""

    def __init__(self, place: str, answers: list[Answer]) -> None:
        super().__init__(
            f"Redis at {place} wrote, but too few replicas confirmed it (STORE_REPLICAS)."
        )
        self.answers = answers


class Pumps(Protocol):
    """A pump, or one for each node."""

    def start(self) -> None:
        """Start pumping."""
        ...

    async def close(self) -> None:
        """Finish what was accepted."""
        ...

    async def run(self, *commands: Command, waits: int = ...) -> list[Answer]:
        """See Pump.run."""
        ...


class _Sent(NamedTuple):
    """What came of an order: its answers, by which line, and whether they hold if it is lost."""

    answers: list[Answer]
    line: Line
    is_kept: bool


class _Order(NamedTuple):
    commands: tuple[Command, ...]
    future: "asyncio.Future[_Sent]"


class Pump:
    """Sends to `server`, from one event loop. One that `is_reading` never waits for replicas."""

    def __init__(
        self,
        server: RedisServer,
        chance: Random,
        *,
        pipeline_max: int = PIPELINE_MAX,
        is_reading: bool = False,
    ) -> None:
        self._server = server
        self._chance = chance
        self._line: Line | None = None
        self._pipeline_max = pipeline_max
        self._is_reading = is_reading
        self._waiting: deque[_Order] = deque()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._silence_ms = 0
        self._silent_until_s = 0.0

    def start(self) -> None:
        """Start pumping. Starting twice is starting once."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(
                self._serve(), context=scope.of_nobody()
            )

    async def close(self) -> None:
        """Finish what was accepted."""
        task, self._task = self._task, None
        if task is not None:
            self._news.set()
            await asyncio.wait([task])
        await self._drop()

    @property
    def is_silent(self) -> bool:
        """Whether it would refuse everything now, since the server failed just now."""
        return asyncio.get_running_loop().time() < self._silent_until_s

    async def run(self, *commands: Command, waits: int = WAITS_MAX) -> list[Answer]:
        """Run the commands, return their answers. Raises StoreUnavailable, at the first error too.

        Replicas are waited for `waits` times. Cancelling the wait does not undo the commands: they may
        or may not have run.
        """
        sent = await self._ordered(commands)
        errors = [each for each in sent.answers if isinstance(each, Exception)]
        if errors:
            raise self._server.unavailable(min(errors, key=_vagueness))
        is_kept = sent.is_kept
        for _ in range(waits - 1):
            if is_kept:
                break
            again = await self._ordered((("PING",),))
            if again.line is not sent.line:
                break
            is_kept = again.is_kept
        if not is_kept:
            raise Unreplicated(self._server.place, sent.answers)
        return sent.answers

    async def _ordered(self, commands: tuple[Command, ...]) -> _Sent:
        if self._task is None:
            raise StoreUnavailable("The journal is not started, or closed.")
        if self.is_silent:
            raise StoreUnavailable(f"Redis at {self._server.place} failed just now; trying again.")
        if len(self._waiting) >= QUEUE_MAX:
            raise StoreUnavailable(f"{QUEUE_MAX} commands wait for Redis already.")
        order = _Order(commands, asyncio.get_running_loop().create_future())
        self._waiting.append(order)
        self._news.set()
        return await order.future

    async def _serve(self) -> None:
        while self._task is not None or self._waiting:
            if not self._waiting:
                self._news.clear()
                await self._news.wait()
            count = min(len(self._waiting), self._pipeline_max)
            orders = [self._waiting.popleft() for _ in range(count)]
            if orders:
                await self._answer(orders)

    async def _answer(self, orders: list[_Order]) -> None:
        try:
            sent = await self._send([order.commands for order in orders])
            strangers = [n for n, each in enumerate(sent) if _has(each.answers, NoScriptError)]
            if strangers:
                await self._send([_lessons()])
                again = await self._send([orders[n].commands for n in strangers])
                for n, each in zip(strangers, again, strict=True):
                    sent[n] = each
        except (RedisError, OSError, TimeoutError, StoreUnavailable) as error:
            self._fall_silent()
            _refuse(orders, self._server.unavailable(error))
            return
        except Exception as error:
            logger.exception("! a command failed", extra={"action": "journal_command_failed"})
            _refuse(orders, error)
            return
        self._silence_ms = 0
        for order, each in zip(orders, sent, strict=True):
            if not order.future.done():
                order.future.set_result(each)
        if any(_has(each.answers, ReadOnlyError) for each in sent):
            # The primary is elsewhere now; the address may lead there when it is asked anew.
            await self._drop()

    async def _send(self, groups: list[tuple[Command, ...]]) -> list[_Sent]:
        line = await self._live_line()
        commands = [_with_life(each, line.life) for group in groups for each in group]
        needed = 0 if self._is_reading else line.replicas
        if needed:
            commands.append(("WAIT", needed, WAIT_MS))
        connection = line.connection
        try:
            async with asyncio.timeout(self._server.answer_timeout_s):
                packed = connection.pack_commands(commands)
                await connection.send_packed_command(packed, check_health=False)
                answers = [[await _reply(connection) for _ in group] for group in groups]
                kept = await _reply(connection) if needed else 0
        except BaseException:
            await self._drop()  # it may still have answers to come, which nobody could tell apart
            raise
        is_kept = isinstance(kept, int) and kept >= needed
        return [_Sent(each, line, is_kept) for each in answers]

    async def _live_line(self) -> Line:
        if self._line is not None:
            connection = self._line.connection
            if not connection.is_connected or await connection.can_read():
                # Nothing was asked, so this is the end of it: the server hung up.
                await self._drop()
        if self._line is None:
            self._line = await self._server.connect()
        return self._line

    async def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await self._server.hang_up(line.connection)

    def _fall_silent(self) -> None:
        longest_ms = self._server.silence_max_ms
        self._silence_ms = min(max(2 * self._silence_ms, SILENCE_FIRST_MS), longest_ms)
        # Whoever lost the same server comes back at different times.
        silence_ms = self._chance.randint(self._silence_ms // 2, self._silence_ms)
        self._silent_until_s = asyncio.get_running_loop().time() + silence_ms / 1_000


def _refuse(orders: list[_Order], error: Exception) -> None:
    for order in orders:
        if not order.future.done():
            order.future.set_exception(error)


def _lessons() -> tuple[Command, ...]:
    """Return what teaches a server all scripts."""
    return tuple(("SCRIPT", "LOAD", each.text) for each in SCRIPTS.values())


def _with_life(command: Command, life: str) -> Command:
    return tuple(life if word is LIFE else word for word in command)


async def _reply(connection: AbstractConnection) -> Answer:
    try:
        return await connection.read_response(disable_decoding=True)
    except ResponseError as error:
        return error


def _has(answer: list[Answer], kind: type[Exception]) -> bool:
    return any(isinstance(each, kind) for each in answer)


def _vagueness(error: Exception) -> int:
    # EXECABORT only repeats that a command before it was refused, and that one says why.
    return 1 if isinstance(error, ExecAbortError) else 0
