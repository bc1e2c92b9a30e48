"""The store, as the doctor looks at it: a file, and a real server."""

from pathlib import Path
from typing import Any

import pytest

from service.clock import Clock
from service.commands.doctor import store
from service.commands.doctor.finding import Finding, State
from service.config import load
from service.journal.seal.journal import SealedJournal
from service.journal.values import Appended, Durability
from service.parts import sealed_store
from tests.conftest import free_port
from tests.standins.valkey import Valkey

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("alone")]


async def looked(clock: Clock | None = None) -> dict[str, Finding]:
    return {one.name: one for one in await store.look(load(), clock or Clock())}


async def test_a_file_is_written_fenced_and_left_as_it_was() -> None:
    found = await looked()
    assert set(found) == {"shelf", "store", "fence"}
    assert State.WRONG not in {one.state for one in found.values()}
    assert "on this machine's disk" in found["store"].text
    journal = sealed_store(load())
    await journal.start()
    assert await journal.open_calls() == ()
    await journal.close()


async def test_a_server_has_a_clock_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Valkey(tmp_path / "valkey") as server:
        monkeypatch.setenv("STORE_URL", server.url)
        found = await looked()
        assert found["store"].state is State.CARE
        assert "appendonly" in found["store"].advice
        assert found["store clock"].state is State.WELL
        late = Clock(wall_ns=lambda: 1_790_000_000 * 10**9)
        assert (await looked(late))["store clock"].state is State.WRONG


async def test_a_store_that_is_away_is_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_URL", f"redis://127.0.0.1:{free_port()}")
    found = await looked()
    assert found["store"].state is State.WRONG
    assert set(found) == {"shelf", "store"}


async def test_a_folder_that_can_not_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRITE_BEHIND", "/proc/here")
    assert (await looked())["shelf"].state is State.WRONG


async def test_a_fence_that_does_not_hold_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    async def taken(*_given: Any, **_named: Any) -> Appended:
        return Appended(1, Durability.LOCAL)

    monkeypatch.setattr(SealedJournal, "append", taken)
    assert (await looked())["fence"].state is State.WRONG


async def test_a_store_that_is_slow_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SLOW_MS", -1)
    found = (await looked())["fence"]
    assert (found.state, found.advice) == (State.CARE, "put the store nearer to the servers")
