from pathlib import Path

import pytest

from service.errors import SealBroken
from service.journal.seal.anew import Anew
from service.journal.seal.callkey import UNREADABLE
from service.journal.seal.composing import sealed
from service.journal.seal.journal import SealedJournal
from service.journal.seal.keys import BEFORE_BYTES_MAX
from service.journal.seal.rewrap import rewrap
from service.journal.stores import connect
from service.journal.values import Appended, Claim, Missing, Reading
from tests.journal.sealing import seal_key

pytestmark = pytest.mark.asyncio
NOW_MS = 1_790_000_000_000


def store(folder: Path, *kids: str) -> SealedJournal:
    """Return the one store, with these masters."""
    return sealed(
        f"sqlite:///{folder}/calls.db",
        [seal_key(kid) for kid in kids],
        tenant_of=lambda opening: opening[0].decode() if opening else "",
        ttl_ms=60_000,
    )


async def bodies(journal: SealedJournal) -> list[bytes]:
    reading = await journal.read("CA1")
    assert isinstance(reading, Reading)
    return [one.body for one in reading.records]


async def owned(journal: SealedJournal) -> Claim:
    claim = await journal.claim("CA1", (), owner="o", until_ms=NOW_MS, now_ms=NOW_MS)
    assert isinstance(claim, Claim)
    return claim


async def begun(folder: Path) -> None:
    """Write a call of three records and a snapshot under k1."""
    journal = store(folder, "k1")
    await journal.start()
    await journal.open("CA1", [b""], now_ms=NOW_MS)
    claim = await owned(journal)
    for n, body in enumerate((b"one", b"two"), 1):
        await journal.append("CA1", [body], epoch=claim.epoch, after=n, key=str(n), now_ms=NOW_MS)
    await journal.snapshot("CA1", epoch=claim.epoch, position=2, body=b"folded")
    await journal.close()


async def test_a_call_goes_on_and_all_of_it_is_read_once_the_master_is_back(tmp_path: Path) -> None:
    await begun(tmp_path)
    journal = store(tmp_path, "k2")
    await journal.start()
    with pytest.raises(SealBroken):
        await journal.read("CA1")
    anew = Anew(journal)
    assert await anew.begin("CA1", [b""], now_ms=NOW_MS)
    assert not await anew.begin("CA1", [b""], now_ms=NOW_MS)
    assert await bodies(journal) == [UNREADABLE] * 3 + [b""]
    claim = await owned(journal)
    assert claim.snapshot is None
    head = claim.records[-1].position
    written = await journal.append(
        "CA1", [b"hello"], epoch=claim.epoch, after=head, key="h", now_ms=NOW_MS
    )
    assert isinstance(written, Appended)
    await journal.close()
    journal = store(tmp_path, "k2", "k1")
    await journal.start()
    assert await bodies(journal) == [b"", b"one", b"two", b"", b"hello"]
    assert (await owned(journal)).snapshot is not None
    await journal.close()


async def test_who_held_the_call_under_the_earlier_key_is_still_read(tmp_path: Path) -> None:
    await begun(tmp_path)
    one, other = store(tmp_path, "k1", "k2"), store(tmp_path, "k2")
    await one.start()
    await other.start()
    claim = await owned(one)
    assert await Anew(other).begin("CA1", [b""], now_ms=NOW_MS)
    late = await one.append("CA1", [b"late"], epoch=claim.epoch, after=4, key="l", now_ms=NOW_MS)
    assert isinstance(late, Appended)
    assert (await bodies(one))[-1] == b"late"
    with pytest.raises(SealBroken):  # there its master is not, and it stands behind the beginning
        await other.read("CA1")
    assert await Anew(other).begin("CA1", [b""], now_ms=NOW_MS)
    assert (await bodies(other))[-2:] == [UNREADABLE, b""]
    assert (await bodies(one))[-2:] == [b"late", b""]
    await one.close()
    await other.close()


async def test_a_call_whose_key_was_lost_goes_on(tmp_path: Path) -> None:
    await begun(tmp_path)
    for path in (tmp_path / "calls.db-keys").rglob("*.key"):
        path.unlink()
    journal = store(tmp_path, "k1")
    await journal.start()
    assert await Anew(journal).begin("CA1", [b""], now_ms=NOW_MS)
    assert await bodies(journal) == [UNREADABLE] * 3 + [b""]
    await journal.close()


async def test_a_call_whose_records_were_changed_goes_on_with_what_still_opens(
    tmp_path: Path,
) -> None:
    await begun(tmp_path)
    engine = connect(f"sqlite:///{tmp_path}/calls.db", ttl_ms=60_000)
    await engine.start()
    planted = b"\xff not sealed"
    await engine.append("CA1", [planted], epoch=None, after=None, key="x", now_ms=NOW_MS)
    await engine.close()
    journal = store(tmp_path, "k1")
    await journal.start()
    with pytest.raises(SealBroken):
        await journal.read("CA1")
    assert await Anew(journal).begin("CA1", [b""], now_ms=NOW_MS)
    assert await bodies(journal) == [b"", b"one", b"two", UNREADABLE, b""]
    await journal.close()


async def test_keys_that_are_kept_beside_it_are_wrapped_anew_too(tmp_path: Path) -> None:
    await begun(tmp_path)
    journal = store(tmp_path, "k2")
    await journal.start()
    assert await Anew(journal).begin("CA1", [b""], now_ms=NOW_MS)
    await journal.close()
    journal = store(tmp_path, "k3", "k2", "k1")
    await journal.start()
    assert (await rewrap(journal)).anew == 1
    assert (await rewrap(journal)).current == 1
    await journal.close()
    journal = store(tmp_path, "k3")
    await journal.start()
    assert await bodies(journal) == [b"", b"one", b"two", b""]
    assert await journal.erase("CA1")
    assert isinstance(await journal.read("CA1"), Missing)
    await journal.close()
    assert not list((tmp_path / "calls.db-keys").rglob("*.key"))


async def test_a_call_that_opens_or_is_not_there_stays_as_it_is(tmp_path: Path) -> None:
    journal = store(tmp_path, "k1")
    await journal.start()
    assert not await Anew(journal).begin("CA1", [b""], now_ms=NOW_MS)
    await journal.open("CA1", [b"", b"x"], now_ms=NOW_MS)
    assert not await Anew(journal).begin("CA1", [b""], now_ms=NOW_MS)
    assert await bodies(journal) == [b"", b"x"]
    assert not await Anew(journal.engine).begin("CA1", [b""], now_ms=NOW_MS)
    await journal.close()


async def test_a_call_does_not_begin_anew_for_ever(tmp_path: Path) -> None:
    await begun(tmp_path)
    for n in range(2, 9):
        journal = store(tmp_path, f"k{n}")
        await journal.start()
        try:
            assert await Anew(journal).begin("CA1", [b""], now_ms=NOW_MS)
        except SealBroken:
            break
        finally:
            await journal.close()
    (path,) = (tmp_path / "calls.db-keys").rglob("*.key")
    assert BEFORE_BYTES_MAX < path.stat().st_size < 2 * BEFORE_BYTES_MAX
