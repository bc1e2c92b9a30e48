import json

import pytest

from service.commands.welcome import welcome, welcome_as_json
from service.config import Config, load

pytestmark = pytest.mark.usefixtures("alone")


def production(monkeypatch: pytest.MonkeyPatch, public_url: str) -> Config:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "f3a9c1d84e7b26500c9d1e8f7a6b5c43")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "1" * 32)
    monkeypatch.setenv("PUBLIC_URL", public_url)
    return load()


def test_a_developer_learns_every_address() -> None:
    config = load()
    said = welcome(config)
    token = config.api_tokens[0].token
    assert f"/console#token={token}" in said
    assert "stayline doctor; stayline number connect" in said
    assert json.loads(welcome_as_json(config))["is_development"] is True


def test_an_operator_learns_the_line_for_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    config = production(monkeypatch, "https://calls.example.com")
    said = welcome(config)
    assert "--voice-url https://calls.example.com/twiml/voice" in said
    assert "PUBLIC_URL is" not in said
    told = json.loads(welcome_as_json(config))
    assert told["console"] == "https://calls.example.com/console"
    assert told["voice_fallback_url"] == "https://calls.example.com/twiml/fallback"


def test_an_address_that_no_carrier_reaches_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "behind a proxy" in welcome(production(monkeypatch, "http://127.0.0.1:8000"))
