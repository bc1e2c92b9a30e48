import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from redis.crc import key_slot

from service.errors import StoreUnavailable
from service.journal.redis.address import address_of
from service.journal.redis.cluster import Cluster
from service.journal.redis.nodes import NodePumps
from service.journal.redis.scripts import Command
from tests.standins.towns import RANGES, ClusterTown, ask

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def pumping(town: ClusterTown, *, is_reading: bool = False) -> AsyncIterator[NodePumps]:
    cluster = Cluster(address_of(town.url), Random(1))
    pumps = NodePumps(cluster, Random(1), is_reading=is_reading)
    pumps.start()
    yield pumps
    await pumps.close()
    await cluster.close()


def key_in(first: int, last: int) -> str:
    """Return a key whose slot lies in a range."""
    return next(
        key
        for key in (f"stayline:try:{n}" for n in range(1_000))
        if first <= key_slot(key.encode()) <= last
    )


KEYS = [key_in(*each) for each in RANGES]


def put(key: str, value: str) -> Command:
    return ("SET", key, value, "PX", 60_000)


@pytest.mark.parametrize("is_reading", [False, True])
async def test_each_command_goes_to_the_node_that_holds_its_slot(
    cluster_town: ClusterTown, *, is_reading: bool
) -> None:
    async with pumping(cluster_town, is_reading=is_reading) as pumps:
        sets = [put(key, key) for key in KEYS]
        gets: list[Command] = [("GET", key) for key in KEYS]
        assert await pumps.run(*sets) == [b"OK"] * 3
        assert await pumps.run(*gets, *reversed(gets)) == [
            key.encode() for key in (*KEYS, *reversed(KEYS))
        ]
        answers = await pumps.run(("MULTI",), ("GET", KEYS[1]), ("EXEC",))
        assert answers[-1] == [KEYS[1].encode()]
        assert await pumps.run(("PING",)) == [b"PONG"]


async def test_a_slot_that_moves_is_followed_with_nothing_lost(cluster_town: ClusterTown) -> None:
    """R-6, in small: ASK, TRYAGAIN and MOVED while a slot moves key by key."""
    key = "stayline:moved"  # its slot stays where it went, so no other test may need it
    other = f"{{{key}}}:other"
    slot = key_slot(key.encode())
    source = cluster_town.holder_of(slot)
    target = next(server for server in cluster_town.primaries() if server is not source)
    source_id, target_id = (ask(server, "CLUSTER", "MYID") for server in (source, target))
    async with pumping(cluster_town) as pumps:
        await pumps.run(put(key, "1"), put(other, "2"))
        ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        ask(source, "MIGRATE", "127.0.0.1", target.port, key, 0, 1_000)
        assert await pumps.run(("GET", key), ("GET", key)) == [b"1", b"1"]
        answers = await pumps.run(("MULTI",), ("GET", key), ("EXEC",))
        assert answers[-1] == [b"1"]
        waiting = asyncio.create_task(pumps.run(("MGET", key, other)))
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        assert not done
        ask(source, "MIGRATE", "127.0.0.1", target.port, other, 0, 1_000)
        for server in (target, source):
            ask(server, "CLUSTER", "SETSLOT", slot, "NODE", target_id)
        assert await waiting == [[b"1", b"2"]]
        assert await pumps.run(("MGET", key, other)) == [[b"1", b"2"]]


async def test_what_a_node_refuses_is_said_with_its_place(cluster_town: ClusterTown) -> None:
    async with pumping(cluster_town) as pumps:
        place = f"127.0.0.1:{cluster_town.holder_of(key_slot(KEYS[0].encode())).port}"
        with pytest.raises(StoreUnavailable, match=f"{place}.*unknown command"):
            await pumps.run(("NOSUCH", KEYS[0]))


async def test_nothing_runs_before_the_start_or_after_the_end(cluster_town: ClusterTown) -> None:
    async with pumping(cluster_town) as pumps:
        pumps.start()
    with pytest.raises(StoreUnavailable, match="not started, or closed"):
        await pumps.run(("PING",))
