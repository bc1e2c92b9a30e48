import argparse
import json
import tempfile
from pathlib import Path

import pytest

from service.chaos import command
from service.chaos.command import BROKEN, KEPT, USAGE
from service.chaos.options import add_arguments
from service.chaos.report import Report
from service.commands.line import run


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand where no settings lie."""
    monkeypatch.chdir(tmp_path)
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "API_TOKENS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--calls many", "--calls"),
        ("--calls 0", "--calls is a number from 1"),
        ("--calls 2000000", "--calls is a number from 1"),
        ("--store oracle", "--store"),
        ("--loud", "--loud"),
        ("--rest-port many", "--rest-port is a number"),
        ("--server ftp://x", "http or https URL"),
        ("--server http://127.0.0.1:1", "no account sid"),
        (
            "--server http://127.0.0.1:1 --account-sid AC1 --auth-token t",
            "give --api-token",
        ),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["chaos", *words.split()]) == USAGE
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.startswith("stayline chaos: ")
    assert shown.count("\n") == 1


@pytest.mark.parametrize(("lost", "code"), [(0, KEPT), (1, BROKEN)])
def test_the_report_is_kept_as_json_and_as_a_page(
    lost: int,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def done(*_: object) -> Report:
        report = Report("chaos", seed=7)
        report.count("acknowledged records lost", lost)
        return report

    monkeypatch.setattr(command, "run", done)
    kept = ["--json", str(tmp_path / "r.json"), "--markdown", str(tmp_path / "r.md")]
    assert run(["chaos", *kept]) == code
    told = json.loads((tmp_path / "r.json").read_text())
    assert told["figures"] == {"acknowledged records lost": lost}
    assert (tmp_path / "r.md").read_text().startswith("# chaos")
    left = [str(folder) for folder in tmp_path.glob("stayline-chaos-*")]
    assert len(left) == lost
    assert capsys.readouterr().out.endswith("".join(f"story: {folder}\n" for folder in left))


def test_a_deployments_credentials_are_found_as_replay_finds_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC1")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "t")
    monkeypatch.setenv("API_TOKENS", "secret:admin")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args(["--server", "http://127.0.0.1:8000/"])
    plan, found = command.read(options)
    assert (plan.server, plan.rest_port) == ("http://127.0.0.1:8000", 8001)
    assert found.api_token == "secret"
