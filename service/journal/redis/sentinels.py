"""The Sentinels: who knows which server is the primary, and says when another takes over.

    primary()   every Sentinel is asked at once; of their answers the one that was agreed last counts
    watch       each one's +switch-master is listened to, so that nobody goes on with the old primary

A Sentinel that was cut off may name a primary of the past. That is found by the configuration's epoch,
which grows with each failover; and a server that is no primary any more is refused when it is met.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import NamedTuple

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as Broken, RedisError, ResponseError

from service.journal.redis.address import Address, Spot
from service.journal.redis.server import Answer, hang_up

ASK_TIMEOUT_S = 0.5  # Sentinels do little else; one that takes longer is as good as dead
PING_S = 5  # how often a quiet subscription is asked whether it lives
PAUSE_MS = 1_000  # between two attempts to listen to a Sentinel that does not answer

OnSwitch = Callable[[Spot], Awaitable[None]]


class _View(NamedTuple):
    """What one Sentinel says of the primary."""

    epoch: int
    spot: Spot
    is_down: bool  # as enough Sentinels agree: another takes over just now


class Sentinels:
    """The Sentinels at `address`; `on_switch` is told of each new primary that any of them names."""

    def __init__(self, address: Address, chance: Random, on_switch: OnSwitch) -> None:
        self._address = address
        self._chance = chance
        self._on_switch = on_switch
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Start listening. Starting twice is starting once."""
        if not self._tasks:
            loop = asyncio.get_running_loop()
            self._tasks = {loop.create_task(self._watch(spot)) for spot in self._address.spots}

    async def close(self) -> None:
        """Listen no more."""
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def primary(self) -> Spot:
        """Return where the primary is. Raises RedisError when no Sentinel knows."""
        answers = await asyncio.gather(
            *(self._ask(spot) for spot in self._address.spots), return_exceptions=True
        )
        views = [answer for answer in answers if isinstance(answer, _View)]
        if not views:
            raise _worst(answers)
        newest = max(views, key=lambda view: view.epoch)
        if newest.is_down:
            raise Broken(f"the primary {self._address.name} is down; the Sentinels choose another")
        return newest.spot

    async def _ask(self, spot: Spot) -> _View:
        connection = self._address.watch_line_to(spot)
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                await connection.connect()  # type: ignore[no-untyped-call]
                await connection.send_command("SENTINEL", "MASTER", self._address.name)
                return _view(await connection.read_response())
        finally:
            await hang_up(connection)

    async def _watch(self, spot: Spot) -> None:
        while True:
            connection = self._address.watch_line_to(spot)
            try:
                await self._listen(connection)
            except (RedisError, OSError, TimeoutError):
                # Not logged: whoever writes hears of the same failure, and says it better.
                await asyncio.sleep(self._chance.randint(PAUSE_MS // 2, PAUSE_MS) / 1_000)
            finally:
                await hang_up(connection)

    async def _listen(self, connection: AbstractConnection) -> None:
        async with asyncio.timeout(ASK_TIMEOUT_S):
            await connection.connect()  # type: ignore[no-untyped-call]
            await connection.send_command("SUBSCRIBE", "+switch-master")
        is_asked = False
        while True:
            word = await connection.read_response(timeout=PING_S)
            match word:
                case None if is_asked:
                    raise TimeoutError("The Sentinel says nothing any more.")
                case None:
                    await connection.send_command("PING")
                case [b"message", _, bytes() as news]:
                    await self._heed(news)
                case _:
                    pass
            is_asked = word is None

    async def _heed(self, news: bytes) -> None:
        name, _, _, host, port = news.decode(errors="replace").split(" ")
        if name == self._address.name:
            await self._on_switch(Spot(host, int(port)))


def _view(answer: list[Answer]) -> _View:
    facts = dict(zip(answer[::2], answer[1::2], strict=True))
    spot = Spot(facts[b"ip"].decode(), int(facts[b"port"]))
    return _View(int(facts[b"config-epoch"]), spot, b"o_down" in facts[b"flags"].split(b","))


def _worst(answers: list[_View | BaseException]) -> Exception:
    """Return what to say when no Sentinel answered with a primary."""
    for answer in answers:
        if isinstance(answer, ResponseError):
            return answer
    return Broken("no Sentinel answers")
