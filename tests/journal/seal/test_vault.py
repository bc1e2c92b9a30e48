"""What every vault promises: memory, a folder, Redis."""

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest
import pytest_asyncio

from service.journal.redis.vault import RedisVault
from service.journal.seal.folder import FolderVault
from service.journal.seal.masters import Masters
from service.journal.seal.vault import MemoryVault, Vault, is_older
from tests.journal.sealing import KEY

pytestmark = pytest.mark.asyncio
NOW_MS = 1_790_000_000_000


def wrapped(call_sid: str, at_ms: int = NOW_MS) -> bytes:
    return Masters([KEY]).made("", call_sid, since=1, now_ms=at_ms)


@pytest_asyncio.fixture(params=["memory", "folder", "redis"])
async def vault(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Vault]:
    made: Vault
    match request.param:
        case "memory":
            made = MemoryVault()
        case "folder":
            made = FolderVault(tmp_path / "a" / "keys")
        case _:
            made = RedisVault(request.getfixturevalue("redis_url"), ttl_ms=60_000)
    await made.start()
    for call_sid in ("CA1", "CA2", "CA/../3 ü"):
        await made.destroy(call_sid)
    yield made
    await made.close()


async def test_the_first_key_is_kept(vault: Vault) -> None:
    await vault.check()
    first, second = wrapped("CA1"), wrapped("CA1")
    assert await vault.fetch("CA1") is None
    assert await vault.put("CA1", first) == first
    assert await vault.put("CA1", second) == first
    assert await vault.fetch("CA1") == first
    assert await vault.fetch("CA2") is None


async def test_of_many_at_once_one_is_first(vault: Vault) -> None:
    kept = await asyncio.gather(*(vault.put("CA/../3 ü", wrapped("CA1")) for _ in range(20)))
    assert len(set(kept)) == 1
    assert await vault.fetch("CA/../3 ü") == kept[0]


async def test_a_destroyed_key_is_gone(vault: Vault) -> None:
    await vault.put("CA1", wrapped("CA1"))
    assert await vault.destroy("CA1")
    assert not await vault.destroy("CA1")
    assert await vault.fetch("CA1") is None


async def test_a_key_is_replaced_only_by_who_knows_it(vault: Vault) -> None:
    before, after = wrapped("CA1"), wrapped("CA1")
    assert not await vault.replace("CA1", before, after)
    await vault.put("CA1", before)
    assert not await vault.replace("CA1", after, before)
    assert await vault.replace("CA1", before, after)
    assert await vault.fetch("CA1") == after


async def test_keys_of_calls_that_are_gone_go_after_a_while(vault: Vault) -> None:
    await vault.put("CA1", wrapped("CA1"))
    await vault.put("CA2", wrapped("CA2"))

    async def present() -> Collection[str]:
        return ["CA1"]

    assert await vault.prune(present, before_ms=NOW_MS) == 0
    pruned = await vault.prune(present, before_ms=NOW_MS + 1)
    assert await vault.fetch("CA1") is not None
    assert pruned == (await vault.fetch("CA2") is None)


async def test_bytes_that_are_no_key_are_as_old_as_can_be() -> None:
    assert is_older(b"", 0)
    assert not is_older(wrapped("CA1"), NOW_MS)
    assert is_older(wrapped("CA1"), NOW_MS + 1)
