import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from service.clock import Clock
from service.journal.journal import Journal
from service.journal.stores import connect
from service.meter import Meter
from service.web import health as module
from service.web.health import Health
from tests.web.front import Front

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(params=["closed", "a folder where the file should be"])
async def unusable(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    """A store that can't be written, of each kind."""
    is_closed = request.param == "closed"
    journal = connect(f"sqlite:///{tmp_path}{'/calls.db' if is_closed else ''}", ttl_ms=60_000)
    if is_closed:
        await journal.start()
        await journal.close()
    yield journal
    await journal.close()


async def test_it_is_alive_ready_and_counted(front: Front) -> None:
    for path in ("/healthz", "/livez"):
        answer = await front.web.get(path)
        assert (answer.status_code, answer.text) == (200, "ok\n")
        assert answer.headers["cache-control"] == "no-store"
    ready = await front.web.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready",
        "server": front.parts.switchboard.owner,
        "parts": {
            "store": {"status": "ok", "durability": "memory"},
            "draining": False,
            "speech": "ready",
        },
    }
    metrics = await front.web.get("/metrics")
    assert metrics.status_code == 200
    assert "stayline_calls_live" in metrics.text


async def test_readiness_really_writes(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[int] = []
    check = front.journal.check

    async def noted(*, now_ms: int) -> object:
        checked.append(now_ms)
        return await check(now_ms=now_ms)

    monkeypatch.setattr(front.journal, "check", noted)
    assert (await front.web.get("/readyz")).status_code == 200
    assert len(checked) == 1


async def test_a_store_that_can_not_be_written_is_down(front: Front, unusable: Journal) -> None:
    meter = Meter()
    health = Health(
        journal=unusable,
        clock=Clock(),
        meter=meter,
        speech="ready",
        switchboard=front.parts.switchboard,
    )
    assert (await health._store())["status"] == "down"
    assert b"stayline_store_errors_total 1.0" in meter.text()


async def test_a_store_that_never_answers_is_not_ready(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(**_named: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "CHECK_MS_MAX", 10)
    monkeypatch.setattr(front.journal, "check", never)
    answer = await front.web.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert answer.json()["parts"]["store"]["detail"] == "no answer in time"
    assert (await front.web.get("/healthz")).status_code == 200


async def test_a_draining_server_is_not_ready(front: Front) -> None:
    front.parts.switchboard.is_draining = True
    answer = await front.web.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert answer.json()["parts"]["draining"] is True
