"""The fleet's journal and its server: kills, restarts, silence, evictions (R-1, R-4, R-9)."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.errors import StoreUnavailable
from service.journal.journal import Journal
from service.journal.redis.journal import RedisJournal
from service.journal.redis.roll import CALLS_KEY, LEASES_KEY
from service.journal.redis.scripts import CALL_KEY
from service.journal.values import Appended, Durability, Gone, Missing, Reading, Record, Reset
from tests.journal.backends import TTL_MS, Store, run_writer
from tests.journal.taking import take
from tests.standins.valkey import Valkey

CALL = "CA" + "5" * 32
KEY = CALL_KEY % CALL
NOW_MS = 1_790_000_000_000


async def note(journal: Journal, key: str, body: bytes = b"note") -> int:
    outcome = await journal.append(CALL, [body], epoch=None, after=None, key=key, now_ms=NOW_MS)
    assert isinstance(outcome, Appended)
    return outcome.position


@asynccontextmanager
async def started(url: str, *, ttl_ms: int = TTL_MS) -> AsyncIterator[RedisJournal]:
    journal = RedisJournal(url, ttl_ms=ttl_ms)
    await journal.start()
    try:
        yield journal
    finally:
        await journal.close()


async def next_of(tail: AsyncIterator[Record | Reset | Gone]) -> Record | Reset | Gone:
    return await anext(tail)


async def killed(client: Redis) -> None:
    """Wait until a subscribed connection is there, and kill it."""
    while True:
        if await client.client_kill_filter(_type="pubsub"):
            return


async def settled(journal: Journal) -> None:
    """Wait until the server answers again after a failure."""
    async with asyncio.timeout(10):
        while True:
            try:
                await journal.check(now_ms=NOW_MS)
            except StoreUnavailable:
                await asyncio.sleep(0.01)
            else:
                return


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(2))
async def test_what_was_acknowledged_survives_kill_9_of_the_writer(redis: Store, seed: int) -> None:
    dice = random.Random(seed)
    acknowledged: dict[int, str] = {}
    for life in range(3):
        writer = await run_writer(redis.url, CALL, f"{life}", count=100_000)
        assert writer.stdout is not None
        lines = [await writer.stdout.readline() for _ in range(dice.randrange(5, 300))]
        writer.kill()
        lines += (await writer.stdout.read()).splitlines(keepends=True)
        acknowledged |= dict(json.loads(line) for line in lines if line.endswith(b"\n"))
        await writer.wait()
    reading = await (await redis.journal()).read(CALL)
    assert isinstance(reading, Reading)
    stored = {record.position: record.body.decode() for record in reading.records}
    assert sorted(stored) == list(range(1, reading.head + 1)), f"seed {seed}"
    assert acknowledged.items() <= stored.items(), f"seed {seed}"
    assert reading.epoch == 3


@pytest.mark.asyncio
async def test_all_keys_of_a_call_lie_in_one_slot_and_live_as_long_as_it(redis: Store) -> None:
    journal = await redis.journal(ttl_ms=100_000)
    await take(journal, CALL, [b"a"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    await journal.spend(CALL, "n", stream_sid="MZ", window_ms=1, uses_max=1, now_ms=NOW_MS)
    await journal.snapshot(CALL, epoch=1, position=1, body=b"s")
    async with redis.client() as client:
        keys = {key.decode() async for key in client.scan_iter("stayline:*")}
        assert keys == {KEY, f"{KEY}:records", f"{KEY}:tokens", CALLS_KEY, LEASES_KEY}
        for key in (KEY, f"{KEY}:records"):
            await client.pexpire(key, 5_000)
        assert await journal.lease(CALL, epoch=1, owner="one", until_ms=0, now_ms=NOW_MS)
        left = [await client.pttl(key) for key in (KEY, f"{KEY}:records", CALLS_KEY)]
    assert [round(ms, -4) for ms in left] == [100_000, 100_000, 200_000]


@pytest.mark.asyncio
async def test_a_call_that_the_server_forgot_is_gone_everywhere(redis: Store) -> None:
    journal = await redis.journal()
    headline = await journal.open(CALL, [b"a"], now_ms=NOW_MS)
    tail = journal.tail(CALL, incarnation=headline.incarnation, after=0)
    await anext(tail)
    async with redis.client() as client:
        for key in (KEY, f"{KEY}:records"):
            await client.pexpire(key, 1)
        async with asyncio.timeout(10):
            assert await anext(tail) == Gone()
        assert await journal.open_calls() == ()
        assert await journal.sweep(now_ms=NOW_MS + TTL_MS - 1) == 0
        assert await journal.sweep(now_ms=NOW_MS + TTL_MS) == 1
        assert await client.exists(CALLS_KEY) == 0


@pytest.mark.asyncio
async def test_a_call_prolonged_by_appends_is_not_swept(redis: Store) -> None:
    journal = await redis.journal()
    await journal.open(CALL, [b"a"], now_ms=NOW_MS)
    later_ms = NOW_MS + 1_000
    await journal.append(CALL, [b"b"], epoch=None, after=None, key="k", now_ms=later_ms)
    assert await journal.sweep(now_ms=NOW_MS + TTL_MS) == 0
    async with redis.client() as client:
        assert await client.zscore(CALLS_KEY, CALL) == later_ms + TTL_MS


@pytest.mark.asyncio
@pytest.mark.parametrize("is_all", [True, False])
async def test_a_call_whose_records_were_evicted_is_missing_and_begins_anew(
    redis: Store, *, is_all: bool
) -> None:
    journal = await redis.journal()
    first = await take(journal, CALL, [b"a", b"b"], owner="o", until_ms=NOW_MS, now_ms=NOW_MS)
    async with redis.client() as client:
        await client.ltrim(f"{KEY}:records", 9 if is_all else 1, 9)
    assert await journal.read(CALL) == Missing()
    outcome = await journal.append(CALL, [b"c"], epoch=1, after=2, key="k", now_ms=NOW_MS)
    assert outcome == Missing()
    second = await take(journal, CALL, [b"c"], owner="o", until_ms=NOW_MS, now_ms=NOW_MS)
    assert second.is_new
    assert second.incarnation != first.incarnation
    assert [record.body for record in second.records] == [b"c"]


@pytest.mark.asyncio
async def test_scripts_that_the_server_forgot_are_sent_again(redis: Store) -> None:
    journal = await redis.journal()
    await journal.open(CALL, [], now_ms=NOW_MS)
    async with redis.client() as client:
        for n in range(3):
            await client.script_flush()
            notes = (note(journal, f"{n}/{m}") for m in range(10))
            assert sorted(await asyncio.gather(*notes)) == list(range(10 * n + 1, 10 * n + 11))


@pytest.mark.asyncio
async def test_a_tail_outlives_the_loss_of_its_subscription(redis: Store) -> None:
    here, there = await redis.journal(), await redis.journal()
    await here.open(CALL, [b"a"], now_ms=NOW_MS)
    tail = here.tail(CALL, incarnation=None, after=0)
    await anext(tail)
    async with redis.client() as client, asyncio.timeout(10):
        for n in range(3):
            waiting = asyncio.create_task(next_of(tail))
            await killed(client)
            await there.append(CALL, [b"b"], epoch=None, after=None, key=f"{n}", now_ms=NOW_MS)
            item = await waiting
            assert isinstance(item, Record)
            assert item.position == n + 2
    await tail.aclose()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("appendonly", "appendfsync", "expected"),
    [
        ("no", "always", Durability.MEMORY),
        ("yes", "everysec", Durability.BUFFERED),
        ("yes", "always", Durability.LOCAL),
    ],
)
async def test_an_acknowledgement_says_what_the_servers_settings_make_it(
    tmp_path: Path, appendonly: str, appendfsync: str, expected: Durability
) -> None:
    with Valkey(tmp_path, appendonly=appendonly, appendfsync=appendfsync) as running:
        async with started(running.url) as journal:
            assert await journal.check(now_ms=NOW_MS) is expected
            await journal.open(CALL, [], now_ms=NOW_MS)
            outcome = await journal.append(
                CALL, [b"a"], epoch=None, after=None, key="k", now_ms=NOW_MS
            )
            assert outcome == Appended(1, expected)


@pytest.mark.asyncio
async def test_a_server_that_restarted_makes_a_new_incarnation_and_resets_tails(
    tmp_path: Path,
) -> None:
    with Valkey(tmp_path, appendonly="yes", appendfsync="always") as running:
        async with started(running.url) as journal:
            claim = await take(journal, CALL, [b"a"], owner="o", until_ms=0, now_ms=NOW_MS)
            running.stop()
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    await note(journal, "down")
            running.start()
            await settled(journal)
            before = await journal.read(CALL)
            assert isinstance(before, Reading)
            assert (before.head, before.incarnation) == (1, claim.incarnation)
            assert await note(journal, "k") == 2
            tail = journal.tail(CALL, incarnation=claim.incarnation, after=1)
            first, *items = [await anext(tail) for _ in range(3)]
            assert isinstance(first, Reset)
            assert first.incarnation != claim.incarnation
            assert [item.position for item in items if isinstance(item, Record)] == [1, 2]
            await tail.aclose()


@pytest.mark.asyncio
async def test_nobody_there_is_one_clear_error_each_time() -> None:
    listener = await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    journal = RedisJournal(f"redis://:secret@127.0.0.1:{port}/0", ttl_ms=TTL_MS)
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port}") as caught:
            await journal.start()
        assert "secret" not in str(caught.value)
    await journal.close()
    await journal.close()


@pytest.mark.asyncio
async def test_a_server_that_never_answers_is_not_waited_for_long() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    journal = RedisJournal(f"redis://127.0.0.1:{port}", ttl_ms=TTL_MS)
    async with asyncio.timeout(5):
        with pytest.raises(StoreUnavailable):
            await journal.start()
        with pytest.raises(StoreUnavailable):
            await journal.read(CALL)
        await journal.close()
    listener.close()


@pytest.mark.asyncio
async def test_a_wrong_password_is_said_without_repeating_it(tmp_path: Path) -> None:
    with Valkey(tmp_path) as running:
        async with Redis.from_url(running.url) as client:
            await client.config_set("requirepass", "right")
        url = running.url.replace("redis://", "redis://:wrong-word@")
        journal = RedisJournal(url, ttl_ms=TTL_MS)
        with pytest.raises(StoreUnavailable, match="refuses the password") as caught:
            await journal.start()
        assert "wrong-word" not in str(caught.value)
        await journal.close()


@pytest.mark.asyncio
async def test_a_full_server_refuses_writes_whole_and_still_erases(tmp_path: Path) -> None:
    with Valkey(tmp_path) as running:
        async with started(running.url) as journal:
            await take(journal, CALL, [b"a"], owner="one", until_ms=0, now_ms=NOW_MS)
            await journal.open("CA9", [b"a"], now_ms=NOW_MS)
            async with Redis.from_url(running.url) as client:
                await client.config_set("maxmemory", 1)
            with pytest.raises(StoreUnavailable, match="maxmemory"):
                await note(journal, "k")
            with pytest.raises(StoreUnavailable, match="maxmemory"):
                await journal.open("CA8", [b"a"], now_ms=NOW_MS)
            assert await journal.read("CA8") == Missing()
            reading = await journal.read(CALL)
            assert isinstance(reading, Reading)
            assert reading.head == 1
            assert await journal.erase(CALL)
            assert await journal.sweep(now_ms=NOW_MS + TTL_MS) == 1


@pytest.mark.asyncio
async def test_a_paused_server_fails_its_waiters_and_serves_the_next(redis: Store) -> None:
    journal = await redis.journal()
    await journal.open(CALL, [], now_ms=NOW_MS)
    async with redis.client() as client:
        await client.client_pause(2_300, all=False)
    answers = await asyncio.gather(
        *(note(journal, f"k{n}") for n in range(5)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 5
    await settled(journal)
    assert sorted([await note(journal, f"k{n}") for n in range(5)]) == [1, 2, 3, 4, 5]
