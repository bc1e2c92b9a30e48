"""A pump: one connection to Redis, one queue, everything that waits at a moment in one pipeline.

    run(commands) ──> queue ──> [ pipeline ] ──> Redis ──> the waiting callers

1.  Commands of one order stand together and in order. Orders are answered in the order they came.
2.  A caller that is cancelled leaves the connection alone: its order is sent and answered all the same.
3.  Nothing is sent twice unasked. The one exception is a script that the server did not know, since
    then it was certainly not run.
4.  After a failure the pump is silent for a while, longer each time: everybody gets StoreUnavailable
    at once instead of a queue in front of a dead server.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError, ResponseError

from service.errors import StoreUnavailable
from service.journal.redis.scripts import LIFE, SCRIPTS, Command
from service.journal.redis.server import Answer, Line, RedisServer, hang_up

QUEUE_MAX = 4_096  # orders that wait: 2 s of 2,000 writes/s, as long as an answer is waited for
PIPELINE_MAX = (
    128  # orders in one pipeline: about 2 ms of client work, so none waits long for others
)
SILENCE_FIRST_MS = 50  # a server that restarts is back within this at best
SILENCE_MAX_MS = 2_000  # so that a server that is back is noticed soon

logger = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 2  # a whole pipeline; as long as the SQLite journal waits for a lock


@dataclass(slots=True)
class _Order:
    commands: tuple[Command, ...]
    future: asyncio.Future[list[Answer]]


class Pump:
    """Sends to `server`, from one event loop."""

    def __init__(self, server: RedisServer, *, pipeline_max: int = PIPELINE_MAX) -> None:
        self._server = server
        self._line: Line | None = None
        self._pipeline_max = pipeline_max
        self._waiting: deque[_Order] = deque()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._silence_ms = 0
        self._silent_until_s = 0.0

    def start(self) -> None:
        """Start pumping. Starting twice is starting once."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve())

    async def close(self) -> None:
        """Finish what was accepted."""
        task, self._task = self._task, None
        if task is not None:
            self._news.set()
            await asyncio.wait([task])
        await self._drop()

    async def run(self, *commands: Command) -> list[Answer]:
        """Run the commands, return their answers. Raises StoreUnavailable, at the first error too.

        Cancelling the wait does not undo them: they may or may not have run.
        """
        if self._task is None:
            raise StoreUnavailable("The journal is not started, or closed.")
        loop = asyncio.get_running_loop()
        if loop.time() < self._silent_until_s:
            raise StoreUnavailable(f"Redis at {self._server.place} failed just now; trying again.")
        if len(self._waiting) >= QUEUE_MAX:
            raise StoreUnavailable(f"{QUEUE_MAX} commands wait for Redis already.")
        order = _Order(commands, loop.create_future())
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
            answers = await self._send(orders)
            strangers = [n for n, each in enumerate(answers) if _has(each, NoScriptError)]
            if strangers:
                await self._teach()
                again = await self._send([orders[n] for n in strangers])
                for n, answer in zip(strangers, again, strict=True):
                    answers[n] = answer
        except (RedisError, OSError, TimeoutError) as error:
            self._fall_silent()
            self._refuse(orders, self._server.unavailable(error))
            return
        except Exception as error:
            logger.exception("! a command failed", extra={"action": "journal_command_failed"})
            self._refuse(orders, error)
            return
        self._silence_ms = 0
        for order, answer in zip(orders, answers, strict=True):
            _settle(order, answer, self._server)
        if any(_has(answer, ReadOnlyError) for answer in answers):
            # The primary is elsewhere now; the address may lead there when it is asked anew.
            await self._drop()

    async def _send(self, orders: list[_Order]) -> list[list[Answer]]:
        line = await self._live_line()
        commands = [_with_life(each, line.life) for order in orders for each in order.commands]
        connection = line.connection
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                packed = connection.pack_commands(commands)
                await connection.send_packed_command(packed, check_health=False)
                return [[await _reply(connection) for _ in order.commands] for order in orders]
        except BaseException:
            await self._drop()  # it may still have answers to come, which nobody could tell apart
            raise

    async def _teach(self) -> None:
        """Send all scripts to the server."""
        known = (("SCRIPT", "LOAD", each.text) for each in SCRIPTS.values())
        nobody: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        await self._send([_Order(tuple(known), nobody)])

    async def _live_line(self) -> Line:
        if self._line is not None and await self._line.connection.can_read():
            await self._drop()  # nothing was asked, so this is the end of it: the server hung up
        if self._line is None:
            self._line = await self._server.connect()
        return self._line

    async def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await hang_up(line.connection)

    def _refuse(self, orders: list[_Order], error: Exception) -> None:
        for order in orders:
            if not order.future.done():
                order.future.set_exception(error)

    def _fall_silent(self) -> None:
        self._silence_ms = min(max(2 * self._silence_ms, SILENCE_FIRST_MS), SILENCE_MAX_MS)
        loop = asyncio.get_running_loop()
        self._silent_until_s = loop.time() + self._silence_ms / 1_000


def _with_life(command: Command, life: str) -> Command:
    return tuple(life if word is LIFE else word for word in command)


async def _reply(connection: AbstractConnection) -> Answer:
    try:
        return await connection.read_response(disable_decoding=True)
    except ResponseError as error:
        return error


def _has(answer: list[Answer], kind: type[Exception]) -> bool:
    return any(isinstance(each, kind) for each in answer)


def _settle(order: _Order, answer: list[Answer], server: RedisServer) -> None:
    if order.future.done():
        return
    errors = [each for each in answer if isinstance(each, Exception)]
    if errors:
        order.future.set_exception(server.unavailable(errors[0]))
    else:
        order.future.set_result(answer)
