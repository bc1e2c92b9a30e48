"""S-7, S-8: a sealed journal. What it has in common with every other is in tests/journal/test_journal.py."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from service.errors import SealBroken, StoreUnavailable
from service.journal.seal import journal as module
from service.journal.seal.composing import sealed
from service.journal.seal.journal import SealedJournal
from service.journal.values import Appended, Behind, Gone, Missing, Outcome, Reading, Record
from service.trust.sealkeys import SealKey
from tests.journal.sealing import KEY, seal_key
from tests.journal.taking import take

pytestmark = pytest.mark.asyncio
CALL = "CA" + "1" * 32
NOW_MS = 1_790_000_000_000
NEWER = seal_key("k2")


class House:
    """A store in a file, and the journals that processes open on it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "calls.db"
        self.journals: list[SealedJournal] = []

    async def journal(self, *keys: SealKey) -> SealedJournal:
        journal = sealed(f"sqlite:///{self.path}", keys, tenant_of=lambda _: "", ttl_ms=60_000)
        self.journals.append(journal)
        await journal.start()
        return journal

    def change(self, statement: str, *words: object) -> None:
        """Do to the file what somebody does who can write to it."""
        with sqlite3.connect(self.path) as connection:
            connection.execute(statement, words)
        connection.close()


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path)
    yield house
    for journal in house.journals:
        await journal.close()


