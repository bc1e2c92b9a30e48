"""Names: a store holds no number and no ticket, not even a digest that can be tried out."""

from collections.abc import Awaitable, Callable

import pytest
from typing_extensions import override

from service.errors import StoreUnavailable
from service.journal.journal import Journal
from service.journal.seal.journal import SealedJournal
from service.journal.seal.masters import Masters
from service.journal.seal.vault import MemoryVault
from service.journal.stores import connect
from service.journal.values import Claim, Reading
from tests.journal.sealing import seal_key
from tests.journal.taking import take

pytestmark = pytest.mark.asyncio
NOW_MS = 1_790_000_000_000
NAME = "from:+447700900123"


class ShutVault(MemoryVault):
    """A vault that does not answer."""

    @override
    async def check(self) -> None:
        raise StoreUnavailable("the vault is shut")

    @override
    async def start(self) -> None:
        await self.check()


STORE = connect("sqlite://:memory:", ttl_ms=60_000)


def journal(*kids: str, vault: MemoryVault | None = None, store: Journal = STORE) -> SealedJournal:
    masters = Masters([seal_key(kid) for kid in kids])
    return SealedJournal(store, vault or MemoryVault(), masters, lambda _: "", ttl_ms=60_000)


async def remember(one: SealedJournal, call_sid: str, ttl_ms: int = 9_000) -> None:
    await one.remember(NAME, call_sid, ttl_ms=ttl_ms, now_ms=NOW_MS)


async def test_a_name_is_known_by_whoever_has_the_key_it_was_made_with() -> None:
    plain, old, both, other = journal(), journal("k1"), journal("k2", "k1"), journal("k3")
    await old.start()
    await remember(old, "CA1")
    assert await STORE.recall(NAME, now_ms=NOW_MS) is None
    assert [await one.recall(NAME, now_ms=NOW_MS) for one in (old, both)] == ["CA1", "CA1"]
    assert await other.recall(NAME, now_ms=NOW_MS) is None
    await remember(plain, "CA0")
    assert await other.recall(NAME, now_ms=NOW_MS) == "CA0"
    # What the older key, or none, made of the name means nothing once it was remembered anew.
    await remember(both, "CA2")
    later_ms = NOW_MS + 2
    assert [await one.recall(NAME, now_ms=later_ms) for one in (plain, old, both)] == [
        None,
        None,
        "CA2",
    ]
    await remember(both, "CA2", ttl_ms=1)
    assert await both.recall(NAME, now_ms=later_ms) is None
    assert await both.recall("{}", now_ms=later_ms) is None
    await old.close()


async def test_a_vault_that_does_not_answer_is_a_store_that_does_not() -> None:
    shut = journal("k1", vault=ShutVault())
    with pytest.raises(StoreUnavailable, match="shut"):
        await shut.start()
    with pytest.raises(StoreUnavailable, match="shut"):
        await shut.check(now_ms=NOW_MS)
    await shut.close()
    without_keys = journal(vault=ShutVault())
    await without_keys.start()
    await without_keys.check(now_ms=NOW_MS)
    await without_keys.close()


class WatchedVault(MemoryVault):
    """A vault that has something happen just before a key is destroyed, or just after."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[], Awaitable[Claim]] | None = None
        self.after: Callable[[], Awaitable[Claim]] | None = None

    @override
    async def destroy(self, call_sid: str) -> bool:
        before, after = self.before, self.after
        self.before = self.after = None
        if before is not None:
            await before()
        destroyed = await super().destroy(call_sid)
        if after is not None:
            await after()
        return destroyed


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_call_that_is_claimed_anew_while_it_is_pruned_can_be_read(when: str) -> None:
    vault, store = WatchedVault(), connect("sqlite://:memory:", ttl_ms=60_000)
    one, two = (journal("k1", vault=vault, store=store) for _ in range(2))
    await one.start()
    claim = await take(one, "CA9", [b"old"], owner="o", until_ms=NOW_MS, now_ms=NOW_MS)
    assert await one.release("CA9", epoch=claim.epoch)
    setattr(
        vault,
        when,
        lambda: take(two, "CA9", [b"new"], owner="p", until_ms=NOW_MS, now_ms=NOW_MS),
    )
    assert await one.prune("CA9")
    for reader in (one, two, journal("k1", vault=vault, store=store)):
        reading = await reader.read("CA9")
        assert isinstance(reading, Reading)
        assert [record.body for record in reading.records] == [b"new"]
    await one.close()


async def test_the_key_of_a_pruned_call_is_destroyed() -> None:
    vault = MemoryVault()
    one = journal("k1", vault=vault, store=connect("sqlite://:memory:", ttl_ms=60_000))
    await one.start()
    claim = await take(one, "CA8", [b"old"], owner="o", until_ms=NOW_MS, now_ms=NOW_MS)
    assert not await one.prune("CA8")
    assert await vault.fetch("CA8")
    assert await one.release("CA8", epoch=claim.epoch)
    assert await one.prune("CA8")
    assert await vault.fetch("CA8") is None
    await one.close()
