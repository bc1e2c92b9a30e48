import pytest
from typing_extensions import override

from service.journal.journal import Journal
from service.journal.seal import keys as module
from service.journal.seal.keys import CallKeys
from service.journal.seal.masters import Masters, read
from service.journal.seal.vault import MemoryVault
from service.journal.stores import connect
from tests.journal.sealing import seal_key

pytestmark = pytest.mark.asyncio
NOW_MS = 1_790_000_000_000
TTL_MS = 60_000


class CountingVault(MemoryVault):
    """Counts how often it is asked."""

    asked = 0

    @override
    async def fetch(self, call_sid: str) -> bytes | None:
        self.asked += 1
        return await super().fetch(call_sid)


async def engine() -> Journal:
    journal = connect("sqlite://:memory:", ttl_ms=TTL_MS)
    await journal.start()
    return journal


def keys(store: Journal, vault: MemoryVault, *masters: str) -> CallKeys:
    return CallKeys(
        store,
        vault,
        Masters([seal_key(one) for one in masters or ("k1",)]),
        lambda opening: opening[0].decode() if opening else "",
        ttl_ms=TTL_MS,
    )


async def test_a_call_has_one_key_for_its_tenant() -> None:
    store, vault = await engine(), CountingVault()
    ours = keys(store, vault, "k1", "acme/a1")
    made = await ours.for_opening("CA1", [b"acme"], NOW_MS)
    assert made is not None
    kept = read(made.wrapped)
    assert kept is not None
    assert (kept.kid, kept.tenant, kept.since) == ("acme/a1", "acme", 1)
    again = await keys(store, vault, "k1", "acme/a1").for_opening("CA1", [], NOW_MS)
    assert made.is_of(again)
    await store.close()


async def test_the_owner_writes_without_asking_and_others_ask() -> None:
    store, vault = await engine(), CountingVault()
    ours = keys(store, vault)
    made = await ours.for_opening("CA1", [], NOW_MS)
    vault.asked = 0
    for _ in range(5):
        found = await ours.for_writing("CA1", is_owner=True, after=0, now_ms=NOW_MS)
        assert found is made
    assert vault.asked == 0
    assert await ours.for_writing("CA1", is_owner=False, after=None, now_ms=NOW_MS) is made
    assert vault.asked == 1
    await store.close()


async def test_a_key_is_touched_now_and_then() -> None:
    store, vault = await engine(), CountingVault()
    ours = keys(store, vault)
    await ours.for_opening("CA1", [], NOW_MS)
    vault.asked = 0
    for late_ms in (0, TTL_MS // 8, TTL_MS // 8 + 1, TTL_MS // 4):
        await ours.touch("CA1", NOW_MS + late_ms)
    assert vault.asked == 1
    await ours.touch("CA2", NOW_MS)
    assert vault.asked == 1
    await store.close()


async def test_memory_holds_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEYS_MAX", 2)
    store, vault = await engine(), CountingVault()
    ours = keys(store, vault)
    for n in range(4):
        await ours.for_opening(f"CA{n}", [], NOW_MS)
    vault.asked = 0
    assert await ours.known("CA3") is not None
    assert vault.asked == 0
    assert await ours.known("CA0") is not None
    assert vault.asked == 1
    await store.close()


async def test_a_call_of_a_time_without_keys_is_its_tenants() -> None:
    store, vault = await engine(), MemoryVault()
    await store.open("CA1", [b"acme", b"x"], now_ms=NOW_MS)
    found = await keys(store, vault, "k1", "acme/a1").for_writing(
        "CA1", is_owner=False, after=None, now_ms=NOW_MS
    )
    assert found is not None
    kept = read(found.wrapped)
    assert kept is not None
    assert (kept.tenant, kept.since) == ("acme", 3)
    await store.close()


async def test_without_masters_nobody_has_a_key() -> None:
    store, vault = await engine(), CountingVault()
    ours = CallKeys(store, vault, Masters([]), lambda _: "", ttl_ms=TTL_MS)
    assert await ours.for_opening("CA1", [], NOW_MS) is None
    assert await ours.known("CA1") is None
    assert vault.asked == 0
    await store.close()
