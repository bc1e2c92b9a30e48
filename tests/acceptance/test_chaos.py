"""`stayline chaos` in small: its own servers, every harm, and the checker. `make chaos` does more of it."""

import json
from pathlib import Path

import pytest

from service.chaos.command import KEPT
from service.commands.line import run

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_nothing_is_lost_said_twice_or_done_twice(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """G1, G5 in small: drops of every kind, kill -9, SIGSTOP and a paused store under ten calls."""
    words = f"--store {store} --calls 10 --drops 40 --seed 5 --apart-ms 4000 --kill-every 20"
    often = f"--freeze-every 16 --pause-every 12 --json {tmp_path / 'report.json'}"
    code = run(["chaos", *words.split(), *often.split()])
    assert code == KEPT, capsys.readouterr().out
    figures = json.loads((tmp_path / "report.json").read_text())["figures"]
    assert figures["drops"] == 40
    assert figures["  kill -9"] == 2
    assert figures["codes noted"] > 10
    assert figures["notes accepted"] > 10
