"""A key in Redis lies in its call's slot, has a time to live, and lives on when it is used."""

import pytest
from redis.crc import key_slot

from service.journal.redis.vault import LIVES, VAULT_KEY, RedisVault
from tests.journal.backends import Store

pytestmark = pytest.mark.asyncio
TTL_MS = 60_000


async def test_a_key_lives_as_long_as_its_call_can(redis: Store) -> None:
    vault = RedisVault(redis.url, ttl_ms=TTL_MS)
    await vault.start()
    await vault.put("CA1", b"wrapped")
    async with redis.client() as client:
        key = VAULT_KEY % "CA1"
        assert TTL_MS < await client.pttl(key) <= LIVES * TTL_MS
        await client.pexpire(key, 9_000)
        await vault.replace("CA1", b"wrapped", b"again")
        assert await client.pttl(key) <= 9_000
        assert await vault.fetch("CA1") == b"again"
        assert await client.pttl(key) > TTL_MS
    assert await vault.destroy("CA1")
    assert await vault.prune(None, before_ms=0) == 0
    await vault.close()


async def test_a_key_is_in_its_calls_slot() -> None:
    assert key_slot((VAULT_KEY % "CA1").encode()) == key_slot(b"stayline:{CA1}:records")
