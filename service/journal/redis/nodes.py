"""The pumps of a Cluster: each order goes to the node that holds its slot, a pump for each node.

    run(ZADD list …, EVALSHA call …) ──> order per slot, one after the other ──> pump of its node
                                                MOVED, ASK: again, there: it was certainly not run
                                                TRYAGAIN:   again, soon: half of a call has moved

A slot's commands stay one order. What writes is sent slot after slot, so that what comes first is kept
first; what only reads is asked of all nodes at once.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    ResponseError,
    TryAgainError,
)

from service.errors import StoreUnavailable
from service.journal.redis.address import Spot
from service.journal.redis.cluster import Cluster
from service.journal.redis.pump import PIPELINE_MAX, WAITS_MAX, Pump
from service.journal.redis.scripts import Command
from service.journal.redis.server import Answer

REDIRECTS_MAX = 8  # a slot has one holder; more is a Cluster that does not agree with itself
TRIES_MAX = 60  # of a call of which half has moved: with the pauses about a second and a half
TRY_PAUSE_MS = 32

_KEYLESS = frozenset({"MULTI", "EXEC", "PING", "TIME"})
_ASKING: Command = ("ASKING",)


class NodePumps:
    """Sends to the nodes of `cluster`, from one event loop, as a Pump does to one server."""

    def __init__(
        self,
        cluster: Cluster,
        chance: Random,
        *,
        pipeline_max: int = PIPELINE_MAX,
        is_reading: bool = False,
    ) -> None:
        self._cluster = cluster
        self._chance = chance
        self._pipeline_max = pipeline_max
        self._is_reading = is_reading
        self._pumps: dict[Spot, Pump] = {}
        self._is_started = False

    def start(self) -> None:
        """Start pumping. Starting twice is starting once."""
        self._is_started = True

    async def close(self) -> None:
        """Finish what was accepted."""
        self._is_started = False
        pumps, self._pumps = self._pumps, {}
        await asyncio.gather(*(pump.close() for pump in pumps.values()))

    async def run(self, *commands: Command, waits: int = WAITS_MAX) -> list[Answer]:
        """See Pump.run. Commands without a key go with those after them, or alone to every node."""
        if not self._is_started:
            raise StoreUnavailable("The journal is not started, or closed.")
        orders = list(_by_slot(commands))
        if not orders:
            return await self._everywhere(commands)
        if self._is_reading:
            parts = await asyncio.gather(*(self._run(*order, waits) for order in orders))
        else:
            parts = [await self._run(*order, waits) for order in orders]
        return [answer for part in parts for answer in part]

    async def _everywhere(self, commands: tuple[Command, ...]) -> list[Answer]:
        await self._cluster.learn()
        spots = sorted(self._cluster.holders())
        parts = await asyncio.gather(*(self._pump(spot).run(*commands) for spot in spots))
        return parts[0] if parts else []

    async def _run(self, slot: int, order: tuple[Command, ...], waits: int) -> list[Answer]:
        course = _Course(await self._cluster.holder(slot))
        while True:
            try:
                pump = self._pump(course.spot)
                answers = await pump.run(*course.framed(order), waits=waits)
            except StoreUnavailable as error:
                if not await self._turned(course, slot, error.__cause__):
                    raise
            else:
                self._cluster.trust(course.spot)
                return course.unframed(answers, order)

    async def _turned(self, course: "_Course", slot: int, cause: BaseException | None) -> bool:
        """Say whether the order was certainly not run and goes on by another course."""
        match cause:
            case MovedError() if course.redirects < REDIRECTS_MAX:
                course.turn(cause)
                self._cluster.moved(slot, course.spot)
            case AskError() if course.redirects < REDIRECTS_MAX:
                course.turn(cause)
            case TryAgainError() if course.tries < TRIES_MAX:
                pause_ms = self._chance.randint(TRY_PAUSE_MS // 2, TRY_PAUSE_MS)
                await asyncio.sleep(pause_ms / 1_000)
                course.begin_again(await self._cluster.holder(slot))
            case ClusterDownError():
                self._cluster.doubt(course.spot)
                return False
            case ResponseError():
                return False
            case _:
                self._cluster.doubt(course.spot)
                return False
        return True

    def _pump(self, spot: Spot) -> Pump:
        if spot not in self._pumps:
            pump = Pump(
                self._cluster.server_at(spot),
                self._chance,
                pipeline_max=self._pipeline_max,
                is_reading=self._is_reading,
            )
            pump.start()
            self._pumps[spot] = pump
        return self._pumps[spot]


@dataclass(slots=True)
class _Course:
    """Where an order goes, and how it got there."""

    spot: Spot
    is_asking: bool = False
    redirects: int = 0
    tries: int = 0

    def turn(self, to: AskError) -> None:
        # A node that does not know its own address names only the port.
        self.spot = Spot(to.host or self.spot.host, to.port)
        self.is_asking = not isinstance(to, MovedError)
        self.redirects += 1

    def begin_again(self, spot: Spot) -> None:
        self.spot, self.is_asking, self.redirects = spot, False, 0
        self.tries += 1

    def framed(self, order: tuple[Command, ...]) -> tuple[Command, ...]:
        """Return the order as it is sent: the holder to be takes only what was sent on to it."""
        if not self.is_asking:
            return order
        if order[0] == ("MULTI",):
            return (_ASKING, *order)
        return tuple(each for command in order for each in (_ASKING, command))

    def unframed(self, answers: list[Answer], order: tuple[Command, ...]) -> list[Answer]:
        if not self.is_asking:
            return answers
        return answers[1:] if order[0] == ("MULTI",) else answers[1::2]


def _by_slot(commands: tuple[Command, ...]) -> Iterator[tuple[int, tuple[Command, ...]]]:
    """Part the commands where the slot changes."""
    slot: int | None = None
    order: list[Command] = []
    for command in commands:
        own = _slot_of(command)
        if own is not None and slot is not None and own != slot:
            yield slot, tuple(order)
            order = []
        slot = slot if own is None else own
        order.append(command)
    if slot is not None:
        yield slot, tuple(order)


def _slot_of(command: Command) -> int | None:
    match command:
        case (str(word), *_) if word in _KEYLESS:
            return None
        case ("EVALSHA", _, _, key, *_) | (_, key, *_):
            return key_slot(key if isinstance(key, bytes) else str(key).encode())
        case _:
            return None
