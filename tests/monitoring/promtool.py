"""Prometheus' own evaluation of our rules, by promtool: over samples, at moments."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

RULES = Path(__file__).parents[2] / "docs/monitoring/prometheus-rules.yml"
INTERVAL_S = 15
PROMTOOL = shutil.which("promtool")
# promtool compares annotations, too: what is for people is left out of what is judged.
ANNOTATIONS = re.compile(r"^ {8}annotations:\n(?: {10,}.*\n)+", re.MULTILINE)

Samples = Sequence[float | None]
Expected = Mapping[str, Sequence[Mapping[str, str]]]  # the labels of each alert that fires, by rule


def names() -> list[str]:
    """Return the names of all rules."""
    return re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))


def verdict(
    series: Mapping[str, Samples], expected: Iterable[tuple[int, Expected]], folder: Path
) -> str:
    """Return what promtool finds otherwise than expected, moment (s) by moment; "" for nothing.

    A rule that is not named at a moment is expected not to fire then.
    """
    assert PROMTOOL is not None
    checks = [
        {
            "eval_time": f"{at_s}s",
            "alertname": name,
            "exp_alerts": [{"exp_labels": dict(labels)} for labels in firing.get(name, ())],
        }
        for at_s, firing in expected
        for name in names()
    ]
    one = {
        "interval": f"{INTERVAL_S}s",
        "input_series": [
            {"series": name, "values": " ".join(map(_sample, row))} for name, row in series.items()
        ],
        "alert_rule_test": checks,
    }
    bare = ANNOTATIONS.sub("", RULES.read_text(encoding="utf-8"))
    (folder / "rules.yml").write_text(bare, encoding="utf-8")
    told = {"rule_files": ["rules.yml"], "evaluation_interval": f"{INTERVAL_S}s", "tests": [one]}
    (folder / "tests.yml").write_text(json.dumps(told), encoding="utf-8")
    ran = subprocess.run(  # noqa: S603 - our own arguments
        [PROMTOOL, "test", "rules", str(folder / "tests.yml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def _sample(value: float | None) -> str:
    return "_" if value is None else f"{value:g}"
