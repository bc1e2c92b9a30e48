"""`stayline number connect`, against an account on real sockets."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.commands.line import run
from service.simulator.account import Account
from service.simulator.exchange.exchange import Exchange
from service.simulator.exchange.numbers import Line
from service.testing.thread import LoopThread
from tests.commands.clinic import ACCOUNT, NUMBER, TOKEN, production

PUBLIC_URL = "https://calls.example.com"


@pytest.fixture
def line(alone: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """A number of an account whose API another thread serves."""
    assert alone.exists()
    exchange = Exchange(Account(ACCOUNT, TOKEN))
    thread = LoopThread("the carrier", threading.Event().set)
    thread.do(exchange.__aenter__())
    production(monkeypatch, TWILIO_API_URL=exchange.api_url, PUBLIC_URL=PUBLIC_URL)
    yield exchange.numbers.buy(NUMBER)
    thread.do(exchange.__aexit__(None, None, None))
    thread.halt()


def test_a_number_is_pointed_here_once(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["number", "connect", "+1 555 123 4567", "--dry-run"]) == 0
    assert "would lead here" in capsys.readouterr().out
    assert "demo.twilio.com" in line.voice_url
    assert run(["number", "connect", NUMBER]) == 0
    said = capsys.readouterr().out
    assert f"-> {PUBLIC_URL}/twiml/voice" in said
    assert said.endswith(f"{NUMBER} leads here.\n")
    assert line.voice_url == f"{PUBLIC_URL}/twiml/voice"
    assert line.voice_fallback_url == f"{PUBLIC_URL}/twiml/fallback"
    assert line.status_callback == f"{PUBLIC_URL}/callbacks/call"
    assert run(["number", "connect", NUMBER]) == 0
    assert capsys.readouterr().out == f"{NUMBER} leads here; nothing had to be changed.\n"


def test_a_number_that_serves_something_else_is_taken_on_request_only(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    line.voice_url, line.trunk_sid = "https://shop.example.com/v", "TK1"
    assert run(["number", "connect", NUMBER]) == 1
    assert "--replace takes it from there" in capsys.readouterr().err
    assert line.voice_url == "https://shop.example.com/v"
    assert run(["number", "connect", NUMBER, "--replace", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["changed"]["TrunkSid"] == ["TK1", ""]
    assert (line.voice_url, line.trunk_sid) == (f"{PUBLIC_URL}/twiml/voice", "")


def test_a_number_without_voice_can_not_be_connected(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    line.has_voice = False
    assert run(["number", "connect", NUMBER, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["trouble"].startswith("it takes no calls")


def test_a_number_of_somebody_else_is_one_line(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    assert line.sid
    assert run(["number", "connect", "+15550000000"]) == 2
    assert capsys.readouterr().err.endswith("has no number +15550000000\n")


@pytest.mark.usefixtures("alone")
def test_without_an_account_or_an_address_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["number", "connect", NUMBER]) == 2
    assert capsys.readouterr().err.startswith("stayline: TWILIO_AUTH_TOKEN: not set")
    production(monkeypatch)
    assert run(["number", "connect", NUMBER]) == 2
    assert capsys.readouterr().err.startswith("stayline: PUBLIC_URL: set it to the address")
