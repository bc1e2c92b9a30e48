import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from starlette.applications import Starlette

from service import quota as module
from service.errors import StoreUnavailable
from service.journal.journal import Journal
from service.journal.stores import connect
from service.journal.values import Appended, Missing, Room
from service.meter import Meter
from service.quota import Quota
from tests.conftest import wait_until
from tests.flood import NOW_MS, filled, keeps_to
from tests.journal.taking import take
from tests.session.parts import NotingCarrier, ScriptedAgent, ScriptedSpeech
from tests.web.front import built

pytestmark = pytest.mark.asyncio
MIB = 1 << 20


@pytest_asyncio.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = connect(f"sqlite:///{tmp_path}/calls.db", ttl_ms=1_800_000)
    await journal.start()
    yield journal
    await journal.close()


async def test_the_oldest_calls_that_are_over_go_and_the_others_stay(journal: Journal) -> None:
    """S-15."""
    for number in range(6):
        await filled(journal, f"CA{number}", MIB, NOW_MS + number, is_over=number != 1)
    meter = Meter()
    quota = Quota(journal, meter, 5 * MIB)
    assert await quota.keep() >= 2
    left = [one.call_sid for one in await journal.open_calls()]
    assert "CA0" not in left
    assert {"CA1", "CA5"} <= set(left)
    assert (await journal.room()).used <= 5 * MIB * 9 // 10
    assert await quota.keep() == 0
    assert meter.value("stayline_calls_pruned_total") == 6 - len(left)
    assert meter.value("stayline_store_bytes") == (await journal.room()).used


async def test_calls_that_live_are_never_erased_for_room(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        await filled(journal, f"CA{number}", MIB, NOW_MS, is_over=False)
    quota = Quota(journal, Meter(), MIB)
    for _ in range(2):
        assert await quota.keep() == 0
    assert len(await journal.open_calls()) == 3
    assert len([one for one in caplog.records if "more than STORE_QUOTA_MB" in one.message]) == 1


async def test_a_call_that_was_claimed_again_since_it_was_told_of_stays(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        await filled(journal, f"CA{number}", MIB, NOW_MS, is_over=True)
    told = await journal.room()
    await take(journal, "CA0", [], owner="o", until_ms=NOW_MS + 9_000, now_ms=NOW_MS)

    async def room() -> Room:
        return told  # as it was a moment ago, again and again

    monkeypatch.setattr(journal, "room", room)
    assert await Quota(journal, Meter(), MIB).keep() == 1
    assert [one.call_sid for one in await journal.open_calls()] == ["CA0"]


async def test_a_store_that_fails_is_looked_at_again(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.005)
    meter, tries = Meter(), 0

    async def fail() -> None:
        nonlocal tries
        tries += 1
        raise StoreUnavailable("no disk")

    monkeypatch.setattr(journal, "room", fail)
    task = asyncio.create_task(Quota(journal, meter, MIB).run())
    await wait_until(lambda: tries > 2, description="it looks again")
    task.cancel()
    assert meter.value("stayline_store_errors_total") >= 2


async def test_a_flood_of_ended_calls_stays_within_the_quota(tmp_path: Path) -> None:
    """S-15, small; `python -m tests.flood` is the whole."""
    report = await keeps_to(f"sqlite:///{tmp_path}/calls.db", calls=30, mib=10, look_s=0.01)
    assert report.peak <= 10 * MIB * 105 // 100
    assert report.live_lost == 0


async def test_a_server_keeps_its_quota(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    app: Starlette = built(
        NotingCarrier(),
        ScriptedAgent(),
        ScriptedSpeech(),
        store_url=f"sqlite:///{tmp_path}/calls.db",
        store_quota_mb=1,
    )
    async with app.router.lifespan_context(app):
        journal: Journal = app.state.parts.journal
        for number in range(3):
            await filled(journal.engine, f"CA{number}", MIB, NOW_MS, is_over=True)  # type: ignore[attr-defined] # past the bridge

        async def is_pruned() -> bool:
            return len(await journal.open_calls()) < 3

        await wait_until(is_pruned, description="the oldest went")


async def test_a_call_that_is_erased_takes_no_more(journal: Journal) -> None:
    await filled(journal, "CA0", 1_000, NOW_MS, is_over=False)
    await journal.erase("CA0")
    outcome = await journal.append("CA0", [b"x"], epoch=None, after=None, key="k", now_ms=NOW_MS)
    assert isinstance(outcome, Missing)
    assert not isinstance(outcome, Appended)
