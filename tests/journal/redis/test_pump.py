import asyncio
import logging
from random import Random

import pytest

from service import scope
from service.errors import StoreUnavailable
from service.journal.redis import pump as module
from service.journal.redis.address import address_of
from service.journal.redis.pump import PIPELINE_MAX, QUEUE_MAX, Pump
from service.journal.redis.scripts import LIFE, Command
from service.journal.redis.server import RedisServer
from tests.journal.backends import Store
from tests.lines import lines


async def started(store: Store, pipeline_max: int = PIPELINE_MAX) -> Pump:
    pump = Pump(RedisServer(address_of(store.url)), Random(1), pipeline_max=pipeline_max)
    pump.start()
    return pump


def echo(word: str) -> Command:
    return ("ECHO", word)


@pytest.mark.asyncio
async def test_every_order_gets_its_own_answers(redis: Store) -> None:
    pump = await started(redis, pipeline_max=3)
    orders = [pump.run(echo(f"{n}"), ("PING",), echo(f"{n}!")) for n in range(20)]
    answers = await asyncio.gather(*orders)
    assert answers == [[b"%d" % n, b"PONG", b"%d!" % n] for n in range(20)]
    await pump.close()


@pytest.mark.asyncio
async def test_a_refused_command_fails_its_order_only(redis: Store) -> None:
    pump = await started(redis)
    bad, good = await asyncio.gather(
        pump.run(echo("a"), ("NOSUCH", "x")), pump.run(echo("b")), return_exceptions=True
    )
    assert isinstance(bad, StoreUnavailable)
    assert "unknown command" in str(bad)
    assert good == [b"b"]
    await pump.close()


@pytest.mark.asyncio
async def test_the_life_is_filled_in_when_a_command_is_sent(redis: Store) -> None:
    pump = await started(redis)
    (life,) = await pump.run(("ECHO", LIFE))
    async with redis.client() as client:
        assert life.decode() == (await client.info("server"))["run_id"]
    await pump.close()


@pytest.mark.asyncio
async def test_a_cancelled_caller_mixes_up_no_answers(redis: Store) -> None:
    pump = await started(redis)
    for n in range(10):
        leaving = asyncio.create_task(pump.run(echo("never heard")))
        await asyncio.sleep(0)
        if n % 2:
            await asyncio.sleep(0)
        leaving.cancel()
        assert await pump.run(echo(f"{n}")) == [b"%d" % n]
    await pump.close()


@pytest.mark.asyncio
async def test_a_connection_that_the_server_closed_is_replaced_unnoticed(redis: Store) -> None:
    pump = await started(redis)
    async with redis.client() as client:
        for n in range(3):
            assert await pump.run(echo(f"{n}")) == [b"%d" % n]
            assert pump._line is not None
            await client.client_kill_filter(_type="normal", skipme=True)
            async with asyncio.timeout(5):
                while not await pump._line.connection.can_read():
                    await client.ping()
    await pump.close()


@pytest.mark.asyncio
async def test_a_command_that_cannot_be_packed_ends_nothing(
    redis: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    pump = await started(redis)
    with pytest.raises(UnicodeEncodeError):
        await pump.run(("ECHO", "\ud800"))
    assert await pump.run(echo("on")) == [b"on"]
    await pump.close()


@pytest.mark.asyncio
async def test_a_pump_that_a_call_started_is_no_calls(redis: Store) -> None:
    scope.of_call("CA1")
    pump = await started(redis)
    with lines() as told, pytest.raises(UnicodeEncodeError):
        await pump.run(("ECHO", "\ud800"))
    await pump.close()
    assert [one.get("call_sid") for one in told if one["logger"] == module.__name__] == [None]


@pytest.mark.asyncio
async def test_a_full_queue_is_refused_at_once(redis: Store) -> None:
    pump = await started(redis)
    orders = (pump.run(echo("x")) for _ in range(QUEUE_MAX + PIPELINE_MAX))
    answers = await asyncio.gather(*orders, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, StoreUnavailable)]
    assert len(refused) == PIPELINE_MAX
    assert "wait for Redis already" in str(refused[0])
    await pump.close()


@pytest.mark.asyncio
async def test_a_failure_is_followed_by_a_silence(unused_tcp_port: int) -> None:
    pump = Pump(RedisServer(address_of(f"redis://127.0.0.1:{unused_tcp_port}")), Random(1))
    with pytest.raises(StoreUnavailable, match="not started, or closed"):
        await pump.run(("PING",))
    pump.start()
    pump.start()
    both = await asyncio.gather(pump.run(("PING",)), pump.run(("PING",)), return_exceptions=True)
    assert all("can't be used" in str(error) for error in both)
    with pytest.raises(StoreUnavailable, match="failed just now"):
        await pump.run(("PING",))
    await pump.close()


@pytest.mark.asyncio
async def test_what_was_accepted_is_answered_before_the_pump_closes(redis: Store) -> None:
    pump = await started(redis, pipeline_max=1)
    waiting = [asyncio.create_task(pump.run(echo(f"{n}"))) for n in range(20)]
    await asyncio.sleep(0)
    await pump.close()
    assert await asyncio.gather(*waiting) == [[b"%d" % n] for n in range(20)]
