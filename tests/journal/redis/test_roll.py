"""What Redis's rolls say when somebody was interrupted, or came in between."""

import pytest

from service.journal.redis.roll import CALLS_KEY, LEASES_KEY
from tests.journal.backends import Store
from tests.journal.taking import take

CALL = "CA" + "6" * 32
NOW_MS = 1_790_000_000_000
LATE_MS = NOW_MS + 100_000


async def lapsed(store: Store, at_ms: int) -> list[str]:
    journal = await store.journal()
    return [one.call_sid for one in await journal.lapsed(now_ms=at_ms, limit=10)]


@pytest.mark.asyncio
async def test_a_roll_that_is_behind_is_corrected_in_passing(redis: Store) -> None:
    journal = await redis.journal()
    await take(journal, CALL, owner="one", until_ms=LATE_MS, now_ms=NOW_MS)
    async with redis.client() as client:
        await client.zadd(LEASES_KEY, {CALL: NOW_MS, "CA-nobody": NOW_MS})
        assert await lapsed(redis, NOW_MS + 1) == []
        assert await client.zrange(LEASES_KEY, 0, -1, withscores=True) == [
            (CALL.encode(), float(LATE_MS))
        ]
    assert await lapsed(redis, LATE_MS) == [CALL]


@pytest.mark.asyncio
async def test_a_claim_that_was_cut_off_is_found_no_later_than_its_hold(redis: Store) -> None:
    journal = await redis.journal()
    await take(journal, CALL, owner="one", until_ms=LATE_MS, now_ms=NOW_MS)
    async with redis.client() as client:
        await client.hset(f"stayline:{{{CALL}}}", "until", str(NOW_MS + 5))
        before = await client.zscore(LEASES_KEY, CALL)
        assert before == LATE_MS
        await journal.claim(CALL, [], owner="two", until_ms=NOW_MS + 9, now_ms=NOW_MS, expected=7)
        assert await client.zscore(LEASES_KEY, CALL) == NOW_MS + 9
    assert await lapsed(redis, NOW_MS + 9) == [CALL]


@pytest.mark.asyncio
async def test_a_released_call_leaves_the_roll_and_comes_back_with_a_claim(redis: Store) -> None:
    journal = await redis.journal()
    await take(journal, CALL, owner="one", until_ms=LATE_MS, now_ms=NOW_MS)
    async with redis.client() as client:
        assert await journal.release(CALL, epoch=1)
        assert await client.zscore(LEASES_KEY, CALL) is None
        assert await client.zscore(CALLS_KEY, CALL) is not None
        await take(journal, CALL, owner="one", until_ms=LATE_MS, now_ms=NOW_MS)
        assert await client.zscore(LEASES_KEY, CALL) == LATE_MS
        await journal.erase(CALL)
        assert await client.exists(CALLS_KEY, LEASES_KEY) == 0
