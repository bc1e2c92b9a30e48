import asyncio
from random import Random

import pytest
from redis.exceptions import ConnectionError as Broken
from structlog.contextvars import get_contextvars

from service import scope
from service.errors import StoreUnavailable
from service.journal.redis.address import Spot, address_of
from service.journal.redis.cluster import SLOTS, Cluster
from service.journal.values import Durability
from tests.conftest import wait_until
from tests.standins.towns import RANGES, ClusterTown

pytestmark = pytest.mark.asyncio


def spot_of(town: ClusterTown, slot: int) -> Spot:
    return Spot("127.0.0.1", town.holder_of(slot).port)


async def test_every_slot_is_known_to_have_its_holder(cluster_town: ClusterTown) -> None:
    cluster = Cluster(address_of(cluster_town.url), Random(1))
    for first, last in RANGES:
        for slot in (first, last):
            assert await cluster.holder(slot) == spot_of(cluster_town, slot)
    assert len(cluster.holders()) == 3
    with pytest.raises(StoreUnavailable, match="holds this slot"):
        await cluster.holder(SLOTS)
    await cluster.close()


async def test_a_wrong_entry_is_believed_first_and_learnt_anew(cluster_town: ClusterTown) -> None:
    cluster = Cluster(address_of(cluster_town.url), Random(1))
    await cluster.learn()
    right, wrong = spot_of(cluster_town, 0), spot_of(cluster_town, SLOTS - 1)
    cluster.moved(0, wrong)
    assert await cluster.holder(0) == wrong
    async with asyncio.timeout(10):
        while await cluster.holder(0) != right:
            await cluster.learn()
    await cluster.close()


async def test_a_node_that_holds_nothing_any_more_is_hung_up_once_it_is_doubted(
    cluster_town: ClusterTown,
) -> None:
    cluster = Cluster(address_of(cluster_town.url), Random(1))
    await cluster.learn()
    replica = next(s for s in cluster_town.servers if s not in cluster_town.primaries())
    spot = Spot("127.0.0.1", replica.port)
    lines = [await cluster.server_at(spot).connect() for _ in range(2)]
    assert cluster.server_at(spot).place == f"127.0.0.1:{replica.port}"
    cluster.doubt(spot)
    async with asyncio.timeout(10):
        while any(line.connection.is_connected for line in lines):
            await cluster.learn()
    holder = await cluster.holder(0)
    cluster.doubt(holder)
    cluster.trust(holder)
    await cluster.close()


async def test_a_look_that_a_call_asked_for_is_no_calls(
    cluster_town: ClusterTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, scopes = Cluster(address_of(cluster_town.url), Random(1)), list[object]()
    await cluster.learn()

    async def learn() -> None:
        scopes.append(get_contextvars())
        cluster.trust(spot)

    monkeypatch.setattr(cluster, "learn", learn)
    scope.of_call("CA1")
    spot = await cluster.holder(0)
    cluster.doubt(spot)
    await wait_until(lambda: bool(scopes), description="it was looked")
    assert scopes == [{}]
    await cluster.close()


async def test_any_node_will_do_to_hear_of_what_is_published(cluster_town: ClusterTown) -> None:
    cluster = Cluster(address_of(cluster_town.url), Random(1))
    before = cluster.durability
    assert before is Durability.MEMORY
    line = await cluster.connect()
    assert line.replicas == 1
    assert cluster.durability is Durability.REPLICA
    await cluster.hang_up(line.connection)
    assert not line.connection.is_connected
    await cluster.close()


async def test_a_cluster_of_which_no_node_answers_is_unavailable(unused_tcp_port: int) -> None:
    cluster = Cluster(address_of(f"redis+cluster://127.0.0.1:{unused_tcp_port}"), Random(1))
    with pytest.raises(StoreUnavailable, match="can't be used"):
        await cluster.holder(0)
    with pytest.raises(Broken, match="no node"):
        await cluster.connect()
    await cluster.close()


async def test_a_server_that_is_no_cluster_says_so(redis_url: str) -> None:
    cluster = Cluster(address_of(redis_url.replace("redis://", "redis+cluster://")), Random(1))
    with pytest.raises(StoreUnavailable, match="cluster support disabled"):
        await cluster.holder(0)
