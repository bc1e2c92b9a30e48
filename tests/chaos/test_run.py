"""A run against a small deployment over real sockets: what it does, and that it finds what is wrong."""

from pathlib import Path

import pytest

from service.chaos import harms
from service.chaos.plan import Plan
from service.chaos.report import Report
from service.chaos.run import Standing, run
from service.simulator.credentials import Credentials
from tests.chaos.deployment import Deployment
from tests.simulator.talker import ACCOUNT, TOKEN

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(60)]


@pytest.fixture(autouse=True)
def _short_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harms, "DARK_S", 0.5)
    monkeypatch.setattr(harms, "HOLD_MS", (100, 500))


async def ran(deployment: Deployment, folder: Path) -> tuple[Report, list[Standing]]:
    plan = Plan(server=deployment.url, calls=6, at_once=4, drops=12, apart_ms=800, media_ms=20)
    shown: list[Standing] = []
    report = await run(plan, folder, Credentials(ACCOUNT, TOKEN, "token"), shown.append)
    return report, shown


async def test_drops_are_done_and_counted_and_calls_go_on(
    deployment: Deployment, tmp_path: Path
) -> None:
    report, shown = await ran(deployment, tmp_path)
    assert report.broken == [], report.text()
    assert report.figures["drops"] == 12
    back = [report.figures[row]["n"] for row in ("drop to the next stream", "  of blackholes")]
    assert sum(back) == 12
    assert report.figures["notes accepted"] > 0
    assert {one.calls for one in shown} <= {0, 1, 2, 3}
    assert len(deployment.journals) == 6
    assert len(deployment.streams) >= 18


async def test_a_deployment_that_forgets_is_found_out(
    deployment: Deployment, tmp_path: Path
) -> None:
    deployment.is_forgetful = True
    report, _ = await ran(deployment, tmp_path)
    assert any(one.startswith("acknowledged records lost") for one in report.broken)
