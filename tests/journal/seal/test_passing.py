"""Names: a store holds no number and no ticket, not even a digest that can be tried out."""

import pytest
from typing_extensions import override

from service.errors import StoreUnavailable
from service.journal.seal.journal import SealedJournal
from service.journal.seal.masters import Masters
from service.journal.seal.vault import MemoryVault
from service.journal.stores import connect
from tests.journal.sealing import seal_key

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


def journal(*kids: str, vault: MemoryVault | None = None) -> SealedJournal:
    masters = Masters([seal_key(kid) for kid in kids])
    return SealedJournal(STORE, vault or MemoryVault(), masters, lambda _: "", ttl_ms=60_000)


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
