"""The alert rules for Prometheus, and the built-in ones beside them: what fires when, and what stays silent."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from service.meter import Meter
from tests.monitoring import promtool
from tests.monitoring.promtool import INTERVAL_S, RULES, Samples, names, verdict
from tests.monitoring.storm import BEGINS_MS, CALLS, SCRAPE_MS, Scraped, weathered

WARNING, CRITICAL = {"severity": "warning"}, {"severity": "critical"}
LIVE = 'stayline_calls_live{instance="a"}'
CALM: Samples = [0] * 5
FEW = 4  # drops of ten calls: under the five that make a storm

pytestmark = pytest.mark.skipif(
    promtool.PROMTOOL is None and os.environ.get("REQUIRE_PROMTOOL") != "1",
    reason="promtool is not installed (Debian: prometheus)",
)


@pytest.fixture(scope="module")
def storm() -> Scraped:
    return weathered(CALLS)


def fires_in(scraped: Scraped, folder: Path, first: int, last: int) -> str:
    """Expect the storm's alert at the scrapes from `first` to `last`, and nothing else at any time."""
    expected = [
        (at * INTERVAL_S, {"StaylineDropStorm": [WARNING]} if first <= at <= last else {})
        for at in range(scraped.scrapes)
    ]
    return verdict(scraped.series, expected, folder)


def test_a_storm_of_drops_fires_its_alert_within_two_evaluations_and_no_other(
    storm: Scraped, tmp_path: Path
) -> None:
    first = -(-BEGINS_MS // SCRAPE_MS)
    outcomes = {
        first + late: fires_in(storm, tmp_path, first + late, first + late + 3) for late in (0, 1)
    }
    assert "" in outcomes.values(), outcomes


def test_the_built_in_alert_fires_within_two_steps_and_no_other(storm: Scraped) -> None:
    firing = [(at_ms, names) for at_ms, names in storm.alerts if names]
    assert {names for _, names in firing} == {("reconnects",)}
    assert min(at_ms for at_ms, _ in firing) <= BEGINS_MS + 20_000
    assert max(at_ms for at_ms, _ in firing) < max(at_ms for at_ms, _ in storm.alerts)


def test_a_few_drops_fire_nothing(tmp_path: Path) -> None:
    calm = weathered(FEW)
    assert sum(row[-1] or 0 for name, row in calm.series.items() if is_drops(name)) == FEW
    assert fires_in(calm, tmp_path, 1, 0) == ""
    assert not [names for _, names in calm.alerts if names]


def is_drops(name: str) -> bool:
    return name.startswith("stayline_streams_attached_total{") and 'cause="drop"' in name


def test_every_series_that_a_rule_names_is_one_of_ours() -> None:
    ours = {sample.name for family in Meter().families() for sample in family.samples} | {
        f"{family.name}_bucket" for family in Meter().families() if family.type == "histogram"
    }
    named = set(re.findall(r"stayline_\w+", RULES.read_text(encoding="utf-8")))
    assert named <= ours, named - ours


def test_promtool_reads_the_rules() -> None:
    assert promtool.PROMTOOL is not None
    checked = subprocess.run(  # noqa: S603 - our own arguments
        [promtool.PROMTOOL, "check", "rules", str(RULES)], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def rising(to: int) -> Samples:
    return [*CALM, *[to] * 4]


PROVOKED: dict[str, tuple[Mapping[str, Samples], Mapping[str, str]]] = {
    "StaylineContextLost": (
        {'stayline_context_losses_total{kind="fold_mismatch"}': rising(1)},
        {**CRITICAL, "kind": "fold_mismatch"},
    ),
    "StaylineContextDoubted": (
        {'stayline_context_losses_total{kind="told_already"}': rising(3)},
        {**WARNING, "kind": "told_already"},
    ),
    "StaylineConversationsLost": (
        {
            'stayline_conversations_total{outcome="lost"}': rising(2),
            'stayline_conversations_total{outcome="survived"}': rising(100),
        },
        CRITICAL,
    ),
    "StaylineResumeSlow": (
        {
            'stayline_resume_duration_seconds_bucket{le="0.3"}': rising(4),
            'stayline_resume_duration_seconds_bucket{le="1"}': rising(10),
            'stayline_resume_duration_seconds_bucket{le="+Inf"}': rising(10),
            "stayline_resume_duration_seconds_count": rising(10),
        },
        WARNING,
    ),
    "StaylineStoreDegraded": ({"stayline_store_degraded": rising(1)}, CRITICAL),
    "StaylineStoreOrphans": ({"stayline_store_orphans_total": rising(1)}, WARNING),
    "StaylineFenceStorm": (
        {
            "stayline_fenced_total": rising(6),
            'stayline_streams_attached_total{cause="duplicate"}': rising(6),
        },
        WARNING,
    ),
    "StaylineDrainSlow": (
        {'stayline_drain_began_timestamp_seconds{instance="a"}': rising(60)},
        {**WARNING, "instance": "a"},
    ),
    "StaylineCallUnreadable": (
        {'stayline_incidents_total{kind="unreadable"}': rising(1)}, CRITICAL,
    ),
    "StaylineDropLimit": ({'stayline_incidents_total{kind="drop_limit"}': rising(1)}, WARNING),
    "StaylineLoopLate": (
        {
            'stayline_loop_lag_seconds_bucket{instance="a",le="0.1"}': rising(90),
            'stayline_loop_lag_seconds_bucket{instance="a",le="0.3"}': rising(100),
            'stayline_loop_lag_seconds_bucket{instance="a",le="+Inf"}': rising(100),
        },
        {**WARNING, "instance": "a"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROVOKED)
def test_each_rule_fires_when_it_is_provoked_and_alone(name: str, tmp_path: Path) -> None:
    series, labels = PROVOKED[name]
    known = {LIVE: [10] * 9, **series}
    before, after = (len(CALM) - 1) * INTERVAL_S, (len(CALM) + 1) * INTERVAL_S
    assert verdict(known, [(before, {}), (after, {name: [labels]})], tmp_path) == ""
    assert verdict(known, [(after, {})], tmp_path) != ""


def test_servers_that_tell_nothing_are_missed_after_a_minute(tmp_path: Path) -> None:
    series: dict[str, Samples] = {LIVE: [10, 10, None, None, None, None, None, None]}
    gone_s = (
        2 * INTERVAL_S + 300 + 60
    )  # a sample is believed for five minutes, unless it was marked stale
    assert (
        verdict(series, [(30, {}), (gone_s + 30, {"StaylineAbsent": [CRITICAL]})], tmp_path) == ""
    )


def test_all_rules_are_tried() -> None:
    assert set(names()) == {*PROVOKED, "StaylineDropStorm", "StaylineAbsent"}
