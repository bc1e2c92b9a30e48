from typing import Any

import msgspec
import pytest

from service.sight.alerts import MEMORY, RULES, Alerts
from service.sight.history import STEP_MS, Point, Spread

QUIET = Point(
    at_ms=0, live=20, opened=0, ended=0, returns={}, incidents={},
    resume_ms=Spread(), gap_ms=Spread(), is_degraded=False,
)  # fmt: skip


def judged(*changes: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the names of what fires after each point."""
    alerts, points, fired = Alerts(), list[Point](), list[tuple[str, ...]]()
    for step, change in enumerate(changes):
        points.append(msgspec.structs.replace(QUIET, **{"at_ms": step * STEP_MS, **change}))
        fired.append(tuple(one.name for one in alerts.judge(points[-MEMORY - 1 :])))
    return fired


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("reconnects", {"returns": {"drop": 4, "crash": 1}}),
        ("resume_slow", {"resume_ms": Spread(3, 80.0, 500.0)}),
        ("store_degraded", {"is_degraded": True}),
        ("context_lost", {"incidents": {"state_missing": 1}}),
        ("context_lost", {"incidents": {"fold_mismatch": 1}}),
        ("context_doubted", {"incidents": {"asked_again": 1}}),
        ("context_doubted", {"incidents": {"told_already": 2}}),
        ("drop_limit", {"incidents": {"drop_limit": 2}}),
        ("unreadable", {"incidents": {"unreadable": 1}}),
    ],
)
def test_each_rule_fires_at_its_figure_alone_and_ends(name: str, change: dict[str, Any]) -> None:
    fired = judged({}, change, *[{}] * MEMORY)
    assert fired[0] == ()
    assert fired[1] == (name,)
    assert fired[-1] == ()


@pytest.mark.parametrize(
    "change",
    [
        {"returns": {"drop": 4}},  # few, even of few calls
        {"returns": {"drop": 5}, "live": 100},  # a small share of many
        {"returns": {"deploy": 20, "dtmf": 20, "duplicate": 5}},  # on purpose
        {"resume_ms": Spread(3, 80.0, 499.0)},
    ],
)
def test_what_is_usual_fires_nothing(change: dict[str, Any]) -> None:
    assert judged(change) == [()]


def test_a_figure_between_its_two_limits_neither_begins_nor_ends_an_alert() -> None:
    high, between, low = ({"resume_ms": Spread(1, p95, p95)} for p95 in (500.0, 300.0, 200.0))
    fired = judged(between, high, *[between] * 8, *[low] * 6)
    assert fired[0] == ()
    assert all(fired[1:10])
    assert fired[-1] == ()


def test_an_alert_keeps_the_time_it_began_at() -> None:
    alerts = Alerts()
    bad = msgspec.structs.replace(QUIET, is_degraded=True, at_ms=5)
    alerts.judge([bad])
    (firing,) = alerts.judge([bad, msgspec.structs.replace(bad, at_ms=9)])
    assert firing.since_ms == 5
    assert alerts.firing == (firing,)


def test_every_rule_says_what_is_the_matter_and_can_end() -> None:
    assert all(rule.text.endswith(".") and rule.ends_below <= rule.begins_at for rule in RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)
