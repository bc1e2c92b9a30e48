import asyncio
from random import Random

import pytest
from redis.exceptions import ConnectionError as Broken, ResponseError

from service.journal.redis.address import Spot, address_of
from service.journal.redis.sentinels import Sentinels
from tests.journal.backends import Store
from tests.standins.towns import SentinelTown

pytestmark = pytest.mark.asyncio


async def nothing(_: Spot) -> None: ...


async def test_the_sentinels_name_the_primary_also_when_some_are_gone(
    sentinel_town: SentinelTown, unused_tcp_port: int
) -> None:
    url = sentinel_town.url.replace("://", f"://127.0.0.1:{unused_tcp_port},")
    sentinels = Sentinels(address_of(url), Random(1), nothing)
    assert await sentinels.primary() == Spot("127.0.0.1", sentinel_town.primary().port)


async def test_a_primary_that_no_sentinel_knows_is_said_to_be_so(
    sentinel_town: SentinelTown, unused_tcp_port: int
) -> None:
    url = sentinel_town.url.replace("/stayline", "/other")
    with pytest.raises(ResponseError, match="No such master"):
        await Sentinels(address_of(url), Random(1), nothing).primary()
    nobody = address_of(f"redis+sentinel://127.0.0.1:{unused_tcp_port}/stayline")
    with pytest.raises(Broken, match="no Sentinel answers"):
        await Sentinels(nobody, Random(1), nothing).primary()


async def test_a_new_primary_is_heard_of_also_from_a_sentinel_that_hung_up(redis: Store) -> None:
    # A Sentinel publishes nothing on behalf of others, so another server plays it.
    url = redis.url.replace("redis://", "redis+sentinel://") + "/stayline"
    heard: asyncio.Queue[Spot] = asyncio.Queue()
    sentinels = Sentinels(address_of(url), Random(1), heard.put)
    sentinels.start()
    sentinels.start()
    async with redis.client() as client, asyncio.timeout(10):
        for number in range(2):
            while not await client.publish("+switch-master", f"other h 1 h {number}"):
                await client.ping()
            await client.publish("+switch-master", f"stayline h 1 h {number}")
            assert await heard.get() == Spot("h", number)
            await client.client_kill_filter(_type="pubsub")
    await sentinels.close()
    await sentinels.close()
