from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from service.errors import ConfigError
from service.simulator.credentials import Credentials, find

NOTHING = Credentials()
DEVELOPMENT = '{"account_sid": "ACdev", "auth_token": "dev", "api_token": "open", "more": 1}'


def found(
    tmp_path: Path,
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    asked: Credentials = NOTHING,
    dotenv: str = "",
    development: str = "",
) -> Credentials:
    (tmp_path / ".env").write_text(dotenv)
    if development:
        (tmp_path / "development.json").write_text(development)
    return find(
        asked,
        environment,
        dotenv=tmp_path / ".env",
        development=tmp_path / "development.json",
    )


def test_options_come_first_then_the_environment_then_the_file(tmp_path: Path) -> None:
    asked = Credentials(auth_token="asked")
    environment = {"TWILIO_AUTH_TOKEN": "env", "TWILIO_ACCOUNT_SID": "ACenv"}
    dotenv = "TWILIO_ACCOUNT_SID=ACdot\nAPI_TOKENS=dot:admin\n"
    assert found(tmp_path, environment, asked=asked, dotenv=dotenv) == Credentials(
        "ACenv", "asked", "dot"
    )


def test_of_a_list_the_first_is_taken(tmp_path: Path) -> None:
    environment = {
        "TWILIO_AUTH_TOKEN": "new, old",
        "TWILIO_ACCOUNT_SID": "AC1",
        "API_TOKENS": "one:viewer:acme,two:admin",
    }
    assert found(tmp_path, environment) == Credentials("AC1", "new", "one")


def test_the_development_file_fills_what_nobody_named(tmp_path: Path) -> None:
    assert found(tmp_path, development=DEVELOPMENT) == Credentials("ACdev", "dev", "open")


def test_a_real_account_takes_nothing_from_the_development_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no account sid: give --account-sid"):
        found(tmp_path, environment={"TWILIO_AUTH_TOKEN": "real"}, development=DEVELOPMENT)


def test_without_any_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"set TWILIO_ACCOUNT_SID, or start the server once"):
        found(tmp_path)


def test_a_damaged_development_file_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        found(tmp_path, development="{")
