import pytest

from service.journal.redis.address import Spot
from service.journal.redis.cluster import Cluster
from service.journal.redis.nodes import NodePumps
from service.journal.redis.pump import Pump
from service.journal.redis.routes import Routes
from service.journal.redis.server import RedisServer
from service.journal.values import Durability
from tests.journal.backends import Store
from tests.standins.towns import SentinelTown


@pytest.mark.parametrize(
    ("url", "server", "pumps"),
    [
        ("redis://h", RedisServer, Pump),
        ("redis+sentinel://h/main", RedisServer, Pump),
        ("redis+cluster://h", Cluster, NodePumps),
    ],
)
def test_a_url_decides_the_ways_to_the_store(
    url: str, server: type[object], pumps: type[object]
) -> None:
    routes = Routes(url, replicas=None)
    assert type(routes.server) is server
    assert type(routes.writing) is type(routes.reading) is pumps


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("replicas", "durability"),
    [(None, Durability.REPLICA), (2, Durability.REPLICA), (0, Durability.MEMORY)],
)
async def test_the_wish_for_replicas_decides_what_an_acknowledgement_means(
    sentinel_town: SentinelTown, replicas: int | None, durability: Durability
) -> None:
    for url in (sentinel_town.url, sentinel_town.primary().url):
        routes = Routes(url, replicas=replicas)
        routes.start()
        assert await routes.writing.run(("PING",)) == [b"PONG"]
        assert routes.server.durability is durability
        await routes.close()


@pytest.mark.asyncio
async def test_a_server_without_replicas_confirms_alone(redis: Store) -> None:
    routes = Routes(redis.url, replicas=None)
    routes.start()
    await routes.writing.run(("PING",))
    assert routes.server.durability is Durability.MEMORY
    await routes.close()


@pytest.mark.asyncio
async def test_who_waits_for_the_primary_before_is_let_go_when_another_is_named(
    sentinel_town: SentinelTown,
) -> None:
    routes = Routes(sentinel_town.url, replicas=None)
    routes.start()
    await routes.writing.run(("PING",))
    pump = routes.writing
    assert isinstance(pump, Pump)
    assert pump._line is not None
    connection = pump._line.connection
    await routes._leave_all_but(Spot("127.0.0.1", sentinel_town.primary().port))
    assert connection.is_connected
    await routes._leave_all_but(Spot("elsewhere", 1))
    assert not connection.is_connected
    assert await routes.writing.run(("PING",)) == [b"PONG"]
    await routes.close()
