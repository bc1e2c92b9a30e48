from pathlib import Path

import pytest

from service.agent.account import NO_KEY, OPENAI_URL
from service.agent.realtime.settings import MODEL, RealtimeSettings
from service.errors import ConfigError


def read(**variables: str) -> RealtimeSettings:
    return RealtimeSettings.from_environment(variables)


def test_a_key_is_enough_and_is_never_shown() -> None:
    settings = read(OPENAI_API_KEY="sk-secret")
    assert (settings.model, settings.base_url) == (MODEL, OPENAI_URL)
    assert settings.api_key == "sk-secret"
    assert "secret" not in repr(settings)


def test_everything_can_be_chosen(tmp_path: Path) -> None:
    task = tmp_path / "task.txt"
    task.write_text("You sell tea.\n", encoding="utf-8")
    settings = read(
        OPENAI_BASE_URL="http://127.0.0.1:9/v1/",
        REALTIME_MODEL="m",
        REALTIME_VOICE="cedar",
        REALTIME_TRANSCRIBER="whisper-1",
        REALTIME_PROMPT=f"@{task}",
    )
    assert settings == RealtimeSettings(
        "m", "cedar", "whisper-1", "http://127.0.0.1:9/v1", NO_KEY, "You sell tea."
    )


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "sk\n1"}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "clé"}, "OPENAI_API_KEY"),
        ({"OPENAI_BASE_URL": "ftp://x"}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "http://[::1"}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "http://a b"}, "OPENAI_BASE_URL"),
        ({"OPENAI_API_KEY": "sk", "REALTIME_PROMPT": "@/nowhere/task"}, "REALTIME_PROMPT"),
        ({"OPENAI_API_KEY": "sk", "REALTIME_PROMPT": "x" * 32_769}, "REALTIME_PROMPT"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(variables: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=f"^{named}: [^\n]+$"):
        RealtimeSettings.from_environment(variables)