async def talked(journal: SealedJournal, call_sid: str = CALL) -> None:
    await take(journal, call_sid, [b"opened"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    await said(journal, b"hello", call_sid=call_sid)


async def said(journal: SealedJournal, *bodies: bytes, call_sid: str = CALL) -> Outcome:
    return await journal.append(
        call_sid, bodies, epoch=None, after=None, key=str(bodies), now_ms=NOW_MS
    )


async def bodies(journal: SealedJournal, call_sid: str = CALL) -> list[bytes]:
    reading = await journal.read(call_sid)
    assert isinstance(reading, Reading)
    return [record.body for record in reading.records]


async def test_the_engine_sees_no_word(house: House) -> None:
    journal = await house.journal(KEY)
    await talked(journal)
    await journal.snapshot(CALL, epoch=1, position=2, body=b"hello again")
    reading = await journal.engine.read(CALL)
    assert isinstance(reading, Reading)
    assert reading.snapshot is not None
    kept = [record.body for record in reading.records] + [reading.snapshot.body]
    assert not any(b"opened" in body or b"hello" in body for body in kept)
    assert await bodies(journal) == [b"opened", b"hello"]


async def test_records_that_changed_places_are_refused(house: House) -> None:
    journal = await house.journal(KEY)
    await talked(journal)
    await talked(journal, "CA2")
    house.change("UPDATE records SET position = 9 WHERE call_id = 1 AND position = 2")
    with pytest.raises(SealBroken):
        await journal.read(CALL)
    house.change(
        "UPDATE records SET body = (SELECT body FROM records WHERE call_id = 1 AND position = 1)"
        " WHERE call_id = 2 AND position = 1"
    )
    with pytest.raises(SealBroken, match="CA2 can't be opened: record 1"):
        await journal.read("CA2")
    with pytest.raises(SealBroken):
        await anext(journal.tail("CA2", incarnation=None, after=0))


async def test_a_record_in_clear_is_not_taken_for_one_of_a_time_without_keys(house: House) -> None:
    journal = await house.journal(KEY)
    await talked(journal)
    house.change("UPDATE records SET body = ? WHERE position = 2", b"forged")
    with pytest.raises(SealBroken, match="record 2 is not sealed"):
        await journal.read(CALL)


async def test_calls_of_a_time_without_keys_go_on_sealed(house: House) -> None:
    plain, journal = await house.journal(), await house.journal(KEY)
    for call_sid in (CALL, "CA2", "CA3"):
        await talked(plain, call_sid)
        assert await bodies(journal, call_sid) == [b"opened", b"hello"]
    assert isinstance(await said(journal, b"more"), Appended)
    claim = await take(journal, "CA2", [b"x"], owner="two", until_ms=NOW_MS, now_ms=NOW_MS)
    await journal.append("CA2", [b"more"], epoch=2, after=2, key="k", now_ms=NOW_MS)
    assert [one.body for one in claim.records] == [b"opened", b"hello"]
    await journal.append("CA3", [b"more"], epoch=1, after=2, key="k", now_ms=NOW_MS)
    for call_sid in (CALL, "CA2", "CA3"):
        assert await bodies(journal, call_sid) == [b"opened", b"hello", b"more"]
        raw = await journal.engine.read(call_sid)
        assert isinstance(raw, Reading)
        assert [b"more" in one.body for one in raw.records] == [False] * 3


async def test_without_the_key_a_sealed_call_is_unreadable_and_its_fence_stays(
    house: House,
) -> None:
    """A master that was taken out of SEAL_KEYS too early; put back, nothing is lost."""
    await talked(await house.journal(KEY))
    for journal in (await house.journal(), await house.journal(NEWER)):
        with pytest.raises(SealBroken):
            await journal.read(CALL)
        with pytest.raises(SealBroken):
            await anext(journal.tail(CALL, incarnation=None, after=0))
        if journal.masters:
            with pytest.raises(SealBroken, match="SEAL_KEYS has no key 'k1'"):
                await journal.claim(CALL, [], owner="two", until_ms=NOW_MS, now_ms=NOW_MS)
            with pytest.raises(SealBroken):
                await said(journal, b"more")
    reader = await house.journal(NEWER, KEY)
    (headline,) = await reader.open_calls()
    assert (headline.epoch, headline.head) == (1, 2)
    assert await bodies(reader) == [b"opened", b"hello"]


async def test_rotation_under_100_live_calls_loses_nothing(house: House) -> None:
    """S-7: calls begun under the older key go on beside processes that have the newer one."""
    old = await house.journal(KEY)
    calls = [f"CA{n}" for n in range(100)]
    for call_sid in calls:
        await take(old, call_sid, [b"opened"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    new = await house.journal(NEWER, KEY)
    for call_sid in calls:
        assert isinstance(await said(old, b"old", call_sid=call_sid), Appended)
        assert isinstance(await said(new, b"new", call_sid=call_sid), Appended)
        await take(new, call_sid, [], owner="two", until_ms=NOW_MS, now_ms=NOW_MS)
    for journal in (old, new):
        for call_sid in calls:
            assert await bodies(journal, call_sid) == [b"opened", b"old", b"new"]


async def test_an_erased_call_is_gone_and_a_restored_copy_is_noise(house: House) -> None:
    """S-8: the store is put back as it was before the erasure; the key is not."""
    journal = await house.journal(KEY)
    await talked(journal)
    with sqlite3.connect(house.path) as source, sqlite3.connect(":memory:") as copy:
        source.backup(copy)
        assert await journal.erase(CALL)
        assert await journal.read(CALL) == Missing()
        assert not await journal.erase(CALL)
        copy.backup(source)
    source.close()
    copy.close()
    restored = await house.journal(KEY)
    with pytest.raises(SealBroken, match="its key is not kept here"):
        await restored.read(CALL)
    assert await restored.erase(CALL)


async def test_an_erased_call_that_comes_anew_has_another_key(house: House) -> None:
    one, two = await house.journal(KEY), await house.journal(KEY)
    await talked(one)
    assert await bodies(two) == [b"opened", b"hello"]
    await two.erase(CALL)
    assert await said(one, b"late") == Missing()
    await talked(one)
    assert await bodies(two) == [b"opened", b"hello"]
    await one.erase(CALL)
    await talked(two)
    assert await bodies(one) == [b"opened", b"hello"]


async def test_a_call_erased_while_it_is_opened_is_opened_under_a_key_that_is_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await house.journal(KEY)
    put = journal.vault.put

    async def put_and_lost(call_sid: str, wrapped: bytes) -> bytes:
        await put(call_sid, wrapped)
        await journal.vault.destroy(call_sid)
        return wrapped

    monkeypatch.setattr(journal.vault, "put", put_and_lost)
    with pytest.raises(StoreUnavailable, match="again and again"):
        await journal.open(CALL, [b"opened"], now_ms=NOW_MS)
    with pytest.raises(StoreUnavailable, match="again and again"):
        await take(journal, CALL, [b"opened"], owner="one", until_ms=NOW_MS, now_ms=NOW_MS)
    assert await journal.open_calls() == ()
    monkeypatch.undo()
    await talked(journal)
    assert await bodies(await house.journal(KEY)) == [b"opened", b"hello"]


async def test_a_writer_outside_who_is_always_overtaken_writes_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await house.journal(KEY)
    await talked(journal)
    append = journal.engine.append

    async def overtaken(call_sid: str, bodies: Sequence[bytes], **named: object) -> object:
        if named["after"] is not None:
            return Behind(2)
        return await append(call_sid, bodies, **named)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr(journal.engine, "append", overtaken)
    assert isinstance(await said(journal, b"note"), Appended)
    assert await bodies(journal) == [b"opened", b"hello", b"note"]


async def test_a_tail_ends_with_the_call(house: House) -> None:
    journal = await house.journal(KEY)
    await talked(journal)
    tail = journal.tail(CALL, incarnation=None, after=1)
    record = await anext(tail)
    assert isinstance(record, Record)
    assert record.body == b"hello"
    await journal.erase(CALL)
    assert await anext(tail) == Gone()
    await tail.aclose()


async def test_the_keys_of_expired_calls_go_with_them(house: House) -> None:
    journal = await house.journal(KEY)
    await talked(journal)
    later_ms = NOW_MS + 60_000 + module.PRUNE_MS
    assert await journal.sweep(now_ms=later_ms) == 1
    assert await journal.vault.fetch(CALL) is None


async def test_a_call_that_is_not_there_takes_nothing(house: House) -> None:
    journal = await house.journal(KEY)
    assert await said(journal, b"x") == Missing()
    assert not await journal.snapshot(CALL, epoch=1, position=1, body=b"s")
    assert await journal.vault.fetch(CALL) is None
    assert not await journal.erase("{}")
