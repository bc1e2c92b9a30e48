import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from starlette.requests import Request

from service.clock import Clock
from service.journal.behind import arrears, shelf
from service.journal.behind.bridge import Bridge
from service.journal.behind.composing import bridged
from service.journal.stores import connect
from service.meter import Meter
from service.session.kept.records import orphaned
from service.web import health as module
from service.web.health import Health
from tests.web.front import Front

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def unusable(tmp_path: Path) -> AsyncIterator[Bridge]:
    """A store that can't be written: a folder stands where its file should be."""
    url = f"sqlite:///{tmp_path}"
    bridge = bridged(
        connect(url, ttl_ms=60_000),
        url,
        folder=str(tmp_path / "behind"),
        name="here",
        orphan=orphaned,
        clock=Clock(),
        meter=Meter(),
        chance=random.Random(1),
    )
    yield bridge
    await bridge.close()


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
            "store": {
                "status": "ok",
                "durability": "memory",
                "behind": {"calls": 0, "records": 0, "bytes": 0, "oldest_ms": 0},
            },
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


async def test_a_store_that_can_not_be_written_is_degraded_while_there_is_room(
    front: Front, unusable: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-10: new calls may come as long as what they write is kept somewhere."""
    await unusable.start()
    health = Health(
        journal=unusable,
        clock=Clock(),
        meter=Meter(),
        speech="ready",
        switchboard=front.parts.switchboard,
    )
    told = await health._store()
    assert (told["status"], told["durability"]) == ("degraded", "local")
    answer = await health.ready(Request({"type": "http"}))
    assert answer.status_code == 200
    monkeypatch.setattr(shelf, "BYTES_MAX", 0)
    monkeypatch.setattr(arrears, "CHANGE_MS", 0)
    answer = await health.ready(Request({"type": "http"}))
    assert answer.status_code == 503
    assert json.loads(bytes(answer.body))["parts"]["store"]["status"] == "down"


async def test_a_store_that_never_answers_is_not_waited_for(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(**_named: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "CHECK_MS_MAX", 10)
    monkeypatch.setattr(front.journal, "check", never)
    answer = await front.web.get("/readyz")
    assert answer.json()["parts"]["store"]["detail"] == "no answer in time"
    assert (await front.web.get("/healthz")).status_code == 200


async def test_a_draining_server_is_not_ready(front: Front) -> None:
    front.parts.switchboard.is_draining = True
    answer = await front.web.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert answer.json()["parts"]["draining"] is True
