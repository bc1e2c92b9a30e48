import json

import pytest

from service.chaos.report import Report, at


def filled() -> Report:
    report = Report("chaos", seed=7)
    report.spread("gap", [30, 10, 20], worst_max=25)
    report.count("lost", ["CA1: gone"])
    report.count("codes", 0, at_least=1)
    report.count("kills", 3, at_most=None)
    return report


def test_a_percentile_of_nothing_is_nothing() -> None:
    assert (at([], 50), at([1, 2, 3], 50), at([1, 2, 3], 99)) == (0, 2, 3)


def test_a_broken_rule_is_told_with_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    report = filled()
    assert len(report.broken) == 3
    assert report.conclude() == 1
    shown = capsys.readouterr().out
    assert "CA1: gone" in shown
    told = json.loads(shown.splitlines()[-1])
    assert told["figures"]["gap"] == {"n": 3, "p50": 20, "p99": 30, "worst": 30}
    assert told["seed"] == 7
    assert {"python", "starlette"} <= told["versions"].keys()
    assert told["machine"]["cores"]


def test_the_page_says_it_in_words() -> None:
    page = filled().markdown()
    assert "| gap | p50 20, p99 30, worst 30 (3) |" in page
    assert "- lost: 1" in page
    assert "Every rule was kept." in Report("calm").markdown()
    assert Report("calm").conclude() == 0
