import asyncio
import json
from typing import Any

import pytest

from service.clock import Clock
from service.meter import Meter
from service.sight.history import STEP_MS, History
from service.trust.api_token import ApiToken
from service.web.door.bearer import Bearers
from service.web.reading import figures as module
from service.web.reading.figures import Figures
from tests.conftest import wait_until
from tests.web.front import Front
from tests.web.reading.test_live import reading

pytestmark = pytest.mark.asyncio
SEE = {"authorization": "Bearer see"}


async def test_figures_are_for_who_may_see(front: Front) -> None:
    assert (await front.web.get("/api/figures")).status_code == 401
    answer = await front.web.get("/api/figures", headers=SEE)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["step_ms"], told["alerts"], told["points"]) == (STEP_MS, [], [])
    assert told["server"]


@pytest.mark.parametrize("minutes", ["0", "361", "-1", "x", "", "1.5", "٣", "9" * 400])
async def test_minutes_are_a_sound_number(front: Front, minutes: str) -> None:
    answer = await front.web.get("/api/figures", params={"minutes": minutes}, headers=SEE)
    assert answer.status_code == 400
    assert "from 1 to 360" in answer.json()["detail"]


async def test_steps_close_by_themselves_and_alerts_fire(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEP_MS", 10)
    meter = Meter()
    meter.store.degraded.set(1)
    token = ApiToken.model_construct(token="see", role="viewer", tenant="default")
    history, posted, rung = History(meter), list[tuple[str, Any]](), list[list[str]]()
    figures = Figures(
        history=history,
        clock=Clock(),
        bearers=Bearers([token], meter, Clock(), ()),
        server="here",
        post=lambda event, told: posted.append((event, told)),
        ring=lambda firing, _now_ms: rung.append([one.name for one in firing]),
    )
    front.app.router.routes[:0] = figures.routes()
    running = asyncio.create_task(figures.run())
    await wait_until(lambda: len(history.since(0)) > 1, description="two steps closed")
    running.cancel()
    told = (await front.web.get("/api/figures?minutes=1", headers=SEE)).json()
    assert [one["name"] for one in told["alerts"]] == ["store_degraded"]
    assert told["points"][0]["is_degraded"] is True
    assert [event for event, _ in posted] == ["figures"] * len(posted)
    assert rung == [["store_degraded"]] * len(posted)
    assert [one["points"] for _, one in posted[:2]] == [[point] for point in told["points"][:2]]
    assert (posted[-1][1]["alerts"], posted[-1][1]["server"]) == (told["alerts"], "here")


@pytest.fixture
def quick_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of a moment, from before the application begins."""
    monkeypatch.setattr(module, "STEP_MS", 10)


@pytest.mark.usefixtures("quick_steps", "front")
async def test_who_watches_the_board_is_told_each_new_point(host: str) -> None:
    async with reading(host, "/api/board") as reader:
        assert (await reader.event())["event"] == "board"
        first, second = [json.loads(one["data"]) for one in await reader.events(2)]
    assert first["points"][0]["at_ms"] < second["points"][0]["at_ms"]
