"""O-6: tokens and names while the store is away."""

import pytest

from service.errors import StoreUnavailable
from service.journal.behind import loose as module
from service.journal.behind.loose import Loose, Token
from service.journal.values import Spent, Unspendable
from tests.journal.behind.faults import CALL, FaultyStore

NOW_MS = 1_790_000_000_000


def spend(loose: Loose, nonce: str = "n", *, stream: str = "MZ1", at_ms: int = NOW_MS) -> object:
    return loose.spend(CALL, nonce, stream_sid=stream, window_ms=60_000, uses_max=3, now_ms=at_ms)


def test_a_token_is_spent_by_the_same_rules() -> None:
    loose = Loose()
    assert spend(loose) == Spent(1)
    assert loose.has_token(CALL, "n")
    assert isinstance(spend(loose, stream="MZ2"), Unspendable)
    assert spend(loose, at_ms=NOW_MS + 1) == Spent(2)
    assert isinstance(spend(loose, at_ms=NOW_MS + 90_000), Unspendable)


def test_a_name_means_its_call_for_its_time() -> None:
    loose = Loose()
    loose.remember("from:1", CALL, ttl_ms=10, now_ms=NOW_MS)
    assert loose.recall("from:1", NOW_MS + 9) == CALL
    assert loose.recall("from:1", NOW_MS + 10) is None
    assert loose.recall("from:2", NOW_MS) is None


def test_there_is_an_end_to_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOSE_MAX", 1)
    loose = Loose()
    spend(loose)
    assert spend(loose) == Spent(2)
    with pytest.raises(StoreUnavailable):
        spend(loose, "another")
    with pytest.raises(StoreUnavailable):
        loose.remember("from:1", CALL, ttl_ms=10, now_ms=NOW_MS)


def test_of_the_tokens_that_the_store_has_the_oldest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SEEN_MAX", 1)
    loose = Loose()
    for nonce in ("n", "another"):
        loose.see(CALL, nonce, Token("MZ1", 1, NOW_MS, 60_000, 3))
    assert not loose.has_token(CALL, "another"), "the store has it"
    assert isinstance(spend(loose, "another", stream="MZ2"), Unspendable)
    assert spend(loose, "another") == Spent(2)
    assert spend(loose, stream="MZ2") == Spent(1)


@pytest.mark.asyncio
async def test_the_store_is_told_all_that_it_takes(faulty: FaultyStore) -> None:
    await faulty.start()
    loose = Loose()
    spend(loose)
    loose.remember("from:1", CALL, ttl_ms=1_000, now_ms=NOW_MS)
    loose.remember("from:2", CALL, ttl_ms=10, now_ms=NOW_MS)
    faulty.way = "away"
    with pytest.raises(StoreUnavailable):
        await loose.flush(faulty, NOW_MS)
    assert len(loose) == 3
    faulty.way = "well"
    await loose.flush(faulty, NOW_MS + 100)
    assert not loose
    assert await faulty.recall("from:1", now_ms=NOW_MS) == CALL
    assert await faulty.recall("from:2", now_ms=NOW_MS) is None
    again = await faulty.spend(
        CALL, "n", stream_sid="MZ2", window_ms=60_000, uses_max=3, now_ms=NOW_MS
    )
    assert isinstance(again, Unspendable)
    await faulty.close()
