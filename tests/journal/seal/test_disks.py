"""S-8: what a Redis has written to its own disk of calls that were erased: the log, the dump, a copy of both.

python -m pytest tests/journal/seal/test_disks.py        50 calls; ERASURES=1000 for as many
"""

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.errors import SealBroken
from service.journal.seal.composing import sealed
from service.journal.seal.journal import SealedJournal
from service.journal.values import Claim, Missing
from tests.journal.sealing import KEY
from tests.standins.valkey import Valkey

pytestmark = pytest.mark.asyncio
ERASURES = int(os.environ.get("ERASURES", "50"))
NOW_MS = 1_790_000_000_000
# What is not compressed can be searched.
WRITES = {"appendonly": "yes", "save": "3600 1", "rdbcompression": "no"}


def canary(call: int) -> bytes:
    return b"canary-%06d-word" % call


def house(server: Valkey, keys_url: str = "") -> SealedJournal:
    return sealed(
        server.url, (KEY,), tenant_of=lambda _: "", ttl_ms=1_800_000_000, keys_url=keys_url
    )


async def talk(journal: SealedJournal, call: int) -> None:
    """Let a call say its word in every way that is kept."""
    call_sid, word = f"CA{call}", canary(call)
    await journal.remember(word.decode(), call_sid, ttl_ms=60_000_000, now_ms=NOW_MS)
    claim = await journal.claim(call_sid, [word], owner="o", until_ms=NOW_MS, now_ms=NOW_MS)
    assert isinstance(claim, Claim)
    await journal.append(call_sid, [word], epoch=claim.epoch, after=1, key="a", now_ms=NOW_MS)
    await journal.append(call_sid, [word], epoch=None, after=None, key="b", now_ms=NOW_MS)
    await journal.snapshot(call_sid, epoch=claim.epoch, position=2, body=word * 20)


async def written(server: Valkey) -> bytes:
    """Have the server write its log and its dump anew; return all that is in its folder."""
    async with Redis(port=server.port) as redis:
        await redis.bgrewriteaof()
        await _at_rest(redis)
        await redis.bgsave()
        await _at_rest(redis)
    return on_disk(server)


async def _at_rest(redis: "Redis") -> None:
    async with asyncio.timeout(20):
        while True:
            told = await redis.info("persistence")
            if not (
                told["aof_rewrite_in_progress"]
                or told["rdb_bgsave_in_progress"]
                or told["aof_rewrite_scheduled"]
            ):
                return
            await redis.ping()


def on_disk(server: Valkey) -> bytes:
    files = sorted(path for path in server.folder.rglob("*") if path.is_file())
    return b"".join(path.read_bytes() for path in files)


@pytest.mark.timeout(max(60, ERASURES // 2))
async def test_no_word_is_on_a_disk_and_no_key_of_an_erased_call_after_a_rewrite(
    tmp_path: Path,
) -> None:
    with Valkey(tmp_path / "redis", **WRITES) as server:
        journal = house(server)
        await journal.start()
        for call in range(ERASURES):
            await talk(journal, call)
        wrapped = [await journal.vault.fetch(f"CA{call}") for call in range(ERASURES)]
        before = await written(server)
        assert b"canary-" not in before
        for call in range(ERASURES):
            assert await journal.erase(f"CA{call}")
            assert await journal.recall(canary(call).decode(), now_ms=NOW_MS) is None
        after = await written(server)
        assert b"canary-" not in after
        assert b"{CA" not in after
        boxes = [kept[-48:] for kept in wrapped if kept is not None]  # the data key, sealed
        assert len(boxes) == ERASURES
        assert not any(box in after for box in boxes)
        await journal.close()


async def test_what_is_not_sealed_is_found_by_this_search(tmp_path: Path) -> None:
    with Valkey(tmp_path / "redis", **WRITES) as server:
        journal = sealed(server.url, (), tenant_of=lambda _: "", ttl_ms=1_800_000_000)
        await journal.start()
        await talk(journal, 1)
        assert b"canary-" in await written(server)
        await journal.close()


async def test_a_copy_of_the_store_tells_nothing_once_the_keys_that_lay_apart_are_gone(
    tmp_path: Path,
) -> None:
    keys_url = f"sqlite:///{tmp_path}/keys.db"
    with Valkey(tmp_path / "redis", **WRITES) as server:
        journal = house(server, keys_url)
        await journal.start()
        await talk(journal, 1)
        await written(server)
        shutil.copytree(server.folder, tmp_path / "copy")
        assert await journal.erase("CA1")
        await journal.close()
    with Valkey(tmp_path / "copy", **WRITES) as restored:
        journal = house(restored, keys_url)
        await journal.start()
        assert not isinstance(await journal.engine.read("CA1"), Missing)
        with pytest.raises(SealBroken):
            await journal.read("CA1")
        assert b"canary-" not in on_disk(restored)
        await journal.close()
