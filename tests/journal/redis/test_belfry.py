import asyncio

import pytest

from service.journal.redis.address import address_of
from service.journal.redis.belfry import Belfry
from service.journal.redis.scripts import CALL_KEY
from service.journal.redis.server import RedisServer
from service.journal.tailing import Bells
from service.waiting import Flag
from tests.conftest import wait_until
from tests.journal.backends import Store

CALL = "CA" + "6" * 32


async def heard(bell: Flag) -> None:
    async with asyncio.timeout(10):
        await bell.wait()
    bell.clear()


@pytest.mark.asyncio
async def test_a_bell_rings_when_it_is_subscribed_and_at_each_news(redis: Store) -> None:
    bells = Bells()
    belfry = Belfry(RedisServer(address_of(redis.url)), bells)
    belfry.start()
    belfry.start()
    async with redis.client() as client:
        with bells.hang(CALL) as bell:
            await heard(bell)
            for _ in range(3):
                assert await client.publish(CALL_KEY % CALL, "") == 1
                await heard(bell)
    await belfry.close()
    await belfry.close()


@pytest.mark.asyncio
async def test_what_is_published_says_how_far_the_call_goes_or_that_nobody_knows(
    redis: Store,
) -> None:
    bells, told = Bells(), list[int | None]()
    belfry = Belfry(RedisServer(address_of(redis.url)), bells)
    belfry.start()
    bells.listen(CALL, told.append)
    await wait_until(lambda: told == [None], description="the subscription")
    async with redis.client() as client:
        for word in ("7", "", "of another version"):
            await client.publish(CALL_KEY % CALL, word)
    await wait_until(lambda: told == [None, 7, None, None], description="all of them")
    await belfry.close()


@pytest.mark.asyncio
async def test_subscriptions_follow_the_bells(redis: Store) -> None:
    bells = Bells()
    belfry = Belfry(RedisServer(address_of(redis.url)), bells)
    belfry.start()
    async with redis.client() as client:
        with bells.hang(CALL) as bell, bells.hang(CALL) as second:
            await heard(bell)
            assert second.is_set()
            with bells.hang("CA7") as other:
                await heard(other)
                assert await client.pubsub_numsub(CALL_KEY % CALL) == [
                    (b"stayline:{%b}" % CALL.encode(), 1)
                ]
        async with asyncio.timeout(10):
            while await client.pubsub_channels("stayline:*"):
                await client.ping()
        with bells.hang(CALL) as bell:
            await heard(bell)
    await belfry.close()


@pytest.mark.asyncio
async def test_all_bells_ring_after_a_lost_connection(redis: Store) -> None:
    bells = Bells()
    belfry = Belfry(RedisServer(address_of(redis.url)), bells)
    belfry.start()
    async with redis.client() as client:
        with bells.hang(CALL) as bell:
            await heard(bell)
            assert await client.client_kill_filter(_type="pubsub") == 1
            await heard(bell)
            async with asyncio.timeout(10):
                while not await client.publish(CALL_KEY % CALL, ""):
                    await client.ping()
    await belfry.close()


@pytest.mark.asyncio
async def test_a_server_that_is_not_there_is_tried_again_until_the_end(
    unused_tcp_port: int,
) -> None:
    bells = Bells()
    belfry = Belfry(RedisServer(address_of(f"redis://127.0.0.1:{unused_tcp_port}")), bells)
    belfry.start()
    with bells.hang(CALL) as bell:
        await heard(bell)
        await heard(bell)
    await belfry.close()
