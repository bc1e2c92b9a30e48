"""Writes that replicas confirm, or do not (R-1, R-3): on a server with one replica, which is paused."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.errors import StoreUnavailable
from service.journal.redis.journal import RedisJournal
from service.journal.redis.scripts import CALL_KEY
from service.journal.values import Appended, Claim, Durability, NotDurable, Spent
from tests.journal.backends import TTL_MS
from tests.standins.towns import COMMON, ask, facts_of, follows_well, wait_until
from tests.standins.valkey import Valkey

pytestmark = pytest.mark.asyncio

CALL = "CA" + "8" * 32
NOW_MS = 1_790_000_000_000


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Valkey, Valkey]]:
    """A primary, and a replica that follows it."""
    with Valkey(tmp_path / "primary", **COMMON) as primary:
        follows = f"replicaof 127.0.0.1 {primary.port}"
        with Valkey(tmp_path / "replica", follows, **COMMON) as replica:
            wait_until(lambda: follows_well(replica))
            yield primary, replica


def waits_of(server: Valkey) -> int:
    """Return how often a server was asked to wait for replicas."""
    words = facts_of(server, "INFO", "commandstats").get("cmdstat_wait", "calls=0,")
    return int(words.partition(",")[0].removeprefix("calls="))


async def append(journal: RedisJournal, key: str) -> Appended | NotDurable:
    outcome = await journal.append(CALL, [b"a"], epoch=None, after=None, key=key, now_ms=NOW_MS)
    assert isinstance(outcome, Appended | NotDurable)
    return outcome


async def test_an_append_that_no_replica_has_is_not_durable_until_one_has_it(
    pair: tuple[Valkey, Valkey],
) -> None:
    """R-1: also when another connection repeats it, over which nothing was written yet."""
    primary, replica = pair
    here, there = (RedisJournal(primary.url, ttl_ms=TTL_MS) for _ in range(2))
    await here.start()
    await there.start()
    assert await here.check(now_ms=NOW_MS) is Durability.REPLICA
    await here.open(CALL, [], now_ms=NOW_MS)
    assert await append(here, "k0") == Appended(1, Durability.REPLICA)
    replica.pause()
    assert await append(here, "k1") == NotDurable(2)
    assert await append(there, "k1") == NotDurable(2)
    replica.wake()
    repeated = await append(there, "k1")
    while isinstance(repeated, NotDurable):
        repeated = await append(there, "k1")
    assert repeated == Appended(2, Durability.REPLICA, repeated=True)
    await here.close()
    await there.close()


async def test_what_can_not_be_confirmed_fails_and_what_can_be_later_is_done_once(
    pair: tuple[Valkey, Valkey],
) -> None:
    primary, replica = pair
    journal = RedisJournal(primary.url, ttl_ms=TTL_MS)
    await journal.start()
    await journal.open(CALL, [], now_ms=NOW_MS)
    replica.pause()
    claiming = journal.claim(CALL, [], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    with pytest.raises(StoreUnavailable, match="replicas did not confirm"):
        await claiming
    assert ask(primary, "HGET", CALL_KEY % CALL, "epoch") == "1"
    spending = asyncio.create_task(
        journal.spend(CALL, "n", stream_sid="MZ", window_ms=9, uses_max=9, now_ms=NOW_MS)
    )
    async with Redis.from_url(primary.url) as client:
        while not await client.exists(f"{CALL_KEY % CALL}:tokens"):
            await client.ping()
    replica.wake()
    assert await spending == Spent(1)
    await journal.close()


async def test_a_claim_that_a_replica_has_late_counts_one_epoch(
    pair: tuple[Valkey, Valkey],
) -> None:
    """R-3: the take-over is durable before it returns, and its own repeating changes nothing."""
    primary, replica = pair
    journal = RedisJournal(primary.url, ttl_ms=TTL_MS)
    await journal.start()
    await journal.claim(CALL, [b"a"], owner="before", until_ms=NOW_MS, now_ms=NOW_MS)
    replica.pause()
    claiming = asyncio.create_task(
        journal.claim(CALL, [b"a"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS, expected=1)
    )
    async with Redis.from_url(primary.url) as client:
        while waits_of(primary) < 8:
            await client.ping()
    assert ask(primary, "HGET", CALL_KEY % CALL, "epoch") == "2"
    replica.wake()
    claim = await claiming
    assert isinstance(claim, Claim)
    assert claim.epoch == 2
    assert claim.lease is not None
    assert claim.lease.owner == "before"
    assert [record.body for record in claim.records] == [b"a"]
    await journal.close()
