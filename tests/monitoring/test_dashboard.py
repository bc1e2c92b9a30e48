"""The dashboard for Grafana: it can be read, it overlaps nothing, and it asks for series that there are."""

import itertools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from service.meter import Meter
from tests.monitoring import promtool

DASHBOARD = Path(__file__).parents[2] / "docs/monitoring/grafana.json"
GRAFANAS_OWN = {"$__rate_interval": "1m", "$__range": "3h", "$job": "stayline"}


def panels() -> list[dict[str, Any]]:
    read = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert isinstance(read, list)
    return read


def expressions() -> list[str]:
    asked = [one["expr"] for panel in panels() for one in panel.get("targets", ())]
    for name, value in GRAFANAS_OWN.items():
        asked = [one.replace(name, value) for one in asked]
    return asked


def test_every_series_that_it_asks_for_is_one_of_ours() -> None:
    families = list(Meter().families())
    ours = {sample.name for family in families for sample in family.samples}
    ours |= {f"{one.name}_total" for one in families if one.type == "counter"}
    ours |= {f"{one.name}_bucket" for one in families if one.type == "histogram"}
    ours |= {one.name for one in families if one.type == "gauge"}
    named = set(re.findall(r"stayline_\w+", " ".join(expressions())))
    assert len(named) > 15
    assert named <= ours, named - ours


def test_no_two_panels_lie_on_each_other_and_each_has_its_own_number() -> None:
    places = [panel["gridPos"] for panel in panels()]
    assert len({panel["id"] for panel in panels()}) == len(places)
    assert all(one["x"] >= 0 and one["x"] + one["w"] <= 24 for one in places)
    for one, other in itertools.combinations(places, 2):
        is_beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        is_below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert is_beside or is_below, (one, other)


@pytest.mark.skipif(promtool.PROMTOOL is None, reason="promtool is not installed")
def test_prometheus_can_read_all_that_it_asks_for(tmp_path: Path) -> None:
    rules = [{"record": f"asked:{nth}", "expr": one} for nth, one in enumerate(expressions())]
    (tmp_path / "asked.yml").write_text(
        json.dumps({"groups": [{"name": "asked", "rules": rules}]}), encoding="utf-8"
    )
    assert promtool.PROMTOOL is not None
    checked = subprocess.run(  # noqa: S603 - our own arguments
        [promtool.PROMTOOL, "check", "rules", str(tmp_path / "asked.yml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
