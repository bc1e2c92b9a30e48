import os
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typing_extensions import override

from service.clock import Clock
from service.meter import Meter
from service.pool import FRESH_MS, Pool, joined

NOW_MS = 1_800_000_000_000


class Standing(Clock):
    """A clock that stands."""

    @override
    def now_ms(self) -> int:
        """See Clock."""
        return NOW_MS


@pytest.fixture
def meters(tmp_path: Path) -> tuple[Meter, Meter]:
    """Two processes at one port, the second of which has just shared its figures."""
    one, other = Meter(), Meter()
    for meter, name in ((one, "17"), (other, "18")):
        meter.pool = Pool(tmp_path, name, Standing())
    one.calls_opened.inc(2)
    other.calls_opened.inc(5)
    other.incidents.labels(kind="drop_limit").inc()
    other.share()
    touched(tmp_path / "18.prom", NOW_MS - 1)
    return one, other


def touched(path: Path, at_ms: int) -> None:
    os.utime(path, (at_ms / 1000, at_ms / 1000))


def opened(text: bytes) -> dict[str, float]:
    """How many calls each worker opened, by a text that Prometheus' own parser reads."""
    return {
        sample.labels.get("worker", ""): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.name == "stayline_calls_opened_total"
    }


def test_whoever_is_asked_tells_the_figures_of_all(meters: tuple[Meter, Meter]) -> None:
    one, other = meters
    assert opened(one.text()) == {"17": 2, "18": 5}
    one.calls_opened.inc()
    other.calls_opened.inc()
    assert opened(one.text()) == {"17": 3, "18": 5}, "our own as they are, the others' as shared"
    other.share()
    assert opened(other.text()) == {"18": 6}, "the first has shared nothing yet"


def test_each_family_stands_once_with_the_samples_of_all(meters: tuple[Meter, Meter]) -> None:
    text = meters[0].text().decode()
    assert text.endswith("\n")
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert len(set(heads)) == len(heads)
    families = {family.name: family for family in text_string_to_metric_families(text)}
    kinds = families["stayline_incidents"].samples
    assert {(one.labels["worker"], one.labels["kind"], one.value) for one in kinds} >= {
        ("17", "drop_limit", 0),
        ("18", "drop_limit", 1),
    }
    assert families["stayline_resume_duration_seconds"].type == "histogram"


def test_a_process_that_shares_no_more_is_told_no_more(
    meters: tuple[Meter, Meter], tmp_path: Path
) -> None:
    touched(tmp_path / "18.prom", NOW_MS - FRESH_MS)
    assert opened(meters[0].text()) == {"17": 2}


def test_alone_at_its_port_a_process_tells_its_figures_without_a_label() -> None:
    meter = Meter()
    meter.share()
    assert opened(meter.text()) == {"": 0}


def test_nothing_joined_is_nothing() -> None:
    assert joined({}) == b""
