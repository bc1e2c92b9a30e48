"""`stayline doctor` whole: a server, its carrier and its store on real sockets."""

import json
import sys
from pathlib import Path

import pytest

from service.commands.doctor import command
from service.commands.doctor.command import examined
from service.commands.doctor.finding import Finding, State
from service.commands.doctor.numbers import Wish
from service.commands.line import run
from tests.commands.clinic import NUMBER, clinic, quick

pytestmark = pytest.mark.usefixtures("alone")


@pytest.mark.asyncio
async def test_everything_is_looked_at_and_the_number_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    async with clinic(monkeypatch) as where:
        line = where.exchange.numbers.buy(NUMBER)
        findings, update = await examined(Wish(is_fix=True), told.append, quick)
        assert line.voice_url == f"{where.url}/twiml/voice"
    wrong = [one.line() for one in findings if one.state is State.WRONG]
    assert not wrong
    names = [one.name for one in findings]
    assert names == [
        "settings", "speech", "signature", "shelf", "store", "fence",
        "account", "clock", "number", "scheme", "address", "webhooks", "sockets",
    ]  # fmt: skip
    assert told == ["settings", "store", "account and numbers", "public address"]
    assert update.startswith("twilio phone-numbers:update +1… --voice-url http://127.0.0.1:")


def test_a_wrong_setting_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "many")
    assert run(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["state"] == "wrong"
    assert told["findings"][0]["name"] == "settings"
    assert told["findings"][0]["text"].startswith("PORT: ")
    assert run(["doctor"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("  wrong settings    PORT: ")
    assert said.endswith("Looked at 1 things: 1 wrong.\n")


@pytest.mark.asyncio
async def test_an_agent_in_the_folder_is_found_as_the_server_finds_it(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alone / "myteam_of_the_doctor.py").write_text(
        "class Echo:\n    async def reply(self, call, turn):\n        yield None\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("AGENT", "myteam_of_the_doctor:Echo")
    monkeypatch.setattr("sys.path", sys.path.copy())
    told: list[str] = []
    findings, _ = await examined(Wish(), told.append, quick)
    assert findings[0].state is State.CARE
    assert findings[0].text.startswith("development")


def test_the_line_that_points_a_number_here_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def looked(*_given: object) -> tuple[list[Finding], str]:
        return [Finding("store", State.CARE, "in memory")], "twilio phone-numbers:update +1"

    monkeypatch.setattr(command, "examined", looked)
    assert run(["doctor"]) == 0
    assert "leads here by\n  twilio phone-numbers:update +1\n" in capsys.readouterr().out
