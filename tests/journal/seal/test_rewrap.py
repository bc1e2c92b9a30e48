"""S-7: rotation wraps keys anew, and touches no record."""

import pytest

from service.journal.seal.journal import SealedJournal
from service.journal.seal.masters import Masters
from service.journal.seal.rewrap import Rewrapped, rewrap
from service.journal.seal.vault import MemoryVault
from service.journal.stores import connect
from service.journal.values import Reading
from tests.journal.sealing import seal_key

pytestmark = pytest.mark.asyncio
NOW_MS = 1_790_000_000_000


async def test_after_it_the_older_master_is_not_needed() -> None:
    store, vault = connect("sqlite://:memory:", ttl_ms=60_000), MemoryVault()

    def journal(*kids: str) -> SealedJournal:
        masters = Masters([seal_key(kid) for kid in kids])
        return SealedJournal(store, vault, masters, lambda _: "", ttl_ms=60_000)

    old, both, new, other = journal("k1"), journal("k2", "k1"), journal("k2"), journal("k3")
    await old.start()
    for n in range(3):
        await old.open(f"CA{n}", [b"opened"], now_ms=NOW_MS)
    await both.open("CA3", [b"opened"], now_ms=NOW_MS)
    await journal().open("CA4", [b"opened"], now_ms=NOW_MS)
    before = await store.read("CA0")
    assert await rewrap(new) == Rewrapped(0, 1, 3)
    assert await rewrap(both) == Rewrapped(3, 1, 0)
    assert await rewrap(both) == Rewrapped(0, 4, 0)
    assert await rewrap(other) == Rewrapped(0, 0, 4)
    assert await store.read("CA0") == before
    for n in range(5):
        reading = await new.read(f"CA{n}")
        assert isinstance(reading, Reading)
        assert reading.records[0].body == b"opened"
    await old.close()
