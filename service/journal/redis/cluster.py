"""A Cluster: which of its nodes holds which slot, learnt from the nodes and learnt anew when in doubt.

    slot ──> [ map ] ──> node        MOVED: one entry is wrong, the others may be
                ^
                └── several nodes are asked at once; whose epoch is the newest is believed

1.  A node that was cut off may tell a map of the past. Each failover and each slot that moves raises
    the Cluster's epoch, so the newest map is found by it.
2.  When a slot moved the map is learnt again; when a node failed, again and again, for a while, until
    the node is heard of or holds no slot any more.
3.  In that case all connections to it are hung up, so that nobody goes on waiting for it.
"""

import asyncio
from contextlib import suppress
from random import Random
from typing import NamedTuple

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as Broken, RedisError

from service import scope
from service.errors import StoreUnavailable
from service.journal.redis.address import Address, Spot
from service.journal.redis.server import Answer, Line, RedisServer, hang_up
from service.journal.values import Durability

SLOTS = 16_384
ASK_TIMEOUT_S = 0.5  # a node that takes longer is not the one to believe
ASKED_MAX = 8  # nodes asked at once: enough for one of them to be on the living side
DOUBT_PAUSE_MS = 150  # between two looks while in doubt; a failover takes a second or two
DOUBT_LOOKS_MAX = 40  # about 5 s; after these the next failure raises a doubt of its own


class _View(NamedTuple):
    """What one node says of the Cluster."""

    is_well: bool
    epoch: int
    ranges: tuple[tuple[int, int, Spot], ...]


class Cluster:
    """The Cluster at `address`; `replicas` of a node confirm each write to it."""

    def __init__(self, address: Address, chance: Random, *, replicas: int | None = None) -> None:
        self._address = address
        self._chance = chance
        self._replicas = replicas
        self._holders: dict[int, Spot] = {}
        self._servers: dict[Spot, RedisServer] = {}
        self._learning = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None
        self._doubted: set[Spot] = set()
        self.place = ", ".join(map(str, address.spots[:3]))

    async def close(self) -> None:
        """Learn no more."""
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            await asyncio.wait([looking])

    @property
    def durability(self) -> Durability:
        """What the least durable of the nodes makes of a write."""
        met = {server.durability for server in self._servers.values()}
        return next((each for each in Durability if each in met), Durability.MEMORY)

    def server_at(self, spot: Spot) -> RedisServer:
        """Return the node at `spot`, always the same one."""
        if spot not in self._servers:

            async def find() -> Spot:
                return spot

            self._servers[spot] = RedisServer(self._address, replicas=self._replicas, find=find)
            self._servers[spot].place = str(spot)
        return self._servers[spot]

    def holders(self) -> frozenset[Spot]:
        """Return the nodes that hold slots."""
        return frozenset(self._holders.values())

    async def holder(self, slot: int) -> Spot:
        """Return the node that holds a slot. Raises StoreUnavailable."""
        if slot not in self._holders:
            async with self._learning:
                if slot not in self._holders:
                    await self._learn()
        if slot not in self._holders:
            raise StoreUnavailable(f"No node of the Redis Cluster at {self.place} holds this slot.")
        return self._holders[slot]

    def moved(self, slot: int, spot: Spot) -> None:
        """Believe a node that said where a slot is now."""
        self._holders[slot] = spot
        self._look_again()

    def doubt(self, spot: Spot) -> None:
        """Learn who holds what instead of a node that failed."""
        self._doubted.add(spot)
        self._look_again()

    def trust(self, spot: Spot) -> None:
        """Doubt no more a node that answered."""
        self._doubted.discard(spot)

    async def connect(self) -> Line:
        """Open a connection to any node. Raises RedisError, OSError or TimeoutError."""
        spots = list(self.holders() or self._address.spots)
        self._chance.shuffle(spots)
        for spot in spots:
            try:
                return await self.server_at(spot).connect()
            except (RedisError, OSError, TimeoutError):
                self.doubt(spot)
        raise Broken("no node of the Cluster answers")

    async def hang_up(self, connection: AbstractConnection) -> None:
        """Close a connection that this gave."""
        for server in self._servers.values():
            await server.hang_up(connection)

    async def learn(self) -> None:
        """Learn who holds which slot. Raises StoreUnavailable when no node tells."""
        async with self._learning:
            await self._learn()

    async def _learn(self) -> None:
        views = await self._views()
        newest = max(views, key=lambda view: (view.is_well, view.epoch))
        self._holders = {
            slot: spot
            for first, last, spot in newest.ranges
            for slot in range(first, min(last + 1, SLOTS))
        }
        for spot in self._doubted - self.holders():
            self._doubted.discard(spot)
            await self.server_at(spot).leave()

    def _look_again(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(
                self._look(), context=scope.of_nobody()
            )

    async def _look(self) -> None:
        for _ in range(DOUBT_LOOKS_MAX):
            with suppress(StoreUnavailable):
                await self.learn()
            if not self._doubted:
                return
            pause_ms = self._chance.randint(DOUBT_PAUSE_MS // 2, DOUBT_PAUSE_MS)
            await asyncio.sleep(pause_ms / 1_000)
        self._doubted.clear()

    async def _views(self) -> list[_View]:
        known = list(self.holders() | set(self._address.spots))
        self._chance.shuffle(known)
        answers = await asyncio.gather(
            *(self._ask(spot) for spot in known[:ASKED_MAX]), return_exceptions=True
        )
        views = [answer for answer in answers if isinstance(answer, _View)]
        if not views:
            said = next((answer for answer in answers if isinstance(answer, RedisError)), None)
            raise RedisServer(self._address).unavailable(said or Broken("no node answers"))
        return views

    async def _ask(self, spot: Spot) -> _View:
        connection = self._address.line_to(spot)
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                await connection.connect()  # type: ignore[no-untyped-call]
                await connection.send_command("CLUSTER", "INFO")
                facts = (await connection.read_response()).decode()
                await connection.send_command("CLUSTER", "SLOTS")
                return _view(facts, await connection.read_response(), spot)
        finally:
            await hang_up(connection)


def _view(facts: str, answer: list[Answer], asked: Spot) -> _View:
    told = dict(line.split(":", 1) for line in facts.splitlines() if ":" in line)
    ranges = tuple(
        # A node that knows no address of its own gives none: it is the one that was asked.
        (int(first), int(last), Spot((holder[0] or b"").decode() or asked.host, int(holder[1])))
        for first, last, holder, *_ in answer
    )
    is_well = told.get("cluster_state") == "ok"
    return _View(is_well, int(told.get("cluster_current_epoch", 0)), ranges)
