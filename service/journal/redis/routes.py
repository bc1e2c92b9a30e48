"""The ways to a store: what a URL and the wish for replicas become, and how they live and end together.

redis://            a pump that writes, a pump that reads, one server
redis+sentinel://   the same, to whichever server the Sentinels name
redis+cluster://    such a pair for every node
"""

from random import SystemRandom
from typing import Protocol

from service.journal.redis.address import Spot, address_of
from service.journal.redis.belfry import Tower
from service.journal.redis.cluster import Cluster
from service.journal.redis.nodes import NodePumps
from service.journal.redis.pump import Pump, Pumps
from service.journal.redis.sentinels import Sentinels
from service.journal.redis.server import RedisServer
from service.journal.values import Durability

READ_PIPELINE_MAX = 8  # long calls read at once, so that parsing them does not hold up the loop


class Place(Tower, Protocol):
    """A server, or several that are one store."""

    @property
    def place(self) -> str:
        """How an error names it."""
        ...

    @property
    def durability(self) -> Durability:
        """What an acknowledgement means there."""
        ...


class Routes:
    """The ways to the store at `url`; None for `replicas` lets the store decide."""

    writing: Pumps
    reading: Pumps
    server: Place

    def __init__(self, url: str, *, replicas: int | None) -> None:
        address = address_of(url)
        chance = SystemRandom()
        self._sentinels: Sentinels | None = None
        self._cluster: Cluster | None = None
        if address.kind == "cluster":
            self.server = self._cluster = Cluster(address, chance, replicas=replicas)
            self.writing = NodePumps(self._cluster, chance)
            self.reading = NodePumps(
                self._cluster, chance, pipeline_max=READ_PIPELINE_MAX, is_reading=True
            )
            return
        find = None
        if address.kind == "sentinel":
            self._sentinels = Sentinels(address, chance, self._leave_all_but)
            find = self._sentinels.primary
        self.server = self._single = RedisServer(address, replicas=replicas, find=find)
        self.writing = Pump(self._single, chance)
        self.reading = Pump(self._single, chance, pipeline_max=READ_PIPELINE_MAX, is_reading=True)

    def start(self) -> None:
        """Start pumping. Starting twice is starting once."""
        self.writing.start()
        self.reading.start()
        if self._sentinels is not None:
            self._sentinels.start()

    async def close(self) -> None:
        """Finish what was accepted."""
        await self.reading.close()
        await self.writing.close()
        if self._sentinels is not None:
            await self._sentinels.close()
        if self._cluster is not None:
            await self._cluster.close()

    async def _leave_all_but(self, primary: Spot) -> None:
        await self._single.leave(keep=primary)
